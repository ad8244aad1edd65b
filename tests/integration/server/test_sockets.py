"""Where a server listens: what it takes for its socket, and what it leaves alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from atomiton.errors import AtomitonError, StoreError
from atomiton.server.serve import Serving, Settings, serve


@asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncIterator[Serving]:
    """A server on real sockets, in this event loop; without a port unless it is given one."""
    stop = asyncio.Event()
    ready: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
    settings = {"store": str(folder / "runs.db"), "host": None, "folder": folder, **settings}
    task = asyncio.create_task(serve(Settings(drain=0.5, **settings), ready.set_result, stop))
    await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            await task
        yield ready.result()
    finally:
        stop.set()
        if not task.done():
            await task


async def refused(folder: Path, **settings: Any) -> AtomitonError:
    """What a server says that cannot start."""
    with pytest.raises(AtomitonError) as caught:
        async with serving(folder, **settings):
            pass
    return caught.value


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.db"
    precious.write_text("all I have")
    error = await refused(tmp_path, uds=precious)
    assert isinstance(error, StoreError)
    assert str(precious) in error.message
    assert "is no socket" in error.message
    assert precious.read_text() == "all I have"
    assert sorted(of.name for of in tmp_path.glob("precious*")) == ["precious.db"]


async def test_what_has_taken_the_place_of_a_socket_is_left_alone_at_the_end(
    tmp_path: Path,
) -> None:
    place = tmp_path / "s.sock"
    async with serving(tmp_path, uds=place):
        place.unlink()
        place.write_text("all I have")
    assert place.read_text() == "all I have"


async def test_a_socket_that_is_left_over_is_used_again(tmp_path: Path) -> None:
    place = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    async with serving(tmp_path, uds=place) as server:
        assert server.socket == place
        _, writer = await asyncio.open_unix_connection(str(place))
        writer.close()
        await writer.wait_closed()
    assert not place.exists()
