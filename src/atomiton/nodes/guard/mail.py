"""Mail, handed to SMTP servers."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from atomiton.errors import NodeError
from atomiton.nodes.guard.dialing import PATIENCE, dial
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.threads import in_thread

#: Scheme of an address to its usual port.
_PORTS = {"smtps": 465, "smtp": 587, "smtp+insecure": 25}


class _Server(NamedTuple):
    scheme: str
    host: str
    port: int
    username: str
    password: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class MailGuard:
    """``Mail`` by SMTP.

    Args:
        reach: Which addresses servers may have; None for all.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach

    async def send(
        self, server: str, sender: str, recipients: Sequence[str], message: bytes
    ) -> dict[str, str]:
        """Hand a message to a server; gives the recipients that it refused, with its reasons.

        Raises:
            NodeError: The address is none (INVALID_INPUT), nobody answers there (CONNECTION), it
                does not let us in (AUTHENTICATION), takes it for nobody (MAIL_REFUSED), or speaks
                no TLS (NOT_SUPPORTED).
        """
        delivery = _Delivery(_read(server), self._reach)
        try:
            return await in_thread(delivery.run, sender, list(recipients), message)
        except asyncio.CancelledError:
            delivery.stop()
            raise


class _Delivery:
    """One message on its way."""

    def __init__(self, server: _Server, reach: Reach | None) -> None:
        self._server = server
        self._reach = reach
        self._line: socket.socket | None = None
        self._stopped = False

    def stop(self) -> None:
        """Hang up; what the server has not taken over by then, it will not."""
        self._stopped = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def run(self, sender: str, recipients: list[str], message: bytes) -> dict[str, str]:
        server = self._server
        try:
            with self._client() as client:
                if server.username:
                    client.login(server.username, server.password)
                refused = client.sendmail(sender, recipients, message)
        except smtplib.SMTPAuthenticationError as error:
            said = f"the mail server {server} refused the credentials: {_said(error.smtp_error)}"
            raise NodeError(said, code="AUTHENTICATION") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise _all_refused(server, error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise NodeError(f"the mail server {server}: {error}", code="NOT_SUPPORTED") from None
        except smtplib.SMTPConnectError as error:
            said = f"the mail server {server}: {_said(error.smtp_error)}"
            raise NodeError(said, code="CONNECTION") from None
        except smtplib.SMTPResponseException as error:
            said = f"the mail server {server} refused the message: {_said(error.smtp_error)}"
            passing = 400 <= error.smtp_code < 500
            raise NodeError(said, code="MAIL_REFUSED", retryable=passing) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NodeError(f"the mail server {server}: {error}", code="CONNECTION") from None
        return {to: _reason(answer) for to, answer in refused.items()}

    def _client(self) -> smtplib.SMTP:
        """A connection that is encrypted, unless the address says otherwise."""
        server = self._server
        line = dial(server.host, server.port, self._reach)
        self._line = line
        if self._stopped:
            line.close()
            raise OSError("it was stopped")
        context = ssl.create_default_context()
        if server.scheme == "smtps":
            try:
                line = context.wrap_socket(line, server_hostname=server.host)
            except BaseException:
                line.close()
                raise
        client = _Client(line, server.host)
        if server.scheme == "smtp":
            try:
                _encrypt(client, context)
            except BaseException:
                client.close()
                raise
        return client


def _encrypt(client: smtplib.SMTP, context: ssl.SSLContext) -> None:
    client.ehlo_or_helo_if_needed()
    if not client.has_extn("starttls"):
        raise smtplib.SMTPNotSupportedError(
            "it offers no encryption; smtp+insecure:// does without, and shows all to whoever is "
            "in between"
        )
    client.starttls(context=context)


class _Client(smtplib.SMTP):
    """A client on a connection that is there already.

    Args:
        line: The connection.
        host: Name that its certificate must have.
    """

    def __init__(self, line: socket.socket, host: str) -> None:
        # Our own name would be asked of the network, which may take half a minute.
        super().__init__(local_hostname="[127.0.0.1]", timeout=PATIENCE)
        self.sock = line
        self._host = host
        code, said = self.getreply()
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, said)


def _read(address: str) -> _Server:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in _PORTS or not host or parts.path not in ("", "/") or parts.query:
        # What stands there may hold a password, so it is not shown.
        raise NodeError(
            "server is not the address of a mail server, such as smtps://USER:PASSWORD@HOST or "
            "smtp://HOST:587",
            code="INVALID_INPUT",
            details={"parameter": "server"},
        )
    return _Server(
        parts.scheme,
        host,
        port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _said(text: bytes | str) -> str:
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text
    return " ".join(shown.split())[:500]


def _reason(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {_said(answer[1])}"


def _all_refused(server: _Server, error: smtplib.SMTPRecipientsRefused) -> NodeError:
    reasons = {to: _reason(answer) for to, answer in error.recipients.items()}
    shown = "; ".join(f"{to}: {reason}" for to, reason in reasons.items())
    return NodeError(
        f"the mail server {server} refused every recipient: {shown}"[:2000],
        code="MAIL_REFUSED",
        retryable=all(400 <= answer[0] < 500 for answer in error.recipients.values()),
        details={"refused": reasons},
    )
