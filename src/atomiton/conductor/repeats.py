"""Wishes that are sent again, because nobody knew whether they had come in: done once."""

from __future__ import annotations

from collections.abc import Iterable

from atomiton.machine.events import Event


def key_of(event: Event) -> str:
    """What names a wish; empty when nothing does, so that every sending of it counts.

    Example:
        >>> from atomiton.machine.events import Paused, SignalReceived
        >>> key_of(SignalReceived(0.0, "paid", key="order-17")), key_of(Paused(0.0))
        ('order-17', '')
    """
    key: object = getattr(event, "key", "")
    return key if isinstance(key, str) else ""


def was_told(facts: Iterable[Event], kind: type[Event], key: str) -> bool:
    """Whether a wish of a kind is among the facts under a key already."""
    return any(type(fact) is kind and key_of(fact) == key for fact in facts)
