"""Large values of runs on Temporal, in a store of objects: an S3 service that runs here."""

from __future__ import annotations

import asyncio
import base64

import pytest
from tests.integration.temporal.test_driver import document, history, place

from atomiton.conductor.temporal import codec
from atomiton.conductor.temporal.codec import Codec, ObjectBlobs, codec_of_environment, open_blobs
from atomiton.errors import NotFound, StoreError

LARGE = {
    "big": {"uses": "t.big", "with": {"size": 3_000_000}},
    "same": {"uses": "t.touch", "with": {"log": "/dev/null", "value": "${{ big }}"}},
}


def kept(s3, url):
    """All that is in a bucket, by name."""
    bucket, _, rest = url.removeprefix("s3://").partition("/")
    prefix = rest.partition("?")[0]
    _, client = s3
    listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    names = [of["Key"] for of in listed]
    return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


async def test_large_values_are_objects_in_a_bucket(temporal_address, s3, s3_url, monkeypatch):
    monkeypatch.setenv(codec.BLOBS, s3_url)
    async with place(temporal_address) as conductor:
        result = await conductor.run(document(LARGE, output="${{ size(same) }}"))
        events = await history(conductor, result.run)
    assert result.output == 3_000_000
    stored = b"".join(event.SerializeToString() for event in events)
    assert b"xxxx" not in stored
    assert len(stored) < 50_000
    objects = kept(s3, s3_url)
    assert any(b"xxxx" in data for data in objects.values())
    assert all(name.startswith("team/blueprints/") for name in objects)


async def test_they_are_encrypted_there_as_well(temporal_address, s3, s3_url, monkeypatch):
    monkeypatch.setenv(codec.BLOBS, s3_url)
    monkeypatch.setenv(codec.KEY, base64.b64encode(b"k" * 32).decode())
    async with place(temporal_address) as conductor:
        result = await conductor.run(document(LARGE, output="${{ same }}"))
        assert len(str(result.output)) == 3_000_000
    objects = kept(s3, s3_url)
    assert objects
    assert not any(b"xxxx" in data for data in objects.values())


class Flaky(ObjectBlobs):
    """A bucket that cannot be reached the first times that anything is put."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.left = 3

    async def put(self, name: str, data: bytes) -> None:
        if self.left:
            self.left -= 1
            raise StoreError("store s3: the bucket cannot be reached")
        await super().put(name, data)


async def test_a_run_outlives_a_bucket_that_is_away_for_a_while(temporal_address, s3_url):
    blobs = Flaky(s3_url)
    nodes = {"big": {**LARGE["big"], "retry": {"attempts": 5, "delay": "100ms"}}}
    async with asyncio.timeout(60), place(temporal_address, codec=Codec(blobs)) as conductor:
        result = await conductor.run(document(nodes, output="${{ size(big) }}"))
    assert (result.output, blobs.left) == (3_000_000, 0)


async def test_a_bucket_that_is_not_there_is_named(s3, s3_url):
    blobs = open_blobs(s3_url.replace("bucket-", "no-such-"))
    with pytest.raises(StoreError, match="store s3://no-such-"):
        await blobs.put("a", b"x")
    with pytest.raises(NotFound, match="there is no value a in s3://bucket-"):
        await open_blobs(s3_url).get("a")


def test_addresses_that_are_none_are_refused(monkeypatch):
    for address, said in (
        ("s3://", "name a bucket, as in s3://bucket/values"),
        ("s3://b/p?secret_access_key=x", "credentials belong into the environment"),
        ("ftp://b/p", "store ftp://b/p"),
    ):
        monkeypatch.setenv(codec.BLOBS, address)
        with pytest.raises(StoreError, match=said):
            codec_of_environment()
