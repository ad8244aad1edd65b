"""What the variables ``OTEL_*`` say about what is sent, and as whose."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource


def wanted(signal: Literal["traces", "metrics"]) -> bool:
    """Whether a kind of data is to be sent: there is somewhere to send it, and nobody forbids it.

    Args:
        signal: Which.
    """
    upper = signal.upper()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get(f"OTEL_{upper}_EXPORTER", "otlp") != "otlp":
        return False
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{upper}_ENDPOINT")
    return any(os.environ.get(name) for name in names) and bool(find_spec("opentelemetry.sdk"))


def resource() -> Resource:
    """Who sends: ``atomiton``, unless the environment gives another name."""
    from opentelemetry.sdk.resources import Resource

    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create({} if named else {"service.name": "atomiton"})
