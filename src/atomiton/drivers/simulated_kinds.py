"""What a node of a random document does: calls, waits, branches, groups, repeats, policies."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from atomiton.blueprint.model import Json
from atomiton.drivers.simulated_documents import ROUTES, Artist, DrawnBody, DrawnNode, Place
from atomiton.drivers.simulated_world import START

EFFECTS = ("pure", "idempotent", "once")
_FALLBACKS: tuple[Json, ...] = ({"value": {"value": 5}}, "continue")

#: How often each is drawn.
_SHARES = (
    ("uses", 50), ("pause", 6), ("signal", 6), ("rivals", 2), ("approval", 4), ("branch", 8),
    ("group", 9), ("map", 11), ("loop", 8), ("merge", 8), ("handled", 6), ("settled", 6),
    ("call", 4),
)  # fmt: skip
_NAMES, _WEIGHTS = zip(*_SHARES, strict=True)
DEEPEST = 2


def draw_body(artist: Artist, place: Place, size: int) -> DrawnBody:
    """Draw a body of at most so many nodes, and at least one."""
    body = DrawnBody(place)
    before = artist.left
    while not body.nodes or (artist.left > 0 and before - artist.left < size):
        kind = artist.draw.choices(_NAMES, _WEIGHTS)[0]
        if place.depth >= DEEPEST and kind in ("group", "call"):
            kind = "uses"
        _DRAWERS[kind](artist, body)
    return body


def _uses(artist: Artist, body: DrawnBody) -> None:
    name, needs = artist.name("n"), artist.needs(body)
    node = call_of(artist, artist.values(body, needs))
    if artist.chance(0.15) and body.routes:
        needs.append(artist.draw.choice(body.routes))
    _more(artist, body, name, node, needs)
    artist.add(body, name, node, needs, number=True)


def call_of(artist: Artist, values: list[Json]) -> DrawnNode:
    """Draw a node that calls a node type."""
    artist.left -= 1
    node: DrawnNode = {"uses": f"sim.{artist.draw.choice(EFFECTS)}"}
    if values:
        node["with"] = {"values": values}
    return node


def _more(artist: Artist, body: DrawnBody, name: str, node: DrawnNode, needs: list[str]) -> None:
    """Draw what any node may have: a condition, policies, a compensation, a join."""
    draw = artist.draw
    if artist.chance(0.15):
        node["if"] = artist.condition(body, needs)
    if artist.chance(0.03):
        node["enabled"] = False
    if len(needs) > 1 and artist.chance(0.3):
        # Which are the first depends on how long they take.
        timed: list[Json] = ["first", {"at_least": 2}]
        joins: list[Json] = ["any", *([] if artist.calm else timed)]
        node["join"] = draw.choice(joins)
    if artist.chance(0.2):
        node["on_error"] = draw.choice(_FALLBACKS)
    node["weight"] = draw.choice((1, 1, 0, 3.5))
    _policies(artist, node)
    if body.place.undo and artist.chance(0.5 if artist.weather == "file" else 0.35):
        node["compensate"] = _compensation(artist, name)


def _policies(artist: Artist, node: DrawnNode) -> None:
    """Draw how often and how long a node may try."""
    draw = artist.draw
    repeated, body = "map" in node or "loop" in node, "nodes" in node or "call" in node
    if artist.chance(0.25 if body else 0.6):
        node["retry"] = _retry(artist)
    if artist.chance(0.25) and not (body and artist.calm):
        # Calm nodes end long before their time, or long after.
        node["timeout"] = 5 if artist.calm else draw.choice((1, 5, 20) if body else (1, 5))
    if artist.chance(0.12) and not artist.calm:
        node["deadline"] = draw.choice((4, 20)) if repeated or body else draw.choice((1, 6))


def _retry(artist: Artist) -> dict[str, Json]:
    draw = artist.draw
    rule: dict[str, Json] = {
        "attempts": draw.randint(1, 4),
        "delay": draw.choice((0, 0.5, 1, 4)),
        "factor": draw.choice((1, 2, 3)),
        "max_delay": draw.choice((2, 60)),
        "jitter": draw.choice((0, 0.1, 1)),
    }
    if artist.chance(0.15):
        rule["on"] = ["FLAKY", "NOT_FOUND"] if artist.calm else ["FLAKY", "ATTEMPT_LOST", "TIMEOUT"]
    if artist.chance(0.1):
        rule["not_on"] = ["NODE_FAILED"]
    return rule


def _compensation(artist: Artist, name: str) -> DrawnNode:
    """Draw what undoes the node of a name; it costs nothing of what may still be drawn."""
    left = artist.left
    undo = call_of(artist, [f"${{{{ {name} }}}}"] if artist.chance(0.6) else [])
    if artist.chance(0.15):
        inner: dict[str, Json] = {artist.name("u"): undo}
        if artist.chance(0.5):
            needs: list[Json] = [*inner]
            inner[artist.name("u")] = {**call_of(artist, []), "needs": needs}
        undo = DrawnNode(nodes=inner)
    elif artist.chance(0.05):
        undo = DrawnNode(wait={"for": 1})
    artist.left = left
    if "wait" not in undo and artist.chance(0.5):
        undo["retry"] = _retry(artist)
    if "wait" not in undo and "nodes" not in undo and artist.chance(0.2):
        undo["timeout"] = 5
    if artist.chance(0.3):
        undo["when_failed"] = True
    return undo


# -- waiting ---------------------------------------------------------------------------------------


def _pause(artist: Artist, body: DrawnBody) -> None:
    draw = artist.draw
    artist.left -= 1
    if artist.chance(0.3):
        node: DrawnNode = {"wait": {"until": str(START + draw.choice((-5.0, 0.0, 3.0, 20.0)))}}
    else:
        node = {"wait": {"for": draw.choice((0, 1, 5, "${{ 2 + 1 }}"))}}
    needs = artist.needs(body)
    artist.add(body, artist.name("w"), node, needs)


def _signal(artist: Artist, body: DrawnBody) -> None:
    draw, place = artist.draw, body.place
    if artist.calm and place.parallel:
        return  # who takes which of several signals depends on who comes first
    artist.left -= 1
    name = artist.name("s")
    manner = draw.choice(("early", "late", "late", "never"))
    if artist.calm and not place.once:
        manner = draw.choice(("late", "never"))
    # In a storm several wait for the same.
    wait: dict[str, Json] = {"signal": f"{manner}_{name if artist.calm else 'x'}"}
    if not artist.calm and artist.chance(0.4):
        wait["match"] = "payload.value % 2 == 0"
    if manner == "never" or (not artist.calm and artist.chance(0.4)):
        wait["timeout"] = draw.choice((2, 30))
    node: DrawnNode = {"wait": wait}
    _may_fail(artist, node)
    artist.add(body, name, node, artist.needs(body), number=not artist.calm or manner != "never")


def _rivals(artist: Artist, body: DrawnBody) -> None:
    """Several that wait for the same signal, one after the other or at once."""
    if artist.calm:
        return
    for _ in range(artist.draw.randint(2, 3)):
        artist.left -= 1
        wait: dict[str, Json] = {"signal": "late_x"}
        if artist.chance(0.3):
            wait["match"] = "payload.value % 2 == 0"
        artist.add(body, artist.name("s"), {"wait": wait}, artist.needs(body, most=1), number=True)


def _approval(artist: Artist, body: DrawnBody) -> None:
    artist.left -= 1
    manner = artist.draw.choice(("yes", "no", "maybe", "never"))
    wait: dict[str, Json] = {"approval": {"title": manner}}
    if manner == "never" or (not artist.calm and artist.chance(0.4)):
        wait["timeout"] = artist.draw.choice((2, 30))
    node: DrawnNode = {"wait": wait}
    _may_fail(artist, node)
    needs = artist.needs(body)
    name = artist.name("a")
    artist.add(body, name, node, needs)
    if artist.chance(0.5):
        after = call_of(artist, [])
        after["if"] = f"{name}.approved"
        artist.add(body, artist.name("n"), after, [name], number=True)


def _may_fail(artist: Artist, node: DrawnNode) -> None:
    if artist.chance(0.4):
        node["on_error"] = artist.draw.choice(_FALLBACKS)


# -- routes ----------------------------------------------------------------------------------------


def _branch(artist: Artist, body: DrawnBody) -> None:
    needs = artist.needs(body, most=1)
    _add_branch(artist, body, needs)


def _add_branch(artist: Artist, body: DrawnBody, needs: list[str]) -> tuple[str, list[str]]:
    routes: list[str] = list(ROUTES[: artist.draw.randint(1, 3)])
    conditions: dict[str, Json] = {route: artist.condition(body, needs) for route in routes}
    if artist.chance(0.6):
        conditions[routes[-1]] = "else"
    node: DrawnNode = {"branch": conditions}
    if artist.chance(0.25):
        node["mode"] = "all"
    name = artist.name("b")
    artist.add(body, name, node, needs)
    body.routes.extend(f"{name}.{route}" for route in routes)
    return name, routes


def _merge(artist: Artist, body: DrawnBody) -> None:
    """A branch, a node or a further branch on each route, and a node that they come to."""
    ends, name = _ends(artist, body), artist.name("n")
    apart = ends.pop() if len(ends) > 2 and artist.chance(0.3) else None
    if artist.chance(0.1 if apart is None else 0.5):
        ends += _ends(artist, body)
    together = call_of(artist, [f"${{{{ {end} }}}}" for end in ends if artist.chance(0.6)])
    if artist.chance(0.2):
        together["join"] = "any"
    elif artist.chance(0.1):
        together["join"] = "settled"
    artist.add(body, name, together, ends, number=True)
    if apart is not None:
        last = call_of(artist, [f"${{{{ {name} }}}}"])
        artist.add(body, artist.name("n"), last, [name, apart], number=True)


def _ends(artist: Artist, body: DrawnBody) -> list[str]:
    """Draw a branch, and what lies on its routes; the last node of each."""
    branch, routes = _add_branch(artist, body, artist.needs(body, most=1))
    ends: list[str] = []
    for route in routes:
        need = f"{branch}.{route}"
        if artist.chance(0.2) and artist.left > 3:
            inner, others = _add_branch(artist, body, [need])
            ends += [_on_route(artist, body, f"{inner}.{other}") for other in others]
        else:
            ends.append(_on_route(artist, body, need))
    return ends


def _on_route(artist: Artist, body: DrawnBody, need: str) -> str:
    name, needs = artist.name("n"), [need]
    node = call_of(artist, [])
    if artist.chance(0.2) and body.nodes:
        looked_at = artist.draw.choice(list(body.nodes))
        node["if"] = f"nodes.{looked_at}.status != 'none'"
    elif artist.chance(0.1):
        node["if"] = artist.condition(body, needs)
    if artist.chance(0.3):
        _more(artist, body, name, node, needs)
    artist.add(body, name, node, needs, number=True)
    return name


def _handled(artist: Artist, body: DrawnBody) -> None:
    """A node whose failure another one handles, and one that both come to."""
    needs = artist.needs(body)
    node = call_of(artist, artist.values(body, needs))
    name, handler = artist.name("n"), artist.name("n")
    _more(artist, body, name, node, needs)
    node.pop("on_error", None)
    node.pop("enabled", None)
    if artist.chance(0.3):
        _repeat(artist, body, node)
    elif artist.chance(0.3) and body.place.depth < DEEPEST:
        node = _bodied(artist, body, node, needs)
    artist.add(body, name, node, needs)
    body.routes.append(f"{name}.error")
    error = [f"${{{{ nodes.{name}.error.code }}}}"] if artist.weather != "calm" else []
    artist.add(body, handler, call_of(artist, [*error]), [f"{name}.error"], number=True)
    if artist.chance(0.5):
        together = call_of(artist, [f"${{{{ {handler} }}}}"])
        artist.add(body, artist.name("n"), together, [name, handler], number=True)


def _settled(artist: Artist, body: DrawnBody) -> None:
    """A node that cleans up."""
    names = list(body.nodes)
    if not names:
        return
    needs = artist.draw.sample(names, min(artist.draw.randint(1, 3), len(names)))
    name, node = artist.name("c"), call_of(artist, artist.values(body, needs, "settled"))
    _policies(artist, node)
    if artist.chance(0.15) and body.place.depth < DEEPEST:
        node = _bodied(artist, body, node, needs, undo=not artist.calm)
    elif artist.chance(0.1):
        node = DrawnNode(wait={"for": 1})
    elif artist.chance(0.2) and not artist.calm:
        node["compensate"] = _compensation(artist, name)
    node["join"] = "settled"
    artist.add(body, name, node, needs)


# -- bodies ----------------------------------------------------------------------------------------


def _inside(
    artist: Artist, body: DrawnBody, node: DrawnNode, needs: list[str], *, undo: bool = True
) -> Place:
    """Where the nodes inside of a node stand."""
    place = body.place
    seen = list(artist.seen_from(body, needs))
    if "map" in node:
        seen += [str(node.get("as", "item")), "index"]
    if "loop" in node:
        seen += ["acc", "index"]
    repeated = "map" in node or "loop" in node
    many = "map" in node and node.get("concurrency") != 1
    return Place(
        seen=tuple(seen),
        depth=place.depth + 1,
        file=artist.calm,
        once=place.once and not repeated and "retry" not in node,
        parallel=place.parallel or many,
        undo=place.undo and undo,
    )


def _bodied(
    artist: Artist, body: DrawnBody, node: DrawnNode, needs: list[str], *, undo: bool = True
) -> DrawnNode:
    """Put a body into a node in the place of its call."""
    node = {key: value for key, value in node.items() if key not in ("uses", "with")}
    if artist.calm:
        node.pop("timeout", None)
    place = _inside(artist, body, node, needs, undo=undo)
    inner = draw_body(artist, place, artist.draw.randint(1, 4))
    node["nodes"] = inner.nodes
    if artist.chance(0.3):
        node["output"] = f"${{{{ {artist.draw.choice(list(inner.nodes))} }}}}"
    if not artist.calm and artist.chance(0.25):
        node["race"] = True
    return node


def _group(artist: Artist, body: DrawnBody) -> None:
    name, needs = artist.name("g"), artist.needs(body)
    node: DrawnNode = {"nodes": {}}
    if artist.chance(0.25):
        _repeat(artist, body, node)
    _more(artist, body, name, node, needs)
    node = _bodied(artist, body, node, needs)
    artist.add(body, name, node, needs)


def _call(artist: Artist, body: DrawnBody) -> None:
    """A blueprint that is called, and sees nothing of who calls it but its inputs."""
    needs = artist.needs(body)
    name, node = artist.name("k"), DrawnNode(call="called")
    if artist.chance(0.2):
        _repeat(artist, body, node)
    _more(artist, body, name, node, needs)
    inside = _inside(artist, body, node, needs)
    place = msgspec.structs.replace(inside, seen=("inputs.x",))
    inner = draw_body(artist, place, artist.draw.randint(1, 3))
    document = artist.document(inner.nodes, f"called-{name}")
    document["inputs"] = {"x": {"type": "integer", "default": 7}}
    if artist.chance(0.3) and not artist.calm:
        document["limits"] = {"timeout": 20}
    node["call"] = f"called-{name}"
    artist.called[f"called-{name}"] = document
    known = [need for need in needs if need in body.numbers]
    if known and artist.chance(0.6):
        node["with"] = {"x": f"${{{{ {known[0]}.value }}}}"}
    artist.add(body, name, node, needs)


# -- repeats ---------------------------------------------------------------------------------------


def _repeat(artist: Artist, body: DrawnBody, node: DrawnNode) -> None:
    """Let a node run for each item, or turn after turn."""
    if artist.chance(0.6):
        _over_items(artist, body, node)
    else:
        _in_turns(artist, node)


def _over_items(artist: Artist, body: DrawnBody, node: DrawnNode) -> None:
    draw = artist.draw
    lists: list[Json] = [[], [1], [3, 1, 2], [4, 5, 6, 7], {"a": 1, "b": 2}, "${{ [8, 9] }}"]
    node["map"] = draw.choice(lists)
    if artist.chance(0.3):
        node["as"] = artist.name("it")
    single = body.place.file
    if single or artist.chance(0.6):
        node["concurrency"] = 1 if single else draw.choice((1, 2, 3))
    policy = draw.choice((None, "fail", "collect", "skip"))
    if policy is not None:
        node["on_item_error"] = policy
    item = str(node.get("as", "item"))
    _give(artist, node, item)


def _in_turns(artist: Artist, node: DrawnNode) -> None:
    draw = artist.draw
    body = "nodes" in node or "call" in node
    conditions = ["index < 2", "index < 0", "true"]
    conditions += [] if body else ["acc.value % 4 != 0"]
    ways: list[dict[str, Json]] = [
        {"times": draw.choice((0, 1, 3))},
        {"times": "1 + 1"},
        {"while": draw.choice(conditions)},
        {"until": draw.choice(("index >= 1", "acc != null", *conditions[2:]))},
    ]
    loop = draw.choice(ways)
    loop["start"] = {"value": draw.choice((4, 5, 6))}
    if "times" not in loop or artist.chance(0.2):
        loop["max"] = draw.choice((2, 3, 4))
    if artist.chance(0.3):
        loop["delay"] = 0.5
    node["loop"] = loop
    _give(artist, node, draw.choice(("acc", "index")))


def _give(artist: Artist, node: DrawnNode, name: str) -> None:
    """Let a repeated call see its item or its turn."""
    if "uses" in node and artist.chance(0.7):
        given = node.get("with")
        values = given.get("values") if isinstance(given, dict) else None
        before = values if isinstance(values, list) else []
        node["with"] = {"values": [*before, f"${{{{ {name} }}}}"]}


def _map(artist: Artist, body: DrawnBody) -> None:
    name, needs = artist.name("m"), artist.needs(body)
    node = call_of(artist, artist.values(body, needs))
    _over_items(artist, body, node)
    _more(artist, body, name, node, needs)
    lists = [need for need in needs if need.startswith("m")]
    if lists and artist.chance(0.6):
        node["map"] = f"${{{{ {lists[0]} }}}}"
    artist.add(body, name, node, needs)


def _loop(artist: Artist, body: DrawnBody) -> None:
    name, needs = artist.name("l"), artist.needs(body)
    node = call_of(artist, artist.values(body, needs))
    _in_turns(artist, node)
    _more(artist, body, name, node, needs)
    artist.add(body, name, node, needs)


_DRAWERS: dict[str, Callable[[Artist, DrawnBody], None]] = {
    "uses": _uses,
    "pause": _pause,
    "signal": _signal,
    "rivals": _rivals,
    "approval": _approval,
    "branch": _branch,
    "merge": _merge,
    "handled": _handled,
    "settled": _settled,
    "group": _group,
    "call": _call,
    "map": _map,
    "loop": _loop,
}
