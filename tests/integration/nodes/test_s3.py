"""The ``s3`` family against a service that runs here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import s3 as family
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.guard.objects import ObjectsGuard
from atomiton.nodes.guard.reach import Reach

Ask = Callable[..., Any]


@pytest.fixture
def ask(s3: Any, tmp_path: Path) -> Ask:
    endpoint, client = s3
    bucket = f"bucket-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=bucket)
    files = FilesGuard([tmp_path], tmp_path)

    async def call(name: str, *given: Any, **more: Any) -> Any:
        how = {"endpoint": endpoint, "access_key": "key", "secret_key": "secret"} | more
        how.setdefault("objects", ObjectsGuard())
        if name != "list_":
            how["files"] = files
        return await getattr(family, name).function(how.pop("bucket", bucket), *given, **how)

    return call


async def test_what_is_put_can_be_got(ask: Ask, tmp_path: Path) -> None:
    put = await ask("put", "a/b ü.json", {"n": 1})
    assert put["size"] == len(b'{\n  "n": 1\n}\n')
    assert len(put["etag"]) == 32
    assert (await ask("get", "a/b ü.json"))["content"] == b'{\n  "n": 1\n}\n'
    (tmp_path / "in.bin").write_bytes(bytes(range(256)) * 1000)
    await ask("put", "in.bin", path="in.bin")
    got = await ask("get", "in.bin", path="out/x.bin")
    assert (got["content"], got["size"]) == (None, 256_000)
    assert (tmp_path / "out/x.bin").read_bytes() == (tmp_path / "in.bin").read_bytes()
    await ask("put", "in.bin", "new")
    assert (await ask("get", "in.bin"))["content"] == b"new"
    with pytest.raises(NodeError, match="exists already"):
        await ask("put", "in.bin", "newer", overwrite=False)
    assert (await ask("get", "in.bin"))["content"] == b"new"


async def test_objects_are_listed(ask: Ask) -> None:
    for name in ("a/1", "a/2", "ab/3", "c"):
        await ask("put", name, name)
    assert [one["key"] for one in (await ask("list_"))["objects"]] == ["a/1", "a/2", "ab/3", "c"]
    got = await ask("list_", "a/")
    assert [(one["key"], one["size"]) for one in got["objects"]] == [("a/1", 3), ("a/2", 3)]
    assert got["objects"][0]["modified"].endswith("Z")
    few = await ask("list_", limit=3)
    assert (few["count"], few["more"], got["more"]) == (3, True, False)


async def test_what_is_not_there(ask: Ask) -> None:
    for more in ({}, {"bucket": "no-such-bucket"}):
        with pytest.raises(NodeError, match="there is no object 'x'") as caught:
            await ask("get", "x", **more)
        assert caught.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "given", "more", "said"),
    [
        ("put", ("x",), {}, "one of content and path"),
        ("put", ("../x", 1), {}, "not the key of an object"),
        ("put", ("", 1), {}, "not the key of an object"),
        ("get", ("x",), {"bucket": "a/b"}, "not the name of a bucket"),
        ("get", ("x",), {"secret_key": None}, "both access_key and secret_key"),
        ("get", ("x",), {"endpoint": "ftp://x"}, "not the address of a service"),
        ("get", ("x",), {"endpoint": "http://u:p@x"}, "not the address of a service"),
        ("list_", (), {"limit": 0}, "limit must be"),
    ],
)
async def test_what_cannot_be_asked(ask: Ask, name, given, more, said: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await ask(name, *given, **more)
    assert caught.value.code == "INVALID_INPUT"


async def test_the_keys_of_the_machine_are_not_used(ask: Ask, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "machine-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "machine-secret")
    seen: list[Any] = []
    real = __import__("obstore.store", fromlist=["S3Store"]).S3Store

    def watched(*given: Any, **more: Any) -> Any:
        made = real(*given, **more)
        seen.append(made.config)
        return made

    monkeypatch.setattr("obstore.store.S3Store", watched)
    await ask("put", "x", 1, access_key=None, secret_key=None)
    assert str(seen[0]["skip_signature"]).lower() == "true"


async def test_what_may_not_be_reached_or_does_not_answer(ask: Ask) -> None:
    closed = ObjectsGuard(Reach(public_only=True))
    with pytest.raises(NotAllowed, match="lets no request go there"):
        await ask("get", "x", objects=closed)
    with pytest.raises(NodeError) as caught:
        await ask("get", "x", endpoint="http://127.0.0.1:1")
    assert (caught.value.code, caught.value.retryable) == ("CONNECTION", True)
