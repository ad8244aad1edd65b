"""Make ``orders.csv``: the same 3,000 orders every time.

python examples/orders/generate.py
"""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Iterator
from pathlib import Path

ORDERS = 3000
FIRST_DAY = datetime.date(2025, 1, 2)
HEADERS = ("id", "date", "customer", "article", "currency", "quantity", "price", "status")
ARTICLES = {
    "desk lamp": 39.9,
    "office chair": 289.0,
    "standing desk": 649.5,
    "monitor arm": 119.95,
    "whiteboard": 174.0,
    "acoustic panel": 58.25,
}
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "PLN")
STATUS = ("paid", "shipped", "open", "cancelled")


def orders() -> Iterator[tuple[str, ...]]:
    """The rows, without the headers; ids have leading zeros, prices two decimals."""
    draw = random.Random(20250102)
    day = FIRST_DAY
    for number in range(1, ORDERS + 1):
        if draw.random() < 0.11:
            day += datetime.timedelta(days=1)
        article = draw.choice(list(ARTICLES))
        currency = draw.choices(CURRENCIES, (50, 20, 12, 8, 10))[0]
        price = ARTICLES[article] * (4.3 if currency == "PLN" else 1) * draw.uniform(0.85, 1.1)
        yield (
            f"{number:06}",
            day.isoformat(),
            f"C{draw.randint(1, 120):04}",
            article,
            currency,
            str(draw.choices((1, 2, 3, 5, 10, 25), (40, 25, 15, 10, 7, 3))[0]),
            f"{price:.2f}",
            draw.choices(STATUS, (50, 30, 14, 6))[0],
        )


def write(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADERS)
        writer.writerows(orders())


if __name__ == "__main__":
    write(Path(__file__).with_name("orders.csv"))
