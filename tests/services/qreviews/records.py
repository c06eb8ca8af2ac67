"""Records as the survey service sends them.

Nobody in them is real, and what would be personal carries `PHI-`, so that a test can look for it
in logs.
"""

TEXTS = ["Very kind staff", "Waited too long", "Grüße aus Köln 🌻", "",
         "Everything was\nexplained", None]
FRACTIONS = ["", ".5", ".25", ".125", ".0625", ".03125", ".123456"]
ZONES = ["", "Z", "+02:00", "-05:00", "+05:30"]
FIRST_ID = 10_000
RUN = 17  # after so many records the sequence leaves a number out


def timestamp(number):
    """Each way in which timestamps come: naive, Z or an offset; 0 to 6 digits of a fraction."""
    day, hour, minute = 1 + number % 28, number % 24, number % 60
    fraction, zone = FRACTIONS[number % 7], ZONES[number // 7 % 5]
    return f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:{number * 7 % 60:02d}{fraction}{zone}"


def sequences_after(last, number, first=None):
    """Those of record `number` and all behind it, `first` the least that the first may have."""
    sequence = last
    while True:
        gap = number % RUN == RUN - 1
        sequence = max(sequence + 1 + gap, first or 0)
        yield sequence
        number += 1


def make_record(number, sequence, seed=0):
    """The same for the same arguments; other seeds give other values in the same shape."""
    varied = number + 7919 * seed
    record = {
        "id": FIRST_ID + number,
        "sequence": sequence,
        "created": timestamp(varied),
        "modified": timestamp(varied + 1),
        "communication_sent": timestamp(varied),
        "survey_opened": None if varied % 5 == 0 else timestamp(varied + 2),
        "survey_submitted": timestamp(varied + 3),
        "survey_response_id": 500 + number // 4,
        "survey_language": ["es", "en", "en", "zh-Hant"][varied % 4],
        "via_sms": varied % 2 == 0,
        "score": varied % 6,
        "nps_score": None if varied % 23 == 22 else str(varied % 11),
        "text_answer": text_answer(varied),
        "choice": None if varied % 3 else "Señor Nurse",
        "choices": [["Doctor", "Nurse"][: varied % 3], None][varied % 19 == 18],
        "insurers": [] if varied % 4 else ["ACME Health"],
        "department": {"id": varied % 7, "name": f"Department {varied % 7}"},
        "survey": {"id": 3, "name": "After the visit"},
        "question": question(varied),
        "interaction": interaction(number, varied),
        "interactors": [interactor(varied + i) for i in range((varied + 1) % 3)],
        "recipient": recipient(number, varied),
    }
    leave_out(record, varied)
    return record


def text_answer(number):
    text = TEXTS[number % len(TEXTS)]
    return f"{text} (PHI-{number:05d})" if text else text


def question(number):
    kinds = [(799, "How likely are you to recommend us?", "NP"), (801, "Your words?", "FT"),
             (802, "How was the wait?", "RT"), (803, "Who helped you?", "MM")]
    identity, text, kind = kinds[number % 4]
    return {"id": identity, "text": text, "type": kind}


def interaction(number, varied):
    return {
        "id": number,
        "interaction_id": f"visit-{number}",
        "interaction_type": "visit",
        "location_code": ["clinic:north", "virtual:são-paulo"][varied % 2],
        "start_timestamp": timestamp(varied),
        "end_timestamp": timestamp(varied + 1) if varied % 8 else None,
        "interaction_disposition": "home",
        **{f"custom_data_{i:02d}": f"value {i}" if (varied + i) % 4 else None
           for i in range(1, 17)},
    }


def interactor(number):
    return {
        "client_interactor_id": f"c{number}",
        "first_name": f"PHI-Doc-{number:05d}",
        "middle_name": None,
        "last_name": "PHI-Łukasz",
        "id": number % 50,
        "uid": f"u{number % 50}",
    }


def recipient(number, varied):
    year, day = varied % 80 + 10, varied % 28 + 1
    return {
        "id": number,
        "uid": f"PHI-p-{number}",
        "first_name": f"PHI-Anna-{number:05d}",
        "middle_name": None,
        "last_name": f"PHI-Muster-{number:05d}",
        "date_of_birth": None if varied % 37 == 36 else f"19{year:02d}-02-{day:02d}",
        "gender": "fmx"[varied % 3],
        "phone1": f"PHI-555-{number:05d}",
        "phone2": None,
        "phone3": None,
        "phone4": None,
        "preferred_language": "en",
        "zipcode": f"0{varied % 10000:04d}",
    }


def leave_out(record, number):
    """Any value may be null or missing, whole objects too."""
    if number % 13 == 12:
        del record["department"]
    if number % 29 == 28:
        record["survey"] = None
    if number % 31 == 30:
        record["interactors"] = None
    if number % 41 == 40:
        del record["interaction"]["custom_data_16"], record["survey_language"]
