"""What the order report asks over HTTP: exchange rates, and who the customers are.

A stand-in for two services of a company, on a free port of this machine. The first request for
rates is answered with 503, as happens with real ones: the blueprint tries again.

    python -m examples.orders.service       # prints its address; Ctrl-C ends it
"""

from __future__ import annotations

import json
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from examples import serving

#: What one unit of a currency is worth in euros.
IN_EUROS = {"EUR": 1.0, "USD": 0.9187, "GBP": 1.1702, "CHF": 1.0431, "PLN": 0.2326}
COUNTRIES = ("Germany", "France", "Poland", "Switzerland", "United Kingdom", "United States")
NAMES = (
    "Abel",
    "Brandt",
    "Cohen",
    "Dubois",
    "Eriksson",
    "Fischer",
    "Garcia",
    "Haas",
    "Ito",
    "Jung",
)
KINDS = ("Logistics", "Studio", "& Daughters", "Consulting", "Works")


def rates(to: str) -> dict[str, object]:
    """What one unit of each currency is worth in another."""
    base = IN_EUROS[to]
    return {"to": to, "rates": {name: round(worth / base, 6) for name, worth in IN_EUROS.items()}}


def customer(number: str) -> dict[str, str]:
    """Who the customer of a number such as ``C0042`` is."""
    n = int(number.removeprefix("C"))
    name = f"{NAMES[n % len(NAMES)]} {KINDS[n // len(NAMES) % len(KINDS)]}"
    return {"name": name, "country": COUNTRIES[n * n % 37 % len(COUNTRIES)]}


class Handler(serving.Handler):
    """``GET /rates?to=EUR`` and ``POST /customers`` with ``{"ids": [...]}``."""

    failures: ClassVar[int] = 0

    def do_GET(self) -> None:  # noqa: N802 - its name there
        """Give the rates."""
        place = urlsplit(self.path)
        to = parse_qs(place.query).get("to", ["EUR"])[0]
        if place.path != "/rates" or to not in IN_EUROS:
            self._answer(404, {"error": "not here"})
        elif type(self).failures > 0:
            type(self).failures -= 1
            self._answer(503, {"error": "busy, come back soon"})
        else:
            self._answer(200, rates(to))

    def do_POST(self) -> None:  # noqa: N802 - its name there
        """Give the customers that are asked for."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/customers":
            self._answer(404, {"error": "not here"})
        else:
            self._answer(200, {number: customer(number) for number in asked["ids"]})

    def _answer(self, status: int, value: object) -> None:
        self.answer(status, "application/json", json.dumps(value).encode())


class Service(serving.Server):
    """The service while a ``with`` block lasts; ``url`` is where.

    Args:
        failures: How many requests for rates are answered with 503 first.
    """

    def __init__(self, failures: int = 1) -> None:
        super().__init__(type("OwnHandler", (Handler,), {"failures": failures}))


if __name__ == "__main__":
    serving.serve(Service())
