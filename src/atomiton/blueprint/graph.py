"""Questions about a graph of numbered nodes; nothing here recurses."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

#: Most cycles that are told of at once.
MOST = 20


def find_cycles(
    needs: Sequence[Sequence[int]], successors: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Find nodes that wait for each other.

    Args:
        needs: For each node, those it waits for.
        successors: For each node, those that wait for it.

    Returns:
        Cycles that share no node, the first twenty: the nodes of each, each needed by the next.

    Example:
        >>> find_cycles([[1], [0], [2], []], [[1], [0], [2], []])
        [[0, 1], [2]]
    """
    open_ = [len(of) for of in needs]
    found: list[list[int]] = []
    _set_free([number for number, count in enumerate(open_) if not count], successors, open_)
    for number in range(len(needs)):
        while open_[number] and len(found) < MOST:
            cycle = _walk_back(number, needs, open_)
            found.append(cycle)
            for node in cycle:  # as if they had not waited: what else is there?
                open_[node] = 0
            _set_free(cycle, successors, open_)
    return found


def _set_free(
    free: Sequence[int], successors: Sequence[Sequence[int]], open_: MutableSequence[int]
) -> None:
    """Count down what waits for nodes that wait for nothing, and so on."""
    todo = list(free)
    while todo:
        for successor in successors[todo.pop()]:
            if open_[successor]:
                open_[successor] -= 1
                if not open_[successor]:
                    todo.append(successor)


def _walk_back(number: int, needs: Sequence[Sequence[int]], open_: Sequence[int]) -> list[int]:
    """Follow unmet needs backwards from a stuck node until one is met again."""
    seen: dict[int, int] = {}
    walked: list[int] = []
    while number not in seen:
        seen[number] = len(walked)
        walked.append(number)
        number = next(needed for needed in needs[number] if open_[needed])
    cycle = walked[seen[number] :][::-1]
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]
