"""Requests of nodes that tell which trace they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atomiton.ports.capabilities import Http, HttpResponse


class TracedHttp:
    """``Http`` of one attempt, whose requests carry its place in a trace.

    Args:
        inner: Sends them.
        context: Headers that name the place, in lower case, such as ``traceparent``; those that a
            node sends by itself stand.
    """

    def __init__(self, inner: Http, context: Mapping[str, str]) -> None:
        self._inner = inner
        self._context = context

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = True,
        on_part: Callable[[bytes], None] | None = None,
    ) -> HttpResponse:
        """Send one request; ``NodeError`` with code CONNECTION when there is no answer.

        ``on_part`` is told each part of the answer's body as it comes; the whole of it comes back.
        """
        given = dict(headers or {})
        # Who was written before there were parts need not know of them.
        more = {} if on_part is None else {"on_part": on_part}
        if not self._context.keys() & {name.lower() for name in given}:
            given.update(self._context)
        return await self._inner.request(
            method,
            url,
            headers=given,
            body=body,
            follow_redirects=follow_redirects,
            **more,
        )
