"""The ``file`` family on a real disk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import file
from atomiton.nodes.guard.files import FilesGuard


@pytest.fixture
def files(tmp_path):
    return FilesGuard(base=tmp_path)


async def test_every_kind_of_content_comes_back(files, tmp_path) -> None:
    written = await file.write("a/b.txt", "grüße\nzwei\n", files=files)
    assert written == {"path": str(tmp_path / "a/b.txt"), "size": 13}
    assert (await file.read("a/b.txt", files=files))["content"] == "grüße\nzwei\n"
    lines = await file.read("a/b.txt", as_="lines", files=files)
    assert lines["content"] == ["grüße", "zwei"]
    value = {"ü": [1, 2.5, None, True]}
    await file.write("c.json", value, files=files)
    assert (await file.read("c.json", as_="json", files=files))["content"] == value
    data = bytes(range(256))
    await file.write("d", data, files=files)
    assert await file.read("d", as_="bytes", files=files) == {
        "content": data,
        "path": str(tmp_path / "d"),
        "size": 256,
    }
    await file.write("empty", "", files=files)
    assert (await file.read("empty", files=files))["content"] == ""
    assert (await file.read("empty", as_="lines", files=files))["content"] == []


async def test_large_files(files) -> None:
    text = "0123456789ü\n" * 400_000
    await file.write("big", text, files=files)
    assert (await file.read("big", files=files))["content"] == text
    assert len((await file.read("big", as_="lines", files=files))["content"]) == 400_000
    assert [line async for line in files.lines("big")][:2] == ["0123456789ü"] * 2


async def test_lines_of_other_systems(files, tmp_path) -> None:
    (tmp_path / "w").write_bytes(b"\xef\xbb\xbfone\r\ntwo\x0bthree\r\n\r\nlast")
    got = (await file.read("w", as_="lines", files=files))["content"]
    assert got == ["one", "two\x0bthree", "", "last"]


async def test_what_is_not_what_it_is_read_as(files, tmp_path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe{")
    with pytest.raises(NodeError, match="not UTF-8"):
        await file.read("x", files=files)
    with pytest.raises(NodeError, match="not JSON"):
        await file.read("x", as_="json", files=files)
    with pytest.raises(NodeError, match="no file 'none'") as caught:
        await file.read("none", files=files)
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(NodeError, match="is a folder"):
        await file.read(".", files=files)
    with pytest.raises(NodeError, match="empty"):
        await file.read("", files=files)
    with pytest.raises(NodeError, match="NUL"):
        await file.read("a\0b", files=files)


async def test_append_and_overwrite(files, tmp_path) -> None:
    await file.write("log", "a", append=True, files=files)
    assert (await file.write("log", "b", append=True, files=files))["size"] == 2
    assert (tmp_path / "log").read_text() == "ab"
    with pytest.raises(NodeError, match="exists already"):
        await file.write("log", "c", overwrite=False, files=files)
    assert (tmp_path / "log").read_text() == "ab"
    await file.write("new", "c", overwrite=False, files=files)
    with pytest.raises(NodeError, match="there is no folder") as caught:
        await file.write("no/such/x", "c", create_folders=False, files=files)
    assert caught.value.code == "NOT_FOUND"
    assert sorted(os.listdir(tmp_path)) == ["log", "new"]


async def test_a_write_that_fails_leaves_the_old_file(files, tmp_path, monkeypatch) -> None:
    await file.write("x", "old", files=files)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NodeError, match="No space left"):
        await file.write("x", "new", files=files)
    assert (tmp_path / "x").read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


async def test_readers_never_see_half_a_file(files, tmp_path) -> None:
    await file.write("x", "0" * 100_000, files=files)
    seen: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            text = (tmp_path / "x").read_text()
            seen.add(text[:1] * (len(text) == 100_000))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for digit in "123456":
            await file.write("x", digit * 100_000, files=files)
    finally:
        stop.set()
        thread.join()
    assert "" not in seen


async def test_writing_keeps_the_mode_and_follows_a_link(files, tmp_path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    target.chmod(0o600)
    (tmp_path / "link").symlink_to(target)
    await file.write("link", "new", files=files)
    assert target.read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600


async def test_list(files, tmp_path) -> None:
    for name in ("b.csv", "a.csv", "ü.txt", "in/c.csv"):
        await file.write(name, "xy", files=files)
    assert [f["name"] for f in file.list_(files=files)["files"]] == [
        "a.csv",
        "b.csv",
        "in",
        "ü.txt",
    ]
    found = file.list_(pattern="*.csv", recursive=True, files=files)
    assert found["count"] == 3
    assert found["files"][2]["path"] == str(tmp_path / "in/c.csv")
    first = found["files"][0]
    assert (first["size"], first["is_folder"], first["modified"][-1]) == (2, False, "Z")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    assert file.list_(recursive=True, files=files)["count"] == 6
    with pytest.raises(NodeError, match="no folder 'none'"):
        file.list_("none", files=files)
    with pytest.raises(NodeError, match="not a folder"):
        file.list_("a.csv", files=files)


async def test_copy_move_delete_exists(files, tmp_path) -> None:
    await file.write("a", "hello", files=files)
    assert file.copy("a", "sub/b", files=files) == {"path": str(tmp_path / "sub/b"), "size": 5}
    assert file.copy("a", "sub", files=files)["path"] == str(tmp_path / "sub/a")
    with pytest.raises(NodeError, match="exists already"):
        file.copy("a", "sub/b", overwrite=False, files=files)
    with pytest.raises(NodeError, match="no file 'none'"):
        file.copy("none", "x", files=files)
    assert file.move("sub/b", "moved/", files=files)["path"] == str(tmp_path / "moved/b")
    # Again, as after a crash: the file is there already.
    assert file.move("sub/b", "moved/b", files=files)["path"] == str(tmp_path / "moved/b")
    with pytest.raises(NodeError, match="exists already"):
        file.move("a", "moved/b", overwrite=False, files=files)
    with pytest.raises(NodeError, match="no file 'none'"):
        file.move("none", "x", files=files)
    assert await file.exists("moved", files=files) == {
        "exists": True,
        "is_folder": True,
        "path": str(tmp_path / "moved"),
    }
    with pytest.raises(NodeError, match="'moved' is not empty: with recursive: true") as caught:
        file.delete("moved", files=files)
    assert (caught.value.code, caught.value.retryable) == ("INVALID_INPUT", False)
    with pytest.raises(NodeError, match="is too long") as caught:
        file.delete("n" * 5000, files=files)
    assert not caught.value.retryable
    assert file.delete("moved", recursive=True, files=files)["deleted"]
    assert not file.delete("moved", files=files)["deleted"]
    with pytest.raises(NodeError, match="no file"):
        file.delete("moved", missing_ok=False, files=files)
    assert not (await file.exists("moved", files=files))["exists"]
    assert sorted(os.listdir(tmp_path)) == ["a", "sub"]


async def test_nothing_leads_out_of_the_roots(tmp_path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x")
    (inside / "link").symlink_to(outside)
    files = FilesGuard(roots=[inside], base=inside)
    await file.write("ok", "x", files=files)
    for path in ("../out/secret", str(outside / "secret"), "link/secret", "a/../../out/secret"):
        with pytest.raises(NotAllowed, match="outside the folders"):
            await file.read(path, files=files)
        with pytest.raises(NotAllowed):
            await file.write(path, "y", files=files)
        with pytest.raises(NotAllowed):
            file.copy("ok", path, files=files)
    with pytest.raises(NotAllowed):
        file.list_("..", files=files)
    assert (outside / "secret").read_text() == "x"
    assert file.list_(files=files)["count"] == 2


async def test_many_at_once(files) -> None:
    await asyncio.gather(*(file.write(f"{n}", str(n), files=files) for n in range(50)))
    got = await asyncio.gather(*(file.read(f"{n}", files=files) for n in range(50)))
    assert [one["content"] for one in got] == [str(n) for n in range(50)]


def test_a_read_that_never_ends_does_not_keep_the_program(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code = (
        "import asyncio, sys\n"
        "from atomiton.nodes.guard.files import FilesGuard\n"
        "async def main():\n"
        "    try:\n"
        "        async with asyncio.timeout(0.2):\n"
        "            await FilesGuard().read(sys.argv[1])\n"
        "    except TimeoutError:\n"
        "        print('in time')\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "pipe")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.stdout == "in time\n", done.stderr


async def test_a_pipe_is_written_to_and_not_replaced(files, tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = asyncio.create_task(asyncio.to_thread(pipe.read_bytes))
    assert (await file.write("pipe", "hello", files=files))["size"] == 5
    assert await reading == b"hello"
    assert pipe.is_fifo()


async def test_a_file_without_an_end_is_not_read_for_ever(files, monkeypatch) -> None:
    monkeypatch.setattr("atomiton.nodes.guard.files.LARGEST", 5_000_000)
    with pytest.raises(NodeError, match="more than") as caught:
        await file.read("/dev/zero", as_="bytes", files=files)
    assert caught.value.code == "LIMIT_EXCEEDED"
