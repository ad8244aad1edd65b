"""Questions about a graph of numbered nodes; nothing here recurses."""

from __future__ import annotations

from collections.abc import Sequence


def find_cycle(needs: Sequence[Sequence[int]], successors: Sequence[Sequence[int]]) -> list[int]:
    """Find nodes that wait for each other.

    Args:
        needs: For each node, those it waits for.
        successors: For each node, those that wait for it.

    Returns:
        The nodes of one cycle, each needed by the next; empty if there is none.

    Example:
        >>> find_cycle([[1], [0]], [[1], [0]])
        [0, 1]
    """
    open_ = [len(of) for of in needs]
    free = [number for number, count in enumerate(open_) if not count]
    done = 0
    while free:
        done += 1
        for successor in successors[free.pop()]:
            open_[successor] -= 1
            if not open_[successor]:
                free.append(successor)
    if done == len(needs):
        return []
    return _walk_back(needs, open_)


def _walk_back(needs: Sequence[Sequence[int]], open_: Sequence[int]) -> list[int]:
    """Follow unmet needs backwards from any stuck node until one is met again."""
    number = next(node for node, count in enumerate(open_) if count)
    seen: dict[int, int] = {}
    walked: list[int] = []
    while number not in seen:
        seen[number] = len(walked)
        walked.append(number)
        number = next(needed for needed in needs[number] if open_[needed])
    cycle = walked[seen[number] :][::-1]
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]
