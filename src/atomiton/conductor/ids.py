"""Ids of runs: unique, and later ones sort after earlier ones."""

from __future__ import annotations

import os
import random
import time

_random = random.Random(os.urandom(16))  # noqa: S311 - ids must be unique, not secret
_last = 0
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(16)))


def new_run_id() -> str:
    """An id such as ``run_019aa4c7b3d2f04c1f6a1f9bd1``: milliseconds, then chance.

    Ids made by one process sort strictly in the order they were made.
    """
    global _last
    moment = time.time_ns() // 62_500  # sixteenths of a millisecond
    if moment <= _last:
        moment = _last + 1
    _last = moment
    return "run_" + (moment << 48 | _random.getrandbits(48)).to_bytes(13, "big").hex()


def new_seed() -> int:
    """A seed for a run's random choices."""
    return _random.getrandbits(32)
