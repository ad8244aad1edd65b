"""Mail in tests: kept, refused, recorded and played back."""

from __future__ import annotations

from pathlib import Path

from atomiton.blueprint.document import read_document
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Bucket, ObjectEntry
from atomiton.testing import FakeHttp, FakeMail, record, replay, run
from atomiton.testing.fakes.mail import ClosedMail

TELL = {
    "atomiton": 1,
    "id": "tell",
    "secrets": ["SERVER"],
    "nodes": {
        "tell": {
            "uses": "mail.send",
            "with": {
                "server": "${{ secrets.SERVER }}",
                "from": "shop@example.com",
                "to": ["ada@example.com", "nobody@example.com"],
                "subject": "Hello",
                "text": "Hi",
                "html": "<b>Hi</b>",
            },
        }
    },
    "output": "${{ tell.refused }}",
}
SECRETS = {"SERVER": "smtps://shop:geheim@mail.example.com"}


def test_a_fake_keeps_what_is_sent() -> None:
    fake = FakeMail({"nobody@example.com": "550 no"})
    trial = run(read_document(TELL), capabilities=Capabilities(mail=fake), secrets=SECRETS)
    assert trial.output == {"nobody@example.com": "550 no"}
    (sent,) = fake.sent
    assert sent.message()["Subject"] == "Hello"
    assert sent.server == SECRETS["SERVER"]


def test_a_declared_test_sends_none() -> None:
    trial = run(read_document(TELL), capabilities=Capabilities(mail=ClosedMail()), secrets=SECRETS)
    assert trial.error is not None
    assert trial.error.code == "NOT_ALLOWED"
    assert "by 'replace'" in trial.error.message


def test_mail_and_objects_are_recorded_without_what_lets_us_in(tmp_path: Path) -> None:
    class Shelf:
        async def get(self, bucket: Bucket, key: str) -> bytes:
            return b"\xff" + key.encode()

        async def put(self, bucket: Bucket, key: str, content: bytes, *, overwrite: bool) -> str:
            return "tag"

        async def entries(self, bucket: Bucket, prefix: str, most: int) -> list[ObjectEntry]:
            return [{"key": "k", "size": 1, "modified": "2026-01-01T00:00:00.000Z"}]

    keys = {"bucket": "reports", "access_key": "open", "secret_key": "sesame"}
    nodes = TELL["nodes"] | {
        "put": {"uses": "s3.put", "with": {**keys, "key": "a", "content": "x"}},
        "get": {"uses": "s3.get", "with": {**keys, "key": "a"}},
        "list": {"uses": "s3.list", "with": keys},
        "hook": {
            "uses": "webhook.send",
            "with": {"url": "http://x/", "payload": 1, "secret": "abc"},
        },
    }
    output = ["${{ put.etag }}", "${{ get.content }}", "${{ list.count }}"]
    source = read_document(TELL | {"nodes": nodes, "output": output})
    path = tmp_path / "tape.jsonl"
    world = Capabilities(
        mail=FakeMail(), objects=Shelf(), http=FakeHttp({"POST http://x/": {"ok": 1}})
    )
    first = run(source, capabilities=record(path, world), secrets=SECRETS)
    assert first.output == ["tag", b"\xffa", 1]
    assert "sesame" not in path.read_text()
    assert "geheim" not in path.read_text()
    tape = replay(path)
    assert run(source, capabilities=tape, secrets=SECRETS).output == first.output
    assert tape.left == []
