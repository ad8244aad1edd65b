"""Calling a node type: from JSON values to its function's arguments, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atomiton.nodes.guard import Capabilities
from atomiton.nodes.signature import Parameter
from atomiton.nodes.spec import NodeType
from atomiton.nodes.values import Convert, checked, converter, to_value
from atomiton.ports.calls import Attempt

#: Values of exactly these types fit a port that asks for no more than that type.
_EXACT: Mapping[object, frozenset[type[object]]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({float}),
    "boolean": frozenset({bool}),
}
#: Values of exactly these types are plain and never change.
_FRESH = frozenset({str, float, bool, type(None), bytes})
_SCALARS: frozenset[type[object]] = frozenset({int, float, str, bool, bytes, type(None)})


class NodeCall:
    """How one node type is called; see ``ports.calls.Call``."""

    __slots__ = (
        "_capabilities", "_convert", "_copy", "_inject", "_plain", "_renamed", "exact", "function",
        "is_async", "needs_attempt", "runtime",
    )  # fmt: skip

    def __init__(
        self, type_: NodeType, capabilities: Capabilities, runtime: str | None = None
    ) -> None:
        self.function: Callable[..., object] = type_.function
        self.is_async = type_.is_async
        self.runtime = _runtime(type_, runtime)
        self._capabilities = capabilities
        self._renamed = tuple(type_.renamed.items())
        self._inject = tuple(type_.capabilities.items())
        self.needs_attempt = bool(self._inject)
        converters = ((p.name, converter(p)) for p in type_.parameters if not p.variadic)
        self._convert: dict[str, Convert] = {
            name: convert for name, convert in converters if convert is not None
        }
        self.exact: dict[str, frozenset[type[object]]] = {
            port.name: fitting
            for port in type_.parameters
            if (fitting := _fitting(port)) and not type_.renamed
        }
        self._copy = not type_.plain_parameters
        self._plain = type_.plain_result

    def arguments(
        self, parameters: dict[str, object], attempt: Attempt | None
    ) -> dict[str, object]:
        """Convert parameters to what the function declares, and add its capabilities.

        Values of ports come by the names that Python has for them: ``as_`` for ``as``.
        """
        exact = self.exact
        for name, value in parameters.items():
            kinds = exact.get(name)
            if kinds is None or type(value) not in kinds:
                parameters[name] = self._adapted(name, value)
        for port, name in self._renamed:
            if port in parameters:
                parameters[name] = parameters.pop(port)
        if self.needs_attempt:
            assert attempt is not None
            for name, capability in self._inject:
                parameters[name] = self._capabilities.provide(capability, attempt)
        return parameters

    def _adapted(self, name: str, value: object) -> object:
        # Before the conversion: a check alone gives back what it was given, which a function that
        # changes it would change for everyone.
        if self._copy and type(value) not in _SCALARS and not callable(value):
            value = to_value(value)
        convert = self._convert.get(name)
        return value if convert is None else convert(value)

    def result(self, value: object) -> object:
        """Convert what the function gave to a plain value that nobody else holds."""
        kind = type(value)
        if kind is int and -(1 << 63) <= value < 1 << 63:  # type: ignore[operator]
            return value
        if kind in _FRESH:
            if (kind is str and not value.isascii()) or kind is float:  # type: ignore[attr-defined]
                return to_value(value)  # may be no Unicode, or no number: nothing could store that
            return value
        return checked(value) if self._plain else to_value(value)


def _runtime(type_: NodeType, wanted: str | None) -> str:
    """Where a function runs: what waits does so on the event loop, a module holds up a thread."""
    if type_.is_async:
        return "inline"
    return "thread" if type_.runtime == "wasm" else wanted or type_.runtime


def _fitting(port: Parameter) -> frozenset[type[object]]:
    """The types whose values need no look: that of a simple port, and all that never change."""
    schema = port.schema
    if port.annotation is not None or port.expression or port.variadic:
        return frozenset()
    if not schema.keys() <= {"type", "description", "title"}:
        return frozenset()
    return _EXACT.get(schema["type"], frozenset()) if "type" in schema else _SCALARS
