"""The ``sftp`` family with a real SSH server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.integration.nodes.ssh import Here, serving

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import sftp as family
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.sftp import SftpGuard


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    (tmp_path / "remote").mkdir()
    async with serving(tmp_path / "remote") as made:
        yield made


@pytest.fixture
def ask(here: Here, tmp_path: Path) -> Any:
    files = FilesGuard([tmp_path], tmp_path)

    async def call(name: str, *given: Any, **more: Any) -> Any:
        how = {"username": "ada", "host_key": here.key, "password": "geheim"} | more
        how.setdefault("sftp", SftpGuard())
        if name != "list_":
            how["files"] = files
        server = how.pop("server", here.server)
        first = (server, how.pop("username"), how.pop("host_key"))
        return await getattr(family, name).function(*first, *given, **how)

    return call


async def test_files_go_there_and_back(ask: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "in.bin").write_bytes(content)
    put = await ask("put", "ü.bin", path="in.bin")
    assert put == {"remote": "ü.bin", "size": len(content)}
    assert [path.name for path in (tmp_path / "remote").iterdir()] == ["ü.bin"]
    assert (tmp_path / "remote" / "ü.bin").read_bytes() == content
    assert (await ask("get", "ü.bin"))["content"] == content
    got = await ask("get", "ü.bin", path="out/x.bin")
    assert (got["content"], got["size"]) == (None, len(content))
    assert (tmp_path / "out" / "x.bin").read_bytes() == content
    await ask("put", "ü.bin", {"n": 1})
    assert (await ask("get", "ü.bin"))["content"] == b'{\n  "n": 1\n}\n'
    with pytest.raises(NodeError, match="exists already"):
        await ask("put", "ü.bin", "x", overwrite=False)
    await ask("put", "new.txt", "x", overwrite=False)
    assert sorted(path.name for path in (tmp_path / "remote").iterdir()) == ["new.txt", "ü.bin"]


async def test_folders_are_listed(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "remote" / "sub").mkdir()
    (tmp_path / "remote" / "a.txt").write_text("abc")
    got = await ask("list_")
    assert [(one["name"], one["size"], one["is_folder"]) for one in got["files"]] == [
        ("a.txt", 3, False),
        ("sub", 0, True),
    ]
    assert got["files"][0]["modified"].endswith("Z")
    assert (await ask("list_", "sub"))["count"] == 0


async def test_a_key_lets_us_in(ask: Any, here: Here) -> None:
    assert (await ask("list_", password=None, private_key=here.private))["count"] == 0
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(NodeError, match="refused the credentials of 'ada'"):
        await ask("list_", password=None, private_key=other)


@pytest.mark.parametrize(
    ("more", "said", "code"),
    [
        ({"password": "falsch"}, "refused the credentials", "AUTHENTICATION"),
        ({"server": "127.0.0.1:1"}, "127.0.0.1:1", "CONNECTION"),
        ({"server": "a/b"}, "not a machine", "INVALID_INPUT"),
        ({"server": "a:x"}, "not a machine", "INVALID_INPUT"),
        ({"host_key": "ssh-ed25519 AAAA"}, "not the public key of a server", "INVALID_INPUT"),
        ({"password": None}, "give password or private_key", "INVALID_INPUT"),
        ({"private_key": "geheim"}, "not a private key", "INVALID_INPUT"),
        ({"sftp": SftpGuard(Reach(public_only=True))}, "lets no request go there", "NOT_ALLOWED"),
    ],
)
async def test_who_does_not_get_in(ask: Any, more, said: str, code: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await ask("list_", **more)
    assert caught.value.code == code
    assert "falsch" not in caught.value.message
    assert "geheim" not in caught.value.message


async def test_another_server_is_not_talked_to(ask: Any, here: Here) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(NotAllowed, match="another key than host_key says"):
        await ask("put", "x", "secret", host_key=other)
    assert here.passwords == []


async def test_what_is_not_there(ask: Any) -> None:
    for name, given in (("get", ("none",)), ("list_", ("none",)), ("put", ("no/such", "x"))):
        with pytest.raises(NodeError, match="there is no") as caught:
            await ask(name, *given)
        assert caught.value.code == "NOT_FOUND"
    with pytest.raises(NodeError, match="one of content and path"):
        await ask("put", "x")
    with pytest.raises(NodeError, match="remote is not"):
        await ask("get", "")
