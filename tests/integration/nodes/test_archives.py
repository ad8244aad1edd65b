"""The ``archive`` family on a real disk, and against archives made to do harm."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import archive
from atomiton.nodes.guard.files import FilesGuard

pack, unpack = archive.zip_.function, archive.unzip.function


@pytest.fixture
def disk(tmp_path: Path) -> FilesGuard:
    return FilesGuard([tmp_path], tmp_path)


def archive_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return stream.getvalue()


async def test_folders_are_packed_and_unpacked(tmp_path: Path, disk: FilesGuard) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("a" * 1000)
    (tmp_path / "in" / "deep" / "ä.bin").write_bytes(bytes(range(256)))
    (tmp_path / "b.txt").write_text("b")
    got = await pack("out/x.zip", ["in", "b.txt"], disk=disk)
    assert got["count"] == 3
    assert got["size"] == (tmp_path / "out" / "x.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "out" / "x.zip") as made:
        assert sorted(made.namelist()) == ["b.txt", "in/a.txt", "in/deep/ä.bin"]
        assert made.testzip() is None
    back = await unpack("out/x.zip", "back", disk=disk)
    assert back["size"] == 1000 + 256 + 1
    assert [Path(it).relative_to(tmp_path / "back").as_posix() for it in back["files"]] == [
        "in/a.txt",
        "in/deep/ä.bin",
        "b.txt",
    ]
    assert (tmp_path / "back" / "in" / "deep" / "ä.bin").read_bytes() == bytes(range(256))
    first = (tmp_path / "out" / "x.zip").read_bytes()
    await pack("out/x.zip", ["in", "b.txt"], disk=disk)
    assert (tmp_path / "out" / "x.zip").read_bytes() == first
    with pytest.raises(NodeError, match="exists already"):
        await unpack("out/x.zip", "back", overwrite=False, disk=disk)
    with pytest.raises(NodeError, match="exists already"):
        await pack("out/x.zip", ["in"], overwrite=False, disk=disk)


async def test_an_archive_does_not_hold_itself(tmp_path: Path, disk: FilesGuard) -> None:
    (tmp_path / "a.txt").write_text("a")
    first = await pack("all.zip", ["."], disk=disk)
    again = await pack("all.zip", ["."], disk=disk)
    assert (first["count"], again) == (1, first)


async def test_what_cannot_be_packed(tmp_path: Path, disk: FilesGuard) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text("12345")
    with pytest.raises(NodeError, match="two files would have the name 'x'"):
        await pack("x.zip", ["a/x", "b/x"], disk=disk)
    with pytest.raises(NodeError, match=r"no file '.*none'"):
        await pack("x.zip", ["none"], disk=disk)
    with pytest.raises(NotAllowed):
        await pack("x.zip", ["/etc/hostname"], disk=disk)
    with pytest.raises(NotAllowed):
        await pack("../x.zip", ["a"], disk=disk)
    with pytest.raises(NodeError, match="more than 9 bytes") as caught:
        await pack("x.zip", ["a", "b"], max_bytes=9, disk=disk)
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert not (tmp_path / "x.zip").exists()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [
        ("../evil.txt", "leads out of the folder", "NOT_ALLOWED"),
        ("a/../../evil.txt", "leads out of the folder", "NOT_ALLOWED"),
        ("/tmp/evil.txt", "leads out of the folder", "NOT_ALLOWED"),
        ("..\\evil.txt", "leads out of the folder", "NOT_ALLOWED"),
        ("C:\\evil.txt", "leads out of the folder", "NOT_ALLOWED"),
        (link(), "which is a link", "NOT_ALLOWED"),
    ],
    ids=str,
)
async def test_nothing_leads_out(tmp_path: Path, disk: FilesGuard, name, said, code) -> None:
    (tmp_path / "x.zip").write_bytes(archive_of(("good.txt", b"1"), (name, b"/etc/passwd")))
    with pytest.raises(NodeError, match=said) as caught:
        await unpack("x.zip", "to", disk=disk)
    assert caught.value.code == code
    assert not (tmp_path / "to").exists()  # not even the good file


async def test_an_archive_that_is_too_large_or_lies(tmp_path: Path, disk: FilesGuard) -> None:
    bomb = archive_of(("zeros", bytes(3_000_000)))
    assert len(bomb) < 4000
    (tmp_path / "x.zip").write_bytes(bomb)
    with pytest.raises(NodeError, match="unpacks to 3000000 bytes, more than 1000000"):
        await unpack("x.zip", "to", max_bytes=1_000_000, disk=disk)
    lie = bomb.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10))
    (tmp_path / "x.zip").write_bytes(lie)
    with pytest.raises(NodeError):
        await unpack("x.zip", "to", max_bytes=1_000_000, disk=disk)
    assert not (tmp_path / "to").exists()
    (tmp_path / "x.zip").write_bytes(archive_of(*((f"{n}", b"") for n in range(20))))
    with pytest.raises(NodeError, match="more than 19 files"):
        await unpack("x.zip", "to", max_files=19, disk=disk)


async def test_what_is_no_archive(tmp_path: Path, disk: FilesGuard) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK no zip")
    with pytest.raises(NodeError, match="is not a ZIP file that can be read"):
        await unpack("x.zip", "to", disk=disk)
    damaged = archive_of(("a", b"hello" * 100)).replace(b"hello", b"jello")
    whole = bytearray(archive_of((zipfile.ZipInfo("a"), b"hello")))
    whole[whole.index(b"hello")] ^= 1
    for content in (bytes(whole), damaged[:-30]):
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(NodeError, match="is not a ZIP file that can be read"):
            await unpack("x.zip", "to", disk=disk)
    encrypted = bytearray(archive_of(("a", b"hello")))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        encrypted[encrypted.index(mark) + (6 if mark[2] == 3 else 8)] |= 1
    (tmp_path / "x.zip").write_bytes(bytes(encrypted))
    with pytest.raises(NodeError, match="which is encrypted"):
        await unpack("x.zip", "to", disk=disk)


async def test_a_name_that_is_there_twice(tmp_path: Path, disk: FilesGuard) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive_of(("a", b"1"), ("a", b"2"))
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(NodeError, match="holds 'a' twice"):
        await unpack("x.zip", "to", disk=disk)
