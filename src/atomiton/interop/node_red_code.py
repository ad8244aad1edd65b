"""The node of Node-RED that runs JavaScript: the program 'node' runs it."""

from __future__ import annotations

import re
from typing import Final

from atomiton.interop.data import text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, plain_text
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import once
from atomiton.interop.node_red_part import Mapped

#: What the code may not use: it is kept between messages, or is Node-RED itself.
_OTHER = re.compile(r"\b(context|flow|global|env|RED)\s*\.|\b(require|import)\s*\(")

_SCRIPT: Final = """\
const fs = require('fs');
const sent = Array.from({ length: %d }, () => []);
const out = found => (Array.isArray(found) ? found : [found]).forEach((one, number) => {
  for (const msg of Array.isArray(one) ? one : [one]) {
    if (msg && number < sent.length) sent[number].push(structuredClone(msg));
  }
});
console.log = console.info = console.debug = console.error;
const node = {
  send: out, done() {}, status() {}, log: console.error, warn: console.error, error: console.error,
  debug: console.error, trace: console.error,
};
process.on('exit', () => fs.writeSync(1, JSON.stringify(sent)));
for (const given of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  (async msg => {
%s
  })(given).then(out, error => {
    console.error(error && error.stack);
    console.error(String(error));
    process.exitCode = 1;
  });
}
"""


def function(one: Mapped) -> Node:
    """Run code for each message: what it returns and sends goes on, by output."""
    said = one.said
    source, count = text(said.get("func")), whole(said.get("outputs"), 1) or 0
    if text(said.get("initialize")).strip() or text(said.get("finalize")).strip():
        raise Untranslatable("its code sets something up when the flows begin or end")
    used = _OTHER.search(source)
    if used:
        name = used[1] or used[2]
        raise Untranslatable(f"its code uses '{name}', which is not known here")
    one.differs(
        "its JavaScript is run by the program 'node' of this machine, with the rights of whoever "
        "runs the blueprint"
    )
    if "node.error" in source or "node.status" in source:
        one.differs("'node.error' and 'node.status' start nothing: errors are lines of the program")
    script = _SCRIPT % (count, source)
    params: Node = {
        "command": ["node", "-e", plain_text(script)],
        "stdin": f"{braced(one.incoming)}\n",
    }
    nodes: Node = {
        "answer": {"uses": "shell.run", "with": params},
        "result": {"uses": "json.parse", "with": {"text": braced("answer.stdout")}},
    }
    outputs = {f"o{number}": braced(f"result.value[{number}]") for number in range(count)}
    one.part.outputs = [f"{one.id}.{key}" for key in outputs]
    return once({"nodes": nodes, "output": outputs or []}, one.incoming)
