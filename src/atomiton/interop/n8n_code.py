"""The node of n8n that runs JavaScript: the program 'node' runs it."""

from __future__ import annotations

import re
from typing import Final

from atomiton.interop.data import text
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, plain_text, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import once
from atomiton.interop.n8n_part import Mapped

#: What code may use besides the language; the rest stands for things that are not there.
_KNOWN: Final = ("$input", "$json", "$itemIndex", "$env")
_VARIABLE = re.compile(r"(?<![\w$`'\"])\$[A-Za-z_]\w*")
_OTHER = re.compile(
    r"\b(?:require|import)\s*\(|\bDateTime\b|\bthis\s*\.|\$input\.itemMatching\b|\bbinary\b"
)
_INPUT = re.compile(r"\$input\s*\.\s*(?!all\b|first\b|last\b|item\b)(\w+)")
_NAMED = re.compile(r"\$\(\s*(?:'([^'\\]*)'|\"([^\"\\]*)\"|`([^`\\$]*)`)\s*\)\s*\.\s*(\w+)")
_ANY_NAMED = re.compile(r"\$\(")

_BEFORE: Final = """\
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
let unsure = null;
const of = (list, at = 0, paired = true) => {
  const items = list.map(json => ({ json }));
  const itemMatching = number => {
    if (paired) return items[number];
    if (items.length === 1) return items[0];
    throw unsure = new Error(`which of ${items.length} items is meant is not known`);
  };
  return {
    all: () => items, first: () => items[0], last: () => items.at(-1),
    itemMatching, get item() { return itemMatching(at); },
  };
};
const named = (name, at) => of(given.nodes[name] ?? [], at, given.pairs.includes(name));
const $env = process.env;
const plain = made => (Array.isArray(made) ? made : made == null ? [] : [made])
  .map(one => (one && typeof one.json === 'object' && one.json !== null ? one.json : one));
console.log = console.info = console.debug = console.error;
"""
_ONCE: Final = """\
const main = async () => {
  const $input = of(given.items), items = $input.all(), $json = given.items[0];
  const $ = name => named(name, 0);
  return plain(await (async () => {
%s
  })());
};
"""
_EACH: Final = """\
const main = async () => {
  const made = [];
  for (const [$itemIndex, $json] of given.items.entries()) {
    const $input = of(given.items, $itemIndex);
    const $ = name => named(name, $itemIndex);
    made.push(...plain(await (async () => {
%s
    })()));
  }
  return made;
};
"""
_BEHIND: Final = """\
main().then(made => {
  if (unsure) throw unsure; // also if the code has caught it: what it made would be another value
  process.stdout.write(JSON.stringify(made));
}).catch(error => {
  console.error(error && error.stack);
  console.error(String(error));
  process.exitCode = 1;
});
"""


def code(one: Mapped) -> Node:
    """Map the node: its items as JSON to the program, and those that it gives."""
    said = one.parameters
    language = text(said.get("language"), "javaScript")
    source = text(said.get("jsCode"))
    if language != "javaScript" or not source:
        raise Untranslatable(
            f"its code ({language[:20]}) is not run here: write it as 'python.run', or with data "
            "nodes"
        )
    each = said.get("mode") == "runOnceForEachItem"
    _refuse_unknown(source)
    named = ", ".join(f"{quoted(name)}: {_items(one, name)}" for name in _names(source))
    pairs = ", ".join(quoted(name) for name in _paired(one, source))
    given = f'{{"items": {one.incoming}, "nodes": {{{named}}}, "pairs": [{pairs}]}}'
    script = f"{_BEFORE}{(_EACH if each else _ONCE) % source}{_BEHIND}"
    one.part.entry.differs(
        "its JavaScript is run by the program 'node' of this machine, with the rights of whoever "
        "runs the blueprint"
    )
    one.part.pairs = each
    program: Node = {"command": ["node", "-e", plain_text(script)], "stdin": f"{braced(given)}\n"}
    read: Node = {"uses": "json.parse", "with": {"text": braced("answer.stdout")}}
    nodes: Node = {"answer": {"uses": "shell.run", "with": program}, "result": read}
    return once({"nodes": nodes, "output": braced("result.value")}, one.incoming)


def _refuse_unknown(source: str) -> None:
    names = {name for name in _VARIABLE.findall(source) if name not in _KNOWN}
    found = sorted(names) or [one.strip() for one in _OTHER.findall(source)]
    found = found or [f"$input.{name}" for name in _INPUT.findall(source)]
    if found:
        raise Untranslatable(f"its code uses {found[0][:40]}, which is not known here")
    named = _NAMED.findall(source)
    if len(named) < len(_ANY_NAMED.findall(source)):
        raise Untranslatable("its code computes which node it asks")
    for *_, method in named:
        if method not in ("all", "first", "last", "item", "itemMatching"):
            raise Untranslatable(f"its code asks another node for '{method[:20]}'")


def _names(source: str) -> list[str]:
    """The nodes that the code asks."""
    return list(dict.fromkeys("".join(found[:3]) for found in _NAMED.findall(source)))


def _paired(one: Mapped, source: str) -> list[str]:
    """The nodes whose items belong to those that come in, one by one."""
    found: list[str] = []
    for *names, method in _NAMED.findall(source):
        name = "".join(names)
        if method in ("item", "itemMatching") and name not in found:
            pair = one.items.pair_of(one.part, name)
            if pair is not None and pair.endswith("[index]"):
                found.append(name)
            elif pair is None:
                one.part.entry.differs(
                    f"which item of '{name[:60]}' is meant is known while it has one: else the "
                    "run fails"
                )
    return found


def _items(one: Mapped, name: str) -> str:
    """The items of another node, none where it did not run."""
    other = one.items.parts.get(name)
    if other is None or not other.outputs:
        raise Untranslatable(f"the node '{name[:60]}' that its code asks does not come before it")
    return f"({other.outputs[0]} == null ? [] : {other.outputs[0]})"
