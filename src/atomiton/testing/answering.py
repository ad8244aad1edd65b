"""Somebody who answers what a run waits for: signals are sent to it, approvals are decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.problems import nearest
from atomiton.conductor.conductor import Conductor
from atomiton.conductor.waits import Wait
from atomiton.errors import AtomitonError
from atomiton.testing.replacing import is_called, nodes_of, unnumbered

__all__ = ["Answering", "check_answers"]

#: The kinds of waits that somebody answers.
ASKING = ("signal", "approval")


def check_answers(answers: Mapping[str, object], blueprint: Blueprint) -> None:
    """Refuse an answer to a node that does not ask; ``AtomitonError`` names the nearest that does.

    Args:
        answers: By path.
        blueprint: Whose nodes wait. Nodes of blueprints that it calls are not known here.
    """
    nodes = dict(nodes_of(cast("dict[str, object]", blueprint.document)))
    asking = [path for path, node in nodes.items() if _asks(node)]
    for key in answers:
        path = unnumbered(key)
        if path in asking or is_called(path, nodes):
            continue
        hint = nearest(path, asking)
        hint = f" ({hint})" if hint else f"; it has {', '.join(asking) or 'none'}"
        message = f"answers: the blueprint has no wait for a signal or an approval {key!r}{hint}"
        raise AtomitonError(message, code="UNKNOWN_REFERENCE", details={"answers": key})


def _asks(node: Mapping[str, object]) -> bool:
    wait = node.get("wait")
    return isinstance(wait, dict) and any(kind in wait for kind in ASKING)


class Answering:
    """Answers each wait of a run once, as soon as it is looked at.

    Args:
        conductor: Drives the run.
        answers: By path of the node that waits (``pay``, ``group.pay``, ``orders[0].pay`` for one
            item): what a signal carries; for an approval its fields, True for one without, False
            to deny.
    """

    def __init__(self, conductor: Conductor, answers: Mapping[str, object]) -> None:
        self._conductor = conductor
        self._answers = answers
        self._given: set[tuple[int, int]] = set()

    async def look(self, run: str) -> None:
        """Answer what a run waits for now."""
        if not self._answers:
            return
        for wait in await self._conductor.waits(run):
            place = (wait.frame, wait.number)
            if wait.kind in ASKING and self._known(wait) and place not in self._given:
                self._given.add(place)
                await self._answer(run, wait, self._answers[self._key(wait)])

    def _key(self, wait: Wait) -> str:
        return wait.node if wait.node in self._answers else unnumbered(wait.node)

    def _known(self, wait: Wait) -> bool:
        return self._key(wait) in self._answers

    async def missing(self, run: str) -> str:
        """What a run waits for that nobody answers, in a sentence; empty when that is nothing."""
        waits = await self._conductor.waits(run)
        left = [w for w in waits if w.kind in ASKING and not self._known(w)]
        if not left:
            return ""
        named = ", ".join(
            f"'{w.node}' for " + (f"the signal '{w.signal}'" if w.kind == "signal" else "approval")
            for w in left
        )
        given = ", ".join(f"{w.node!r}: ..." for w in left)
        return f"{named} still waits, and nobody answers: give answers={{{given}}}"

    async def _answer(self, run: str, wait: Wait, answer: object) -> None:
        if wait.kind == "signal":
            await self._conductor.signal(run, wait.signal, answer, by="test")
            return
        fields = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
        approved = answer is not False
        await self._conductor.approve(run, wait.node, approved=approved, by="test", fields=fields)
