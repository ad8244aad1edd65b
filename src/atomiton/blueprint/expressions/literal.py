"""Constants as expressions have them."""

from __future__ import annotations

import json
import re
from typing import Final

_SIMPLE: Final = re.compile(r"[^'\\\x00-\x1f\x7f]*")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


def text_literal(text: str) -> str:
    """Write a text as a constant of an expression: in single quotes where that needs no escapes.

    Example:
        >>> print(text_literal("a b"), text_literal("it's"))
        'a b' "it's"
    """
    if _SIMPLE.fullmatch(text):
        return f"'{text}'"  # YAML in double quotes need not escape it
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
