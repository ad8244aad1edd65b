"""Effects as lines of JSON: what a node asked of the world, and what the world answered."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar, cast
from urllib.parse import quote, quote_plus

import msgspec

from atomiton.drivers.answers import without_secrets
from atomiton.errors import AtomitonError, NodeError

T = TypeVar("T")
Data = dict[str, object]

#: First line of a tape: its format.
HEADER = {"atomiton_effects": 1}
#: Headers that are never written down, whatever they hold.
SECRET_HEADERS = frozenset(
    {
        *("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"),
        # Of signed messages: made of the id of the run, which is another when it is played back.
        *("webhook-id", "webhook-signature"),
    }
)
BLOT = "***"


class Effect(msgspec.Struct, omit_defaults=True):
    """One effect.

    Attributes:
        node: Path of the node.
        attempt: Number of its attempt.
        effect: Capability and method, such as ``http.request``.
        ask: What was asked.
        answer: What was answered.
        error: What was raised instead: ``code``, ``message``, ``retryable``, ``details``.
        cancelled: Whether the node was stopped before there was an answer.
        line: Line of the tape, from 1.
    """

    node: str
    attempt: int
    effect: str
    ask: Data
    answer: object = None
    error: Data | None = None
    cancelled: bool = False
    line: int = 0


class Deck(Protocol):
    """What effects go through for one attempt of a node: it records them, or plays them back."""

    async def effect(
        self,
        name: str,
        ask: Data,
        real: Callable[[], Awaitable[T]],
        pack: Callable[[T], object],
        unpack: Callable[[object], T],
    ) -> T:
        """Have an effect, or its recorded answer."""
        ...

    def effect_now(
        self,
        name: str,
        ask: Data,
        real: Callable[[], T],
        pack: Callable[[T], object],
        unpack: Callable[[object], T],
    ) -> T:
        """The same for what is not asynchronous."""
        ...


#: Gives the real capability; only called where it is needed.
Real = Callable[[], object]


class Taped:
    """A capability whose effects go through a deck.

    Args:
        deck: Records them, or plays them back.
        real: Gives the real one.
    """

    def __init__(self, deck: Deck, real: Real) -> None:
        self.deck = deck
        self.real = real


def to_line(effect: Effect) -> str:
    """An effect as one line, keys in a fixed order."""
    data = cast("Data", msgspec.to_builtins(effect))
    data.pop("line", None)
    return json.dumps(data, ensure_ascii=False) + "\n"


def read_tape(path: Path) -> list[Effect]:
    """Read a tape.

    Raises:
        AtomitonError: There is none, or a line is not an effect; it names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AtomitonError(f"{path}: {error.strerror}", code="NOT_FOUND") from error
    effects: list[Effect] = []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            if number == 1:
                if json.loads(text) != HEADER:
                    raise ValueError("the first line is not that of a record of effects")
                continue
            effect = msgspec.json.decode(text, type=Effect)
        except (ValueError, msgspec.MsgspecError) as error:
            message = f"{path}:{number}: {error}"
            raise AtomitonError(message, code="INVALID_INPUT") from error
        effect.line = number
        effects.append(effect)
    return effects


def pack_bytes(content: bytes | None) -> object:
    r"""Bytes as JSON: their text if they are text, else Base64.

    Example:
        >>> pack_bytes(b"hi"), pack_bytes(b"\xff")
        ({'text': 'hi'}, {'base64': '/w=='})
    """
    if content is None:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    return {"text": text}


def unpack_bytes(packed: object) -> bytes:
    """The bytes again."""
    data = cast("Mapping[str, str]", packed or {"text": ""})
    return data["text"].encode() if "text" in data else base64.b64decode(data["base64"])


def pack_path(path: Path) -> str:
    """A path, relative to the current folder where it lies in it: tapes are shared."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def pack_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Headers with lower-case names, without those that are secret by their name."""
    return {
        name.lower(): BLOT if name.lower() in SECRET_HEADERS else value
        for name, value in sorted((headers or {}).items())
    }


def blotted(value: object, secrets: object) -> object:
    """A JSON value in which the values of secrets are blotted out, also as they stand in a URL."""
    if not isinstance(secrets, Mapping):
        return value
    known = [str(it) for it in cast("Mapping[str, object]", secrets).values()]
    forms = {
        f for text in known for f in (text, quote(text, safe=""), quote_plus(text), _json(text))
    }
    return _blotted(value, {form: form for form in forms}) if known else value


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _blotted(value: object, forms: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return without_secrets(value, dict(forms))
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        if value.keys() == {"base64"}:
            content = unpack_bytes(cast("object", value))
            for form in forms:
                content = content.replace(form.encode(), BLOT.encode())
            return pack_bytes(content)
        return {without_secrets(key, dict(forms)): _blotted(it, forms) for key, it in items}
    if isinstance(value, list):
        return [_blotted(it, forms) for it in cast("list[object]", value)]
    return value


def pack_error(error: NodeError) -> Data:
    """An error as JSON."""
    packed: Data = {"code": error.code, "message": error.message, "retryable": error.retryable}
    if error.details:
        packed["details"] = error.details
    return packed


def unpack_error(packed: Mapping[str, object]) -> NodeError:
    """The error again."""
    return NodeError(
        str(packed.get("message", "")),
        code=str(packed.get("code", "NODE_FAILED")),
        retryable=bool(packed.get("retryable")),
        details=cast("Mapping[str, object] | None", packed.get("details")),
    )
