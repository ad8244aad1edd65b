"""Telling the event loop that the world outside of it is being waited for."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import cast


def outside() -> AbstractContextManager[object]:
    """Within it, an answer from outside of the event loop is awaited.

    An event loop of virtual time (``testing.VirtualLoop``) must not jump ahead meanwhile; to every
    other loop it means nothing.
    """
    hold = getattr(asyncio.get_running_loop(), "hold", None)
    if hold is None:
        return nullcontext()
    return cast("AbstractContextManager[object]", hold())
