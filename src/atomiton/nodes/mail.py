"""The ``mail`` family: messages to people."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, Clock, Files, Mail, injected

if TYPE_CHECKING:
    from email.message import EmailMessage

#: Most bytes of a message; most servers take no more.
_LARGEST = 25 * 1024 * 1024
_MOST_RECIPIENTS = 500
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,75}")
_OURS = frozenset(
    (
        *("from", "to", "cc", "bcc", "subject", "reply-to", "date", "message-id", "sender"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    )
)


class Sent(TypedDict):
    """A message that a server has taken; `refused` are recipients it did not take, and why.

    Attributes:
        message_id: The id that the mail has.
        accepted: Who gets it.
        refused: Recipients that the server did not take, and why.
        size: Bytes of the mail.
    """

    message_id: str
    accepted: list[str]
    refused: dict[str, str]
    size: int


@node(
    "mail.send",
    effect="once",
    title="Send mail",
    icon="mail",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: mail-send-example
    inputs:
      server: {type: string, default: "smtp+insecure://127.0.0.1:2525"}
    nodes:
      report:
        uses: file.write
        with: {path: may.csv, content: "id,total"}
      tell:
        uses: mail.send
        with:
          server: ${{ inputs.server }}
          from: Shop <shop@example.com>
          to: [ada@example.com]
          subject: The numbers of May
          text: Dear Ada, here they are.
          attachments: ["${{ report.path }}"]
    output: ${{ tell.accepted }}
    """,
)
async def send(
    server: str,
    from_: str,
    to: str | list[str],
    subject: str,
    *,
    text: str | None = None,
    html: str | None = None,
    cc: str | list[str] | None = None,
    bcc: str | list[str] | None = None,
    reply_to: str | None = None,
    attachments: list[str] | None = None,
    headers: dict[str, str] | None = None,
    mail: Mail = injected,
    files: Files = injected,
    clock: Clock = injected,
    attempt: Attempt = injected,
) -> Sent:
    """Send a mail by SMTP: as text, as HTML, or both, of which the reader sees one.

    The node counts as not repeatable (`once`): an attempt that was lost is not made again unasked,
    for nobody knows whether the mail went out. Its Message-ID is the same however often it is sent.
    A server that takes the mail for some recipients only does not fail the node: see `refused`.

    Args:
        server: `smtps://USER:PASSWORD@HOST` (encrypted from the start, port 465), `smtp://...`
            (encrypted by STARTTLS, which must be there, port 587) or `smtp+insecure://...` (not at
            all, port 25); give an address with a password as `${{ secrets.NAME }}`. Signs in the
            user and the password stand as in all addresses: `@` is `%40`.
        from_: Who sends it: `ada@example.com` or `Ada <ada@example.com>`.
        to: Who gets it: one address, several with commas, or a list.
        subject: The line above it.
        text: The message, as text.
        html: The message, as HTML.
        cc: Who else gets it, for all to see.
        bcc: Who else gets it, unseen by the others.
        reply_to: Where answers go.
        attachments: Paths of files to attach.
        headers: More headers.
        mail: The door to mail servers.
        files: The door to files.
        clock: Says when it is sent.
        attempt: Says which run and node this is.
    """
    if text is None and html is None:
        raise _refused("give text, html or both", "text")
    message = _headed(from_, subject, {"to": to, "cc": cc, "reply-to": reply_to}, headers or {})
    sender = _addresses(message, "from")[0]
    hidden = _hidden(bcc)
    recipients = list(
        dict.fromkeys([*_addresses(message, "to"), *_addresses(message, "cc"), *hidden])
    )
    if not recipients:
        raise _refused("there is nobody to send it to", "to")
    if len(recipients) > _MOST_RECIPIENTS:
        raise _refused(f"a mail may have at most {_MOST_RECIPIENTS} recipients", "to")
    _stamp(message, sender, attempt.key, clock.now())
    _fill(message, text, html)
    await _attach(message, attachments or [], files)
    content = message.as_bytes()
    if len(content) > _LARGEST:
        raise NodeError(f"the mail has more than {_LARGEST} bytes", code="LIMIT_EXCEEDED")
    refused = await mail.send(server, sender, recipients, content)
    return {
        "message_id": str(message["Message-ID"]),
        "accepted": [one for one in recipients if one not in refused],
        "refused": refused,
        "size": len(content),
    }


def _headed(
    sender: str,
    subject: str,
    people: dict[str, str | list[str] | None],
    headers: dict[str, str],
) -> EmailMessage:
    """A message with its headers; what would break out of a header is refused."""
    from email.errors import HeaderParseError
    from email.message import EmailMessage
    from email.policy import SMTP

    message = EmailMessage(policy=SMTP)
    named = {"From": sender, "Subject": subject}
    named |= {
        key.title(): value if isinstance(value, str) else ", ".join(value)
        for key, value in people.items()
        if value
    }
    for name in headers:
        if name.lower() in _OURS:
            raise _refused(f"the header {name!r} is written by the node itself", "headers")
        if not _HEADER.fullmatch(name):
            raise _refused(f"{name[:100]!r} is not the name of a header", "headers")
    for name, value in (named | headers).items():
        try:
            message[name] = value
        except (ValueError, HeaderParseError, IndexError) as error:
            raise _refused(
                f"the header {name!r} cannot be {value[:100]!r}: {error}", name
            ) from None
    return message


def _addresses(message: EmailMessage, name: str) -> list[str]:
    """The plain addresses of a header, each of them whole."""
    header = message[name]
    if header is None:
        return []
    found: list[str] = [str(one.addr_spec) for one in header.addresses]
    for one in found:
        user, at, host = one.rpartition("@")
        if not (user and at and host) or not one.isascii() or not one.isprintable():
            shown = str(header)[:200]
            raise _refused(f"{shown!r} is not a list of addresses such as ada@example.com", name)
    if name == "from" and len(found) != 1:
        raise _refused("from must be one address", name)
    return found


def _hidden(bcc: str | list[str] | None) -> list[str]:
    return _addresses(_headed("a@b", "", {"to": bcc}, {}), "to") if bcc else []


def _stamp(message: EmailMessage, sender: str, key: str, now: float) -> None:
    from email.utils import formatdate

    message["Date"] = formatdate(now)
    mark = hashlib.sha256(key.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{mark}@{sender.rpartition('@')[2]}>"


def _fill(message: EmailMessage, text: str | None, html: str | None) -> None:
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")


async def _attach(message: EmailMessage, paths: list[str], files: Files) -> None:
    from mimetypes import MimeTypes

    kinds = MimeTypes()  # those that Python knows, the same on every machine
    size = 0
    for path in paths:
        content = await files.read(path)
        size += len(content)
        if size > _LARGEST:
            message_ = f"the attachments have more than {_LARGEST} bytes"
            raise NodeError(message_, code="LIMIT_EXCEEDED")
        name = files.resolve(path).name
        kind, packed = kinds.guess_type(name)
        main, _, sub = (kind if kind and not packed else "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)


def _refused(message: str, parameter: str) -> NodeError:
    return NodeError(message, code="INVALID_INPUT", details={"parameter": parameter.lower()})
