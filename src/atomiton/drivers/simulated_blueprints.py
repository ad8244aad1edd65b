"""Blueprints at random, and the node types that they use."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_document
from atomiton.blueprint.emit import to_yaml
from atomiton.blueprint.model import Blueprint, Json, Retry
from atomiton.blueprint.plan import Plan
from atomiton.drivers.simulated_documents import Artist, Document, Place, Weather
from atomiton.drivers.simulated_kinds import EFFECTS, call_of, draw_body
from atomiton.errors import NotFound


class SimulatedPort(msgspec.Struct, frozen=True):
    """The one parameter of a simulated node type."""

    name: str = "values"
    schema: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    required: bool = False
    expression: bool = False
    variadic: bool = False


class SimulatedType(msgspec.Struct, frozen=True):
    """A node type that exists in simulations only."""

    name: str
    effect: str
    identity: str = ""
    parameters: tuple[SimulatedPort, ...] = (SimulatedPort(),)
    result: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    retry: Retry | None = None
    timeout: float | None = None
    runtime: str = "inline"


class SimulatedTypes:
    """The node types ``sim.pure``, ``sim.idempotent`` and ``sim.once``."""

    def __init__(self) -> None:
        self._types = {
            f"sim.{effect}": SimulatedType(f"sim.{effect}", effect) for effect in EFFECTS
        }

    def get(self, name: str) -> SimulatedType:
        """The type of that name."""
        if name not in self._types:
            raise NotFound(f"there is no node type '{name}'")
        return self._types[name]


class Drawing(msgspec.Struct, frozen=True):
    """A blueprint that was drawn, as documents.

    Attributes:
        document: The blueprint.
        called: The blueprints that it calls, by id.
    """

    document: Document
    called: dict[str, Document]

    def yaml(self) -> str:
        """All of it as text, to be read or run by hand."""
        return "---\n".join(to_yaml(part) for part in (self.document, *self.called.values()))

    def compiled(self) -> Plan:
        """The plan of it."""
        others = {name: read_document(document) for name, document in self.called.items()}

        def resolve(_caller: Blueprint, name: str) -> Blueprint:
            return others[name]

        return compile_blueprint(read_document(self.document), SimulatedTypes(), resolve=resolve)


def weather_of(seed: int) -> Weather:
    """What a seed stands for: odd ones are storms, every fourth goes in single file."""
    if seed % 2:
        return "storm"
    return "calm" if seed % 4 else "file"


def drawing_of(seed: int, weather: Weather = "storm") -> Drawing:
    """Draw a blueprint.

    Args:
        seed: Draws all of it.
        weather: What may be drawn.
    """
    artist = Artist(seed, weather)
    draw = artist.draw
    size = artist.left
    body = draw_body(artist, Place(file=weather == "file"), size)
    if artist.chance(0.4 if weather == "file" else 0.15):
        # Compensation has most to do when all that was to be done is done.
        artist.add(body, artist.name("n"), {"uses": "sim.pure", "if": "1"}, [*body.nodes][-3:])
    entries = list(body.nodes.items())
    if artist.chance(0.5):
        draw.shuffle(entries)  # the order of the document is not the order of the run
    document = artist.document(dict(entries))
    limits: dict[str, Json] = {}
    concurrency = draw.choice((None, None, 1, 2, 3))
    if concurrency is not None:
        limits["concurrency"] = concurrency
    if not artist.calm and artist.chance(0.1):
        limits["steps"] = draw.randint(1, size + 4)
    if not artist.calm and artist.chance(0.1):
        limits["timeout"] = draw.choice((2, 8, 40))
    # Drawn apart, so that all else is drawn as it was before there were costs.
    if weather == "storm" and (purse := Random(f"cost {seed}")).random() < 0.1:  # noqa: S311 - a draw
        limits["cost"] = purse.randint(1, size + 4)
    if limits:
        document["limits"] = limits
    if artist.chance(0.2):
        causes: list[list[Json]] = [[], ["failure"], ["cancel"]]
        document["compensate_on"] = draw.choice(causes)
    document["on"] = _lifecycle(artist, list(body.nodes))
    if artist.chance(0.2):
        document["output"] = f"${{{{ {draw.choice(list(body.nodes))} }}}}"
    return Drawing({key: value for key, value in document.items() if value != {}}, artist.called)


def _lifecycle(artist: Artist, names: list[str]) -> dict[str, Json]:
    """Draw what runs when the run is over."""
    on: dict[str, Json] = {}
    for key in ("success", "failure", "cancel", "always"):
        if artist.chance(0.12):
            values: list[Json] = ["${{ run.status }}", f"${{{{ {artist.draw.choice(names)} }}}}"]
            on[key] = call_of(artist, values)
    return on


def random_blueprint(seed: int, weather: Weather = "storm") -> Blueprint:
    """Draw a blueprint; those that it may call are left out."""
    return read_document(drawing_of(seed, weather).document)


def random_plan(seed: int, weather: Weather = "storm") -> Plan:
    """Draw a blueprint and compile it."""
    return drawing_of(seed, weather).compiled()
