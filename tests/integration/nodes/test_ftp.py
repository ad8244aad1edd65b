"""The ``ftp`` family with a real FTP server on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes.certificates import make_certificate
from tests.integration.nodes.ftp import ftp_server

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import ftp as family
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.guard.ftp import FtpGuard
from atomiton.nodes.guard.reach import Reach


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "remote" / "old").mkdir(parents=True)
    with ftp_server(tmp_path / "remote") as address:
        yield address


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    files = FilesGuard((tmp_path,), tmp_path)

    async def call(name: str, server: str, *given: Any, **more: Any) -> Any:
        more.setdefault("ftp", FtpGuard())
        if name != "list_":
            more["files"] = files
        return await getattr(family, name).function(server, *given, **more)

    return call


async def test_files_go_there_and_back(ask: Any, server: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    (tmp_path / "in.bin").write_bytes(content)
    assert await ask("put", server, "ü.bin", path="in.bin") == {
        "remote": "ü.bin",
        "size": len(content),
    }
    assert (tmp_path / "remote" / "ü.bin").read_bytes() == content
    assert (await ask("get", server, "ü.bin"))["content"] == content
    got = await ask("get", server, "ü.bin", path="out/x.bin")
    assert (got["content"], got["size"]) == (None, len(content))
    assert (tmp_path / "out" / "x.bin").read_bytes() == content
    await ask("put", server, "ü.bin", {"n": 1})
    assert (await ask("get", server, "ü.bin"))["content"] == b'{\n  "n": 1\n}\n'
    with pytest.raises(NodeError, match="exists already"):
        await ask("put", server, "ü.bin", "x", overwrite=False)
    await ask("put", server, "new.txt", "x", overwrite=False)
    listed = await ask("list_", server)
    said = [(of["name"], of["size"], of["is_folder"]) for of in listed["files"]]
    assert said == [("new.txt", 1, False), ("old", 0, True), ("ü.bin", 13, False)]
    assert listed["files"][0]["path"] == "./new.txt"
    assert listed["files"][0]["modified"].startswith("20")


@pytest.mark.parametrize(
    ("change", "code"),
    [(("geheim", "falsch"), "AUTHENTICATION"), (("ftp+insecure", "ftps"), "NOT_SUPPORTED")],
)
async def test_who_is_not_let_in_is_told(
    ask: Any, server: str, change: tuple[str, str], code: str
) -> None:
    with pytest.raises(NodeError) as told:
        await ask("get", server.replace(*change), "x")
    assert told.value.code == code
    assert change[1] == "ftps" or change[1] not in str(told.value)


async def test_what_is_not_there_is_told(ask: Any, server: str) -> None:
    for name, path in (("get", "gone.txt"), ("list_", "gone")):
        with pytest.raises(NodeError, match="gone") as told:
            await ask(name, server, path)
        assert told.value.code == "NOT_FOUND"
    with pytest.raises(NodeError):
        await ask("put", server, "gone/x.txt", "x")
    with pytest.raises(NodeError) as told:
        await ask("get", "ftp+insecure://127.0.0.1:1", "x")
    assert told.value.code == "CONNECTION"


async def test_by_tls_files_and_passwords_are_read_by_nobody_on_the_way(
    ask: Any, tmp_path: Path
) -> None:
    (tmp_path / "remote").mkdir()
    certificate = make_certificate(tmp_path)
    trusting = FtpGuard(context=ssl.create_default_context(cafile=str(certificate[0])))
    with ftp_server(tmp_path / "remote", certificate) as address:
        await ask("put", address, "a.txt", "x" * 100_000, ftp=trusting)
        assert (await ask("get", address, "a.txt", ftp=trusting))["size"] == 100_000
        assert (await ask("list_", address, ftp=trusting))["count"] == 1
        with pytest.raises(NotAllowed, match="certificate is not trusted"):
            await ask("list_", address)
        with pytest.raises(NodeError):  # it takes no password in the clear
            await ask("list_", address.replace("ftps", "ftp+insecure"))


async def test_a_server_may_be_out_of_reach(ask: Any, server: str) -> None:
    with pytest.raises(NotAllowed):
        await ask("list_", server, ftp=FtpGuard(Reach(public_only=True)))


@pytest.mark.parametrize("address", ["ftp://ada:geheim@h", "ftps://", "h", "ftps://ada:geheim@h:x"])
async def test_an_address_that_is_none(ask: Any, address: str) -> None:
    with pytest.raises(NodeError, match="not the address") as told:
        await ask("get", address, "x")
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("path", ["", "a\r\nDELE b", "a\0"])
async def test_no_command_hides_in_a_path(ask: Any, path: str) -> None:
    with pytest.raises(NodeError, match="not the path"):
        await ask("get", "ftps://127.0.0.1:1", path)
