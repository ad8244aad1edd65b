"""What the machine must not do: touch the world, or depend on the order of a set."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.reading import Function, Module, imports

#: The only modules the machine may import besides ours; none of them knows the world.
PURE_MODULES = {
    "__future__", "abc", "array", "base64", "bisect", "collections", "copy", "dataclasses",
    "datetime", "enum", "fractions", "functools", "hashlib", "heapq", "itertools", "json",
    "math", "msgspec", "operator", "re", "struct", "types", "typing", "typing_extensions",
}  # fmt: skip
#: Builtins that reach the world, or whose answer changes from process to process.
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "hash", "id", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today"}  # of datetime and date
SETS = {"set", "frozenset", "AbstractSet", "MutableSet"}
IN_ORDER = {"list", "tuple", "iter", "enumerate", "map", "filter", "zip", "reversed", "dict"}

Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def impurities(module: Module) -> list[str]:
    """Everything impure that can be seen without running, one line each."""
    found = [
        (item.line, f"imports {item.target}")
        for item in imports(module, set())
        if item.target.split(".")[0] not in PURE_MODULES | {"atomiton"}
    ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.alias) and node.name == "Any":
            found.append((node.lineno, "imports Any"))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "typing.Any":
            found.append((node.lineno, "uses Any"))
        if isinstance(node, ast.Call):
            found.extend(_impure_call(node))
    found.extend(_set_order(module.tree, _set_attributes(module.tree), set()))
    return [f"{module.name}:{line} {what}" for line, what in found]


def _impure_call(call: ast.Call) -> Iterator[tuple[int, str]]:
    called = call.func
    if isinstance(called, ast.Name) and called.id in IMPURE_BUILTINS:
        yield call.lineno, f"calls {called.id}()"
    if isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS:
        owner = ast.unparse(called.value).split(".")[-1]
        if owner in {"datetime", "date"}:
            yield call.lineno, f"asks the time with {owner}.{called.attr}()"


def _set_attributes(tree: ast.Module) -> set[str]:
    """Attributes that hold sets, such as ``.ready``, of every class of the module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= {f".{name}" for name in _assigned_sets(node, set())}
        if isinstance(node, Function):
            found |= {name for name in _assigned_sets(node, set()) if name.startswith(".")}
    return found


def _set_order(scope: Scope, attributes: set[str], outer: set[str]) -> Iterator[tuple[int, str]]:
    """Where a scope, and the scopes in it, depend on the order of a set."""
    sets = attributes | outer | _assigned_sets(scope, outer | attributes)
    if isinstance(scope, Function):
        sets -= {a.arg for a in _arguments(scope) if not _is_set_type(a.annotation)}
    for node in _inside(scope):
        if isinstance(node, Scope):
            inherited = sets if not isinstance(scope, ast.ClassDef) else outer
            yield from _set_order(node, attributes, inherited)
        for iterated in _iterated(node):
            if _is_set(iterated, sets):
                yield iterated.lineno, f"depends on the order of a set: {ast.unparse(iterated)}"


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, with the scopes in it but without what those hold."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, Scope):
            yield from _inside(child)


def _arguments(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _assigned_sets(scope: Scope, known: set[str]) -> set[str]:
    """Names, and attributes as ``.name``, that a scope says or shows to hold sets."""
    found: set[str] = set()
    if isinstance(scope, Function):
        found |= {a.arg for a in _arguments(scope) if _is_set_type(a.annotation)}
    for node in _inside(scope):
        if isinstance(node, ast.AnnAssign) and _is_set_type(node.annotation):
            found.add(_key(node.target))
        if isinstance(node, ast.Assign) and _is_set(node.value, known | found):
            found |= {_key(target) for target in node.targets}
    return found - {""}


def _key(target: ast.expr) -> str:
    if isinstance(target, ast.Attribute):
        return f".{target.attr}"
    return target.id if isinstance(target, ast.Name) else ""


def _is_set_type(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return annotation is not None and ast.unparse(annotation).split(".")[-1] in SETS


def _iterated(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions whose order this node depends on."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.iter
    elif isinstance(node, ast.Starred):
        yield node.value
    elif isinstance(node, ast.Call):
        called = node.func
        method = called.attr if isinstance(called, ast.Attribute) else ""
        function = called.id if isinstance(called, ast.Name) else ""
        if function in IN_ORDER or method in {"join", "extend", "fromkeys"}:
            yield from node.args
        elif isinstance(called, ast.Attribute) and method == "pop" and not node.args:
            yield called.value


def _is_set(value: ast.expr, sets: set[str]) -> bool:
    if isinstance(value, ast.Set | ast.SetComp):
        return True
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in {"set", "frozenset"}
    if isinstance(value, ast.BinOp):
        return _is_set(value.left, sets) or _is_set(value.right, sets)
    if isinstance(value, ast.Name | ast.Attribute):
        return _key(value) in sets
    return False
