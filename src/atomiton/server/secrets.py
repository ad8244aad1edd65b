"""Secrets: set, named, deleted; never given back."""

from __future__ import annotations

import time

from atomiton.conductor.wire import PREFIX, SecretList, SetSecret
from atomiton.ports.secrets import SecretInfo
from atomiton.server.table import Call, Reply, Route, checked

ONE = PREFIX + "/secrets/{secret}"


async def listing(call: Call) -> SecretList:
    """Name the secrets."""
    return SecretList(await call.conductor.secrets())


async def set_(call: Call) -> SecretInfo:
    """Keep a secret."""
    name = call.params["secret"]
    await call.conductor.set_secret(name, checked(call.body, SetSecret).value)
    return SecretInfo(name, time.time())


async def delete(call: Call) -> Reply:
    """Keep a secret no more."""
    await call.conductor.delete_secret(call.params["secret"])
    return Reply(None, 204)


ROUTES = (
    Route("GET", PREFIX + "/secrets", "owner", listing, "Name the secrets", answer=SecretList),
    Route("POST", ONE, "owner", set_, "Keep a secret, sealed", SetSecret, answer=SecretInfo),
    Route("DELETE", ONE, "owner", delete, "Delete a secret", status=204),
)
