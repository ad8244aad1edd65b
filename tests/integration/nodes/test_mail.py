"""``mail.send`` to real SMTP servers: plain, with STARTTLS, and encrypted from the start."""

from __future__ import annotations

import asyncio
import ssl
import time
import warnings
from collections.abc import AsyncIterator, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.integration.nodes.certificates import make_certificate

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import mail
from atomiton.nodes.guard.ambient import SystemClock
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.guard.mail import MailGuard
from atomiton.nodes.guard.reach import Reach


class Box:
    """What servers have taken."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.users: list[str] = []
        self.slow = False

    async def handle_RCPT(  # noqa: N802 - the name that the server asks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 there is nobody of that name"
        if address.startswith("later"):
            return "451 come again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.slow:
            await asyncio.sleep(30)
        self.envelopes.append(envelope)
        return "250 taken"

    def message(self) -> EmailMessage:
        (envelope,) = self.envelopes
        return cast(
            "EmailMessage", message_from_bytes(cast("bytes", envelope.content), policy=default)
        )

    def check(
        self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"gehe:m@", handled=False)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


Serve = Callable[..., Any]


@pytest.fixture
async def serve(box: Box, certificate: tuple[Path, Path]) -> AsyncIterator[Serve]:
    """Starts a server, and gives its port."""
    servers: list[asyncio.Server] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    async def start(*, starttls: bool = False, tls: bool = False, auth: bool = False) -> int:
        def protocol() -> SMTP:
            with warnings.catch_warnings():
                # That it is encrypted from the start is not for this class to know.
                warnings.simplefilter("ignore", UserWarning)
                return made_by()

        def made_by() -> SMTP:
            return SMTP(
                box,
                hostname="test",
                tls_context=context if starttls else None,
                require_starttls=starttls,
                authenticator=box.check if auth else None,
                auth_required=auth,
                auth_require_tls=auth and not tls,
            )

        loop = asyncio.get_running_loop()
        made = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls else None)
        servers.append(made)
        return int(made.sockets[0].getsockname()[1])

    yield start
    for each in servers:
        each.close()


@pytest.fixture
def send(tmp_path: Path) -> Any:
    files = FilesGuard([tmp_path], tmp_path)
    guard = MailGuard()

    async def call(server: str, **more: Any) -> Any:
        given: dict[str, Any] = {
            "from_": "Shop <shop@example.com>",
            "to": "ada@example.com",
            "subject": "Grüße",
            "text": "Hi",
        }
        door = more.pop("door", guard)
        doors = {
            "mail": door,
            "files": files,
            "clock": SystemClock(),
            "attempt": SimpleNamespace(key="r/n"),
        }
        return await mail.send.function(server, **(given | more), **doors)

    return call


async def test_a_mail_arrives_with_all_its_parts(
    box: Box, serve: Serve, send: Any, tmp_path: Path
) -> None:
    (tmp_path / "año.csv").write_text("id,total\n1,2\n")
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    got = await send(
        f"smtp+insecure://127.0.0.1:{await serve()}",
        to=["Ada <ada@example.com>", "grace@example.com"],
        cc="Éve <eve@example.com>",
        bcc="hidden@example.com",
        reply_to="desk@example.com",
        text="Grüße\n.\nBye",
        html="<b>Grüße</b>",
        attachments=["año.csv", "x.bin"],
        headers={"X-Tag": "a"},
    )
    people = ["ada@example.com", "grace@example.com", "eve@example.com", "hidden@example.com"]
    assert (got["accepted"], got["refused"]) == (people, {})
    assert box.envelopes[0].rcpt_tos == people
    assert box.envelopes[0].mail_from == "shop@example.com"
    read = box.message()
    assert (read["Subject"], read["Cc"], read["Bcc"], read["X-Tag"]) == (
        "Grüße",
        "Éve <eve@example.com>",
        None,
        "a",
    )
    assert read["Message-ID"] == got["message_id"]
    assert abs(read["Date"].datetime.timestamp() - time.time()) < 60
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Grüße", ".", "Bye"]
    assert html.get_content().strip() == "<b>Grüße</b>"
    first, second = read.iter_attachments()
    assert (first.get_filename(), first.get_content_type()) == ("año.csv", "text/csv")
    assert first.get_payload(decode=True) == b"id,total\n1,2\n"
    assert second.get_content() == bytes(range(256))
    assert got["size"] > 500


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_it_is_encrypted_and_the_certificate_checked(
    box: Box, serve: Serve, send: Any, certificate, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    how = {"starttls": True} if scheme == "smtp" else {"tls": True}
    server = f"{scheme}://ada:gehe%3Am%40@127.0.0.1:{await serve(**how, auth=True)}"
    with pytest.raises(NodeError, match="certificate verify failed") as caught:
        await send(server)
    assert caught.value.code == "CONNECTION"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert (await send(server))["accepted"] == ["ada@example.com"]
    assert box.users == ["ada"]
    with pytest.raises(NodeError, match="refused the credentials") as caught:
        await send(server.replace("gehe%3Am%40", "geheim"))
    assert caught.value.code == "AUTHENTICATION"
    assert "geheim" not in caught.value.message
    assert len(box.envelopes) == 1


async def test_nothing_is_sent_unencrypted_unasked(box: Box, serve: Serve, send: Any) -> None:
    with pytest.raises(NodeError, match="no encryption; smtp") as caught:
        await send(f"smtp://127.0.0.1:{await serve()}")
    assert caught.value.code == "NOT_SUPPORTED"
    assert box.envelopes == []


async def test_refused_recipients(box: Box, serve: Serve, send: Any) -> None:
    server = f"smtp+insecure://127.0.0.1:{await serve()}"
    got = await send(server, to=["ada@example.com", "nobody@example.com"])
    assert got["accepted"] == ["ada@example.com"]
    assert got["refused"] == {"nobody@example.com": "550 there is nobody of that name"}
    for name, retryable in (("nobody", False), ("later", True)):
        with pytest.raises(NodeError, match="refused every recipient") as caught:
            await send(server, to=f"{name}@example.com")
        assert (caught.value.code, caught.value.retryable) == ("MAIL_REFUSED", retryable)


async def test_nobody_answers_or_may_be_reached(serve: Serve, send: Any) -> None:
    with pytest.raises(NodeError, match=r"127\.0\.0\.1:1") as caught:
        await send("smtp+insecure://127.0.0.1:1")
    assert (caught.value.code, caught.value.retryable) == ("CONNECTION", True)
    closed = MailGuard(Reach(public_only=True))
    with pytest.raises(NotAllowed, match="lets no request go there"):
        await send(f"smtp+insecure://127.0.0.1:{await serve()}", door=closed)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"text": None}, "text, html or both"),
        ({"to": []}, "nobody to send it to"),
        ({"to": "Ada"}, "not a list of addresses"),
        ({"to": ["ada@example.com", "x"]}, "not a list of addresses"),
        ({"to": "ada@example.com\nBcc: eve@example.com"}, "cannot be"),
        ({"subject": "a\nBcc: eve@example.com"}, "'Subject' cannot be"),
        ({"from_": "a@x.org, b@x.org"}, "from must be one"),
        ({"headers": {"Bcc": "eve@example.com"}}, "written by the node itself"),
        ({"headers": {"X-A\nBcc": "eve@example.com"}}, "not the name of a header"),
        ({"to": "zoë@example.com"}, "not a list of addresses"),
        ({"to": [f"a{n}@example.com" for n in range(501)]}, "at most 500"),
        ({"attachments": ["none.txt"]}, "there is no file"),
    ],
)
async def test_what_cannot_be_sent(box: Box, serve: Serve, send: Any, more, said: str) -> None:
    with pytest.raises(NodeError, match=said):
        await send(f"smtp+insecure://127.0.0.1:{await serve()}", **more)
    assert box.envelopes == []


@pytest.mark.parametrize(
    "server",
    ["", "mail.example.com", "http://x:geheim@y", "smtp://a:geheim@h:x", "smtps://", "smtp://h/x"],
)
async def test_what_is_no_server_is_not_shown(send: Any, server: str) -> None:
    with pytest.raises(NodeError, match="not the address of a mail server") as caught:
        await send(server)
    assert "geheim" not in str(caught.value)


async def test_files_outside_and_large_files_are_refused(
    serve: Serve, send: Any, tmp_path: Path
) -> None:
    server = f"smtp+insecure://127.0.0.1:{await serve()}"
    with pytest.raises(NotAllowed):
        await send(server, attachments=["/etc/hostname"])
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(26 * 1024 * 1024)
    with pytest.raises(NodeError, match="attachments have more than") as caught:
        await send(server, attachments=["big"])
    assert caught.value.code == "LIMIT_EXCEEDED"


async def test_a_cancelled_mail_hangs_up(box: Box, serve: Serve, send: Any) -> None:
    box.slow = True
    server = f"smtp+insecure://127.0.0.1:{await serve()}"
    task = asyncio.ensure_future(send(server))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert box.envelopes == []
