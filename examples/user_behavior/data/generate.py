"""Makes purchases and reviews of any number, always the same ones.

generate.py FOLDER [--purchases 600] [--reviews 300]

Shaped like the UCI Online Retail set and the movie reviews that are joined with it: a quarter of the purchases has no
customer, some are returns (negative quantity, invoice C...), some cost nothing; descriptions hold commas and quotes, reviews
newlines; a few customer ids of reviews are no numbers. All of it is made up.
"""

import argparse
import pathlib
import random

COUNTRIES = ["United Kingdom"] * 8 + ["France", "Germany", "EIRE", "España"]
THINGS = ["LANTERN", "CAKE STAND", "TEA CUPS, SET OF 6", "RULER 12\" OAK", "HEART T-LIGHT HOLDER", "CAFÉ SIGN", "BUNTING, 5 METRES",
          "JAM JAR", "SUITCASE \"PARIS\"", "ALARM CLOCK", "DOORMAT, COIR", "POSTAGE"]
COLOURS = ["RED", "WHITE", "BLUE", "PINK", "GREEN", "BLACK", "BRASS"]
OPENINGS = ["Once again Mr. Costner has dragged out a movie", "A good film", "Not good at all", "Good! I laughed, twice",
            "The goods were better than the plot", "I'd seen it before:\nit doesn't get better", "He said \"watch it\", so I did", "Très bon, pas long",
            "Nothing to see here", "It was\n\ngood, bad and ugly", "Hmm...", "If you like quiet, slow pictures"]
WORDS = ("the a story of and acting music was were too long short great dull good bad scene ending camera actor actress I loved hated would see "
         "again never time money kids script hero villain dark light comedy drama").split()
ODD_IDS = ["16579.0", " 16579", "guest-17", "1e4", "12 345"]


def quoted(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def purchases(file, count):
    pick = random.Random(1)
    products = [(f"{10000 + i}{'AB'[i % 2] if i % 3 == 0 else ''}", quoted(f"{COLOURS[i % 7]} {THINGS[i % 12]}"), 1 + i * 37 % 1995)
                for i in range(400)]
    file.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
    customers = max(count // 120, 40)
    invoice, minute, customer, country, back = 536365, 0, "", "", False
    for row in range(count):
        if row % 8 == 0:  # an invoice has some lines
            invoice += 1
            minute += pick.randrange(3)
            back = pick.random() < 0.02
            customer = "" if pick.random() < 0.25 else str(12346 + pick.randrange(customers))
            country = COUNTRIES[pick.randrange(12)]
        code, description, cents = products[int(400 * pick.random() ** 2)]
        quantity = 1 + int(24 * pick.random() ** 3)
        price = "0" if pick.random() < 0.005 else f"{cents // 100}.{cents % 100:02d}"
        day, rest = divmod(minute, 1440)
        file.write(f"{'C' if back else ''}{invoice},{code},{description},{-quantity if back else quantity},"
                   f"{2010 + day // 336}-{1 + day // 28 % 12:02d}-{1 + day % 28:02d} {rest // 60:02d}:{rest % 60:02d}:00,"
                   f"{price},{customer},{country}\n")


def reviews(file, count):
    pick = random.Random(2)
    customers = max(count // 60, 50)  # some of whom never bought
    file.write("cid,review_str,id_review\n")
    for row in range(count):
        cid = ODD_IDS[row // 50 % 5] if row % 50 == 25 and row < 250 else str(12346 + pick.randrange(customers) * 3 // 2)
        words = [WORDS[pick.randrange(len(WORDS))] for _ in range(pick.randrange(4, 40))]
        file.write(f"{cid},{quoted(OPENINGS[pick.randrange(12)] + ', ' + ' '.join(words) + '.')},{row + 1}\n")


def make(folder, purchase_count, review_count):
    folder = pathlib.Path(folder)
    with open(folder / "user_purchase.csv", "w", encoding="utf-8", newline="") as file:
        purchases(file, purchase_count)
    with open(folder / "movie_review.csv", "w", encoding="utf-8", newline="") as file:
        reviews(file, review_count)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--purchases", type=int, default=600)
    arguments.add_argument("--reviews", type=int, default=300)
    given = arguments.parse_args()
    make(given.folder, given.purchases, given.reviews)
