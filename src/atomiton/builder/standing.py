"""What every traced value is, whatever operators it has."""

from __future__ import annotations

from atomiton.builder.parts import Part


class Standing:
    """Stands for a value that a run will compute, by the expression for it."""

    __slots__ = ("_part",)

    _part: Part

    def __init__(self, part: Part) -> None:
        object.__setattr__(self, "_part", part)


class Ends:
    """What a body gives that names no output: the outputs of its last nodes, by their ids."""


def part_of(value: Standing) -> Part:
    """The expression that a traced value stands for."""
    part: Part = object.__getattribute__(value, "_part")
    return part
