"""From a path to its route: by its parts, without trying one route after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """What a path leads to.

    Attributes:
        target: What was put there.
        params: Parts of the path, by name.
    """

    target: T
    params: dict[str, str]


class _Place(Generic[T]):
    """What begins with the same parts."""

    def __init__(self) -> None:
        self.named: dict[str, _Place[T]] = {}
        self.any: _Place[T] | None = None
        #: By method: what it leads to, and the names of the parts that are parameters.
        self.targets: dict[str, tuple[T, list[str]]] = {}


class Router(Generic[T]):
    """Finds what stands at a path.

    Args:
        routes: Method, template such as ``/api/v1/runs/{run}``, and what stands there.

    Example:
        >>> router = Router([("GET", "/runs/{run}", "show"), ("GET", "/runs/new", "form")])
        >>> router.find("GET", "/runs/7"), router.find("GET", "/runs/new").target
        (Found(target='show', params={'run': '7'}), 'form')
        >>> router.find("GET", "/nowhere"), router.methods("/runs/7")
        (None, ['GET'])
    """

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Place[T] = _Place()
        for method, template, target in routes:
            place, names = self._root, list[str]()
            for part in template.split("/")[1:]:
                if part.startswith("{"):
                    names.append(part[1:-1])
                    place.any = place.any or _Place()
                    place = place.any
                else:
                    place = place.named.setdefault(part, _Place())
            place.targets[method] = (target, names)

    def find(self, method: str, path: str) -> Found[T] | None:
        """Give what a path leads to; None if nothing does."""
        place, values = self._place(path)
        found = None if place is None else place.targets.get(method)
        return None if found is None else Found(found[0], dict(zip(found[1], values, strict=True)))

    def methods(self, path: str) -> list[str]:
        """Give the methods that a path takes, sorted; none if there is nothing."""
        place, _ = self._place(path)
        return [] if place is None else sorted(place.targets)

    def _place(self, path: str) -> tuple[_Place[T] | None, list[str]]:
        place: _Place[T] | None = self._root
        values: list[str] = []
        for part in path.split("/")[1:]:
            if place is None:
                break
            named = place.named.get(part)
            if named is None and part:
                named = place.any
                values.append(part)
            place = named
        return place, values
