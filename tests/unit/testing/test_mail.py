"""Mail in tests: kept, refused, recorded and played back."""

from __future__ import annotations

from atomiton.blueprint.document import read_document
from atomiton.nodes.guard import Capabilities
from atomiton.testing import FakeMail, run
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
