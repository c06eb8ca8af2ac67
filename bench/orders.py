"""Made-up orders, the same ones on every machine, as a CSV file: 4 million rows in a few seconds."""

import datetime

HEADER = "id,customer,amount,quantity,ordered_on,shipped_at,paid,note"
SQL_COLUMNS = ("id bigint primary key, customer text not null, amount numeric(12,2) not null, quantity integer not null, "
               "ordered_on date not null, shipped_at timestamptz, paid boolean not null, note text")
CYCLE = 9973  # so many orders differ in more than the id; a prime, so that no batch begins alike
CHUNK = 65536
NAMES = ["Alva Lind", "Bo Ek", "Chloé Martin", "Dagny Öhman", "Emre Kaya", "\"Fox, Gray\"", "Gudrun Ax", "李娜"]
NOTES = ["", "", "leave at the door", "\"call first, then ring\"", "\"said \"\"no nuts\"\"\"", "third floor"]


def rest_of_order(number):
    """What follows the id."""
    day = datetime.date(2020, 1, 1) + datetime.timedelta(number % 1461)
    shipped = "" if number % 11 == 0 else f"{day + datetime.timedelta(2)}T{number % 24:02}:{number % 60:02}:{number * 7 % 60:02}Z"
    amount = f"{number * 37 % 100000}.{number % 100:02}"
    return (f",{NAMES[number * 5 % len(NAMES)]},{amount},{number % 17 + 1},{day},{shipped},"
            f"{'true' if number % 3 else 'false'},{NOTES[number % len(NOTES)]}\n").encode()


def write_orders(path, rows, first=1):
    rest = [rest_of_order(number) for number in range(CYCLE)]
    with open(path, "wb") as file:
        file.write(f"{HEADER}\n".encode())
        for start in range(first, first + rows, CHUNK):
            numbers = range(start, min(start + CHUNK, first + rows))
            file.write(b"".join([b"%d%b" % (number, rest[number % CYCLE]) for number in numbers]))
