"""What the Q-Reviews server does, seen by slumber, the client that tastypie's users have."""

import pathlib
import sys
import tempfile
import time
import unittest

import requests
import slumber
from slumber.exceptions import HttpClientError, HttpServerError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "systems"))

from harness import Server  # noqa: E402

RECORDS = 1200
PATH = "/api/client/v2/response"


class ApiKeyAuth(requests.auth.AuthBase):
    def __init__(self, text="ApiKey demo-sid:demo-key"):
        self.text = text

    def __call__(self, request):
        request.headers["Authorization"] = self.text
        return request


class ServerTest(unittest.TestCase):
    """One server for all tests of a class, as it was started for each."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.server = Server("qreviews/server.py", folder, "--records", RECORDS, *cls.arguments)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.session = requests.Session()
        self.addCleanup(self.session.close)
        api = slumber.API(f"{self.server.url}/api/client/v2/", auth=ApiKeyAuth(), session=self.session)
        self.responses = api.response

    def get(self, **query):
        return self.responses.get(**query)

    def sequences(self, **query):
        return [record["sequence"] for record in self.get(**query)["objects"]]

    def walk(self, limit=500, after=0, page_done=lambda: None):
        """By sequence until a page is empty, as the vendor wants its clients to."""
        while page := self.get(sequence__gt=after, order_by="sequence", limit=limit, omit_count="true")["objects"]:
            yield page
            after = page[-1]["sequence"]
            page_done()


class PlainServerTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.tell("reset")

    def tell(self, verb, data=()):
        return self.server.post(f"/_control/{verb}", data or {})

    def config(self, **settings):
        self.tell("config", settings)

    def fault(self, action, **more):
        self.tell("faults", [{"action": action, **more}])

    def raw(self, timeout=20, **query):
        return self.session.get(self.server.url + PATH, params=query, timeout=timeout, auth=ApiKeyAuth())


class PagingTest(PlainServerTest):
    def test_a_walk_by_sequence_meets_every_record_once(self):
        for limit, sizes in ((500, [500, 500, 200]), (400, [400] * 3), (0, [1000, 200]), (5000, [1000, 200])):
            with self.subTest(limit):
                pages = list(self.walk(limit))
                self.assertEqual([len(page) for page in pages], sizes)
                sequences = [record["sequence"] for page in pages for record in page]
                self.assertEqual((len(set(sequences)), sequences), (RECORDS, sorted(sequences)))

    def test_sequences_have_gaps_and_ids_do_not(self):
        records = [record for page in self.walk() for record in page]
        steps = {b["sequence"] - a["sequence"] for a, b in zip(records, records[1:])}
        self.assertEqual((steps, {b["id"] - a["id"] for a, b in zip(records, records[1:])}), ({1, 2}, {1}))

    def test_a_walk_by_links_meets_every_record_once(self):
        found, page = [], self.get(limit=500)
        while True:
            found += [record["id"] for record in page["objects"]]
            if not page["meta"]["next"]:
                break
            page = self.session.get(self.server.url + page["meta"]["next"], auth=ApiKeyAuth()).json()
        self.assertEqual((len(found), len(set(found))), (RECORDS, RECORDS))

    def test_the_last_page_may_be_full_or_empty(self):
        last = self.sequences(order_by="-sequence", limit=501)
        self.assertEqual([len(page) for page in self.walk(500, after=last[-1])], [500])
        self.assertEqual(self.get(sequence__gt=last[0])["objects"], [])

    def test_the_filter_is_greater_than(self):
        first, second = self.sequences(limit=2)
        self.assertEqual(self.sequences(sequence__gt=first, limit=1), [second])
        self.assertEqual(self.sequences(sequence__gt=first - 1, limit=1), [first])

    def test_the_order_is_by_sequence_up_or_down(self):
        up, down = self.sequences(limit=0), self.sequences(limit=0, order_by="-sequence")
        self.assertEqual((up, down), (sorted(up), sorted(down, reverse=True)))

    def test_the_count_is_left_out_where_asked_for(self):
        meta = self.get(limit=2)["meta"]
        self.assertEqual((meta["total_count"], bool(meta["next"])), (RECORDS, True))
        self.assertEqual(self.get(limit=2, omit_count="true")["meta"], {"limit": 2, "offset": 0, "next": None, "previous": None})

    def test_limits_over_the_cap_are_silently_cut(self):
        for cap in (100, 500, 1000):
            self.config(page_cap=cap)
            for limit in (0, cap, cap + 1, 100_000):
                self.assertEqual(len(self.get(limit=limit)["objects"]), cap)
        self.config(page_cap=0)
        self.assertEqual(len(self.get(limit=0)["objects"]), RECORDS)

    def test_records_that_are_updated_during_a_walk_come_again_at_the_end(self):
        tell = iter([lambda: self.tell("records", {"update": [10003, 11000]})])
        pages = list(self.walk(500, page_done=lambda: next(tell, lambda: None)()))
        versions = {}
        for record in (record for page in pages for record in page):
            versions.setdefault(record["id"], []).append(record["sequence"])
        self.assertEqual({i: len(v) for i, v in versions.items() if len(v) > 1}, {10003: 2})  # 11000 was still to come
        self.assertEqual([r["id"] for r in pages[-1][-2:]], [10003, 11000])
        self.assertGreater(versions[10003][1], versions[10003][0])

    def test_new_records_come_behind_the_last(self):
        last = self.sequences(order_by="-sequence", limit=1)[0]
        self.assertEqual(self.tell("records", {"append": 3})["sequence"], self.sequences(order_by="-sequence", limit=1)[0])
        self.assertEqual(len(self.sequences(sequence__gt=last)), 3)

    def test_sequences_around_2_to_the_53_are_exact(self):
        self.tell("records", {"append": 3, "from_sequence": 2**53})
        self.assertEqual(self.sequences(sequence__gt=2**53 - 1), [2**53, 2**53 + 1, 2**53 + 2])
        self.assertEqual(self.sequences(sequence__gt=2**53 + 1), [2**53 + 2])

    def test_a_given_record_is_shown_as_it_is(self):
        record = {"sequence": 10**6, "id": 1, "anything": [None, {"ü": 1.5}]}
        self.tell("records", {"records": [record]})
        self.assertEqual(self.get(sequence__gt=10**6 - 1)["objects"], [record])


class AccessTest(PlainServerTest):
    def test_only_the_key_opens(self):
        for text in ("ApiKey demo-sid:wrong", "ApiKey other:demo-key", "Basic demo-sid:demo-key", "ApiKey", ""):
            with self.subTest(text):
                answer = requests.get(self.server.url + PATH, headers={"Authorization": text})
                self.assertEqual((answer.status_code, answer.content), (401, b""))
        self.assertEqual(requests.get(self.server.url + PATH, headers={"Authorization": "apikey demo-sid:demo-key"}).status_code, 200)
        self.assertEqual(requests.get(self.server.url + PATH, {"username": "demo-sid", "api_key": "demo-key"}).status_code, 200)

    def test_bad_queries_are_refused_with_the_reason(self):
        for query, error in (({"limit": "x"}, "Invalid limit 'x' provided. Please provide a positive integer."),
                             ({"limit": -1}, "Invalid limit '-1' provided. Please provide a positive integer &gt;= 0."),
                             ({"offset": "x"}, "Invalid offset 'x' provided. Please provide an integer."),
                             ({"order_by": "id"}, "The 'id' field does not allow ordering."),
                             ({"sequence__gt": "x"}, "Invalid resource lookup data provided (mismatched type).")):
            with self.subTest(query), self.assertRaises(HttpClientError) as caught:
                self.get(**query)
            self.assertEqual((caught.exception.response.status_code, caught.exception.response.json()), (400, {"error": error}))

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(self.session.get(self.server.url + "/api/client/v2/", auth=ApiKeyAuth()).status_code, 404)
        self.assertEqual(self.session.post(self.server.url + PATH, auth=ApiKeyAuth()).status_code, 405)

    def test_requests_are_kept_for_tests_to_look_at(self):
        self.get(limit=1)
        seen = self.server.get("/_control/requests")
        self.assertEqual([(r["method"], r["query"], r["headers"]["Authorization"]) for r in seen],
                         [("GET", {"limit": "1"}, "ApiKey demo-sid:demo-key")])


class RecordsTest(PlainServerTest):
    def records(self):
        return self.get(limit=0)["objects"]

    def test_text_is_utf8_and_anything_may_be_null_or_missing(self):
        records = self.records()
        self.assertTrue(any("🌻" in (r["text_answer"] or "") for r in records))
        self.assertIn("são".encode(), self.raw(limit=100).content)
        self.assertTrue(any(r.get("survey", 0) is None for r in records) and any("department" not in r for r in records))

    def test_what_is_personal_carries_a_mark(self):
        for record in self.records():
            people = [record["recipient"], *(record["interactors"] or [])]
            names = [person[key] for person in people for key in ("first_name", "last_name")]
            self.assertTrue(all(name.startswith("PHI-") for name in names), record["id"])

    def test_an_unknown_field_appears_from_a_sequence_on(self):
        self.config(extra={"path": "recipient.suffix", "value": "Jr", "from_sequence": 600})
        self.assertEqual({r["sequence"] >= 600 for r in self.records() if "suffix" in r["recipient"]}, {True})
        self.assertTrue(all("suffix" in r["recipient"] for r in self.get(sequence__gt=599, limit=0)["objects"]))

    def test_one_record_has_a_value_of_another_type(self):
        self.config(wrong={"path": "score", "value": "PHI-high", "sequence": 42})
        self.assertEqual([r["sequence"] for r in self.records() if not isinstance(r["score"], int)], [42])

    def test_a_record_may_be_null_or_repeat_its_sequence(self):
        self.config(null_record=5, repeated_sequence=9)
        first = self.get(limit=10)["objects"]
        self.assertEqual([r and r["sequence"] for r in first], [1, 2, 3, 4, None, 6, 7, 8, 8, 10])

    def test_objects_may_be_missing_null_or_no_list(self):
        for kind, shown in (("missing", "none"), ("null", None), ("object", {})):
            self.config(objects=kind)
            self.assertEqual(self.get().get("objects", "none"), shown)

    def test_the_filter_may_have_no_effect(self):
        self.config(ignore_filter=True)
        self.assertEqual(self.sequences(sequence__gt=10**9, limit=2), self.sequences(limit=2))

    def test_the_link_to_the_next_page_may_be_missing_or_lead_nowhere(self):
        self.config(meta_next="null")
        self.assertIsNone(self.get(limit=5)["meta"]["next"])
        self.config(meta_next="wrong")
        link = self.get(limit=5, offset=RECORDS - 1)["meta"]["next"]
        self.assertEqual(self.session.get(self.server.url + link, auth=ApiKeyAuth()).json()["objects"], [])

    def test_settings_that_are_none_are_refused(self):
        answer = requests.post(self.server.url + "/_control/config", json={"pagecap": 1})
        self.assertEqual((answer.status_code, answer.json()), (400, {"error": "no setting pagecap"}))


class FaultsTest(PlainServerTest):
    def test_a_500_once_has_tastypies_body_and_then_all_is_well(self):
        self.fault("status", status=500)
        with self.assertRaises(HttpServerError) as caught:
            self.get()
        self.assertIn("could not be processed", caught.exception.response.json()["error_message"])
        self.assertEqual(len(self.get()["objects"]), 20)

    def test_too_many_requests_say_when_to_come_again(self):
        for headers, expected in ((None, "1"), ({"Retry-After": "150"}, "150")):
            self.fault("status", status=429, **({"headers": headers} if headers else {}))
            with self.assertRaises(HttpClientError) as caught:
                self.get()
            self.assertEqual(caught.exception.response.headers["Retry-After"], expected)

    def test_faults_wait_for_their_turn_and_their_match(self):
        self.fault("status", status=503, skip=1, times=2, match="limit=3")
        seen = [self.raw(limit=limit).status_code for limit in (3, 2, 3, 2, 3, 3)]
        self.assertEqual(seen, [200, 200, 503, 200, 503, 200])

    def test_a_redirect_leads_elsewhere(self):
        self.fault("redirect", location="/elsewhere")
        answer = self.session.get(self.server.url + PATH, allow_redirects=False, auth=ApiKeyAuth())
        self.assertEqual((answer.status_code, answer.headers["Location"]), (302, "/elsewhere"))

    def test_a_page_of_html_has_status_200(self):
        self.fault("html")
        answer = self.raw()
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("PHI-", answer.text)

    def test_json_may_be_cut_in_an_answer_that_is_complete(self):
        self.fault("cut_json")
        with self.assertRaises(requests.exceptions.JSONDecodeError):
            self.raw().json()

    def test_answers_may_break_off(self):
        for action in ("close", "cut", "half_close"):
            with self.subTest(action), self.assertRaises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                self.fault(action)
                self.raw()
            self.assertEqual(self.raw().status_code, 200)

    def test_answers_may_not_come_or_stop_halfway(self):
        for action in ("hang", "stall"):
            with self.subTest(action), self.assertRaisesRegex(requests.RequestException, "timed out"):
                self.fault(action)
                self.raw(timeout=0.1)
        self.fault("hang", seconds=0.01)
        with self.assertRaises(requests.ConnectionError):
            self.raw()

    def test_a_slow_answer_is_whole_in_the_end(self):
        self.fault("slow", pieces=5, seconds=0.02)
        started = time.monotonic()
        self.assertEqual(len(self.raw().json()["objects"]), 20)
        self.assertGreater(time.monotonic() - started, 0.08)

    def test_an_endless_answer_does_not_end(self):
        self.fault("endless")
        with self.session.get(self.server.url + PATH, stream=True, auth=ApiKeyAuth()) as answer:
            size = 0
            for part in answer.iter_content(1 << 20):
                size += len(part)
                if size > 64 << 20:
                    break
        self.assertGreater(size, 64 << 20)
        self.assertEqual(self.raw().status_code, 200)


class PrerenderedTest(ServerTest):
    """Pages of ready bytes, for benchmarks: the same records to the same walk."""

    arguments = ("--prerendered",)

    def test_a_walk_meets_the_same_records(self):
        with tempfile.TemporaryDirectory() as folder:
            plain = Server("qreviews/server.py", folder, "--records", RECORDS)
        self.addCleanup(plain.stop)
        ready = list(self.walk(500))
        api = slumber.API(f"{plain.url}/api/client/v2/", auth=ApiKeyAuth(), session=self.session)
        self.responses = api.response
        usual = list(self.walk(500))
        self.assertEqual([[r["sequence"] for r in page] for page in ready], [[r["sequence"] for r in page] for page in usual])
        self.assertEqual(ready[0], usual[0])

    def test_only_the_key_opens(self):
        self.assertEqual(requests.get(self.server.url + PATH, auth=ApiKeyAuth("ApiKey demo-sid:wrong")).status_code, 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
