"""Requests that are sent again under the same key: answered as they were, and done once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from atomiton.server.problems import Refusal

if TYPE_CHECKING:
    from atomiton.server.app import Answer

#: How many answers are kept.
KEPT = 10_000
#: Bytes of an answer that is kept; larger ones are worked out anew.
LARGEST = 64 * 1024


class Replays:
    """Answers by key, the latest ones; a request that is still at work is waited for.

    After a restart they are gone: runs, signals, steps and answers are then known by the key that
    stands in the journal.
    """

    def __init__(self, keep: int = KEPT) -> None:
        self._keep = keep
        self._known: OrderedDict[tuple[str, str], tuple[bytes, asyncio.Future[Answer]]]
        self._known = OrderedDict()

    async def once(
        self,
        key: tuple[str, str],
        asked: str,
        body: bytes,
        work: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """Do some work, or give the answer that it has had under this key.

        Args:
            key: Who asks, and the key.
            asked: What was asked, besides the body.
            body: What was sent.
            work: Answers; what is the server's fault is not kept.

        Raises:
            Refusal: Something else was asked under the key before.
        """
        print_ = sha256(asked.encode("utf-8", "replace") + b"\0" + body).digest()
        known = self._known.get(key)
        if known is not None:
            if known[0] != print_:
                message = "this Idempotency-Key was used for another request"
                raise Refusal(422, message, "CONFLICT")
            return await asyncio.shield(known[1])
        future: asyncio.Future[Answer] = asyncio.ensure_future(_run(work))
        self._known[key] = (print_, future)
        try:
            answer = await asyncio.shield(future)
        except BaseException:
            self._known.pop(key, None)
            raise
        if answer.status >= 500 or len(answer.body) > LARGEST:
            self._known.pop(key, None)
        while len(self._known) > self._keep:
            self._known.popitem(last=False)
        return answer


async def _run(work: Callable[[], Awaitable[Answer]]) -> Answer:
    return await work()
