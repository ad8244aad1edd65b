"""Logs for machines: one object of JSON on each line."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

_NAMES = ("run", "node", "blueprint", "status", "seconds", "trigger", "method", "path", "who")


class JsonLines(logging.Formatter):
    """A line of a log as JSON, with the run and the node it is about where those are known."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in _NAMES:
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def set_up(kind: str) -> None:
    """Write logs to standard error, as ``text`` or as ``json``."""
    handler = logging.StreamHandler(sys.stderr)
    if kind == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger("atomiton")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
