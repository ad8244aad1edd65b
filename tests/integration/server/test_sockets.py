"""Where a server listens: what it takes for its socket, and what it leaves alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from atomiton.conductor.places import main_process
from atomiton.errors import AtomitonError, StoreError, Unavailable
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


async def test_of_two_servers_on_one_socket_the_second_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "s.sock"
    async with serving(tmp_path, uds=place):
        error = await refused(tmp_path, uds=place, store=str(tmp_path / "other.db"))
        assert isinstance(error, Unavailable)
        assert error.message == f"another process listens on {place} already"
    assert main_process(str(tmp_path / "other.db")) is None


async def test_of_two_servers_on_one_store_the_second_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with serving(tmp_path):
        error = await refused(tmp_path)
    assert "another process serves this store already" in error.message


async def test_sockets_that_differ_in_the_end_of_their_names_are_two(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, uds=tmp_path / "s.sock"),
        serving(tmp_path, uds=tmp_path / "s.other", store=str(tmp_path / "other.db")) as other,
    ):
        assert other.socket == tmp_path / "s.other"


async def test_a_path_that_is_too_long_is_told_with_the_bound(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 120)
    error = await refused(tmp_path, uds=place)
    size = len(str(place))
    assert f"the path of a socket has at most 107 bytes, and this has {size}" in error.message
    assert not list(tmp_path.glob("x*"))


async def test_folders_are_made_for_our_own_sockets_only(tmp_path: Path) -> None:
    error = await refused(tmp_path, uds=tmp_path / "nope" / "s.sock")
    assert f"there is no folder {tmp_path / 'nope'}" in error.message
    assert not (tmp_path / "nope").exists()


async def test_clients_find_a_server_wherever_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    store, place = str(tmp_path / "runs.db"), tmp_path / "s.sock"
    async with serving(tmp_path, uds=place):
        assert main_process(store) == f"unix://{place}"
        assert main_process(str(tmp_path / "other.db")) is None
        (tmp_path / "runs.db.server").chmod(0o755)  # others could have written there
        assert main_process(store) is None
        (tmp_path / "runs.db.server").chmod(0o700)
    assert main_process(store) is None
    assert not (tmp_path / "runs.db.server" / "socket").exists()


async def test_what_a_server_that_was_killed_has_left_leads_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    store, place = str(tmp_path / "runs.db"), tmp_path / "s.sock"
    async with serving(tmp_path, uds=place):
        left = (tmp_path / "runs.db.server" / "socket").read_bytes()
    (tmp_path / "runs.db.server" / "socket").write_bytes(left)
    async with serving(tmp_path, uds=place, store=str(tmp_path / "other.db")):
        assert main_process(store) is None
        assert main_process(str(tmp_path / "other.db")) == f"unix://{place}"
    (tmp_path / "runs.db.server" / "socket").write_bytes(b"{")
    assert main_process(store) is None


async def test_another_port_is_advised_only_where_it_would_help(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = await refused(tmp_path, host="127.0.0.1", port=port)
    assert "--port chooses another port" in error.message
    error = await refused(tmp_path, host="999.1.1.1", port=0)
    assert "cannot listen on 999.1.1.1:0" in error.message
    assert "--port" not in error.message
    assert "--host names an address of this machine" in error.message
