"""Reads any YAML value, within the bounds of ``blueprint.yaml``, and writes one."""

from __future__ import annotations

import yaml as pyyaml

from atomiton.blueprint.emit import block_lines, flow, scalar
from atomiton.blueprint.model import Json
from atomiton.blueprint.scalars import resolve
from atomiton.blueprint.yaml import EMPTY, Builder, decode
from atomiton.errors import BlueprintError


class _ValueBuilder(Builder):
    """Builds whatever stands at the top: also a list, a text or a number."""

    def _refuse_root(self, event: pyyaml.Event) -> None:
        del event

    def _scalar(self, event: pyyaml.ScalarEvent) -> None:
        if self._stack:
            super()._scalar(event)
            return
        if event.tag is not None:
            self._tag(event)
        self.root = event.value
        if event.implicit[0]:
            try:
                self.root = resolve(event.value)
            except ValueError as error:
                self._problem(event, str(error), "put quotes around it if it is text")


def load_value(text: str | bytes) -> Json:
    r"""Read YAML or JSON text of any value; a text without any is null.

    Args:
        text: The text, or its UTF-8 bytes; at most 1 MiB.

    Raises:
        BlueprintError: It is not YAML within the limits; carries every place.

    Example:
        >>> load_value("- no\n- 0x10\n")
        ['no', 16]
    """
    builder = _ValueBuilder(decode(text, "the text"), record=False)
    root = builder.build()
    if builder.problems and builder.problems != [EMPTY]:
        raise BlueprintError(builder.problems)
    return root


def value_to_yaml(value: Json) -> str:
    """Write a value as YAML, which ``load_value`` reads as the same.

    Raises:
        ValueError: It holds what no value can: an integer of more than 64 bits, or half of a
            surrogate pair.

    Example:
        >>> print(value_to_yaml([{"on": "no"}]), end="")
        - {"on": "no"}
    """
    if isinstance(value, dict | list) and value:
        # The path is none that a blueprint has: no key of somebody's data is one of a node.
        return "\n".join(block_lines(value, 0, ("-",))) + "\n"
    return (flow(value) if isinstance(value, dict | list) else scalar(value)) + "\n"
