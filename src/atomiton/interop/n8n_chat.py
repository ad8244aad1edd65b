"""Nodes of n8n that ask a language model."""

from __future__ import annotations

from typing import Final

from atomiton.interop.data import listing, mapping, text
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import Part, each
from atomiton.interop.n8n_part import Mapped

#: Where models are asked, by the type of the node of the model.
_SERVERS: Final = {"langchain.lmChatOllama": "http://localhost:11434/v1"}
_MODEL: Final = "ai_languageModel"


def chain(one: Mapped) -> Node:
    """Ask a model once for each item."""
    if one.version < 1.5 or set(one.part.inner) != {_MODEL} or len(one.part.inner[_MODEL]) != 1:
        raise Untranslatable("only a chain of a model alone is known here")
    model = one.items.parts[one.part.inner[_MODEL][0]]
    server = _SERVERS.get(model.type, "")
    if not server:
        raise Untranslatable(f"the model '{model.type[:60]}' is not known here")
    said, about = one.parameters, mapping(model.said.get("parameters"))
    params: Node = {"url": server, "model": _name(about), **_options(about)}
    asked = said.get("text", "") if said.get("promptType") == "define" else "={{ $json.chatInput }}"
    params["prompt"] = one.values.value(asked)
    system = [mapping(m) for m in listing(mapping(said.get("messages")).get("messageValues"))]
    if any("System" not in text(m.get("type"), "System") for m in system):
        raise Untranslatable("only messages of the system are known here")
    if system:
        params["system"] = one.values.value(system[0].get("message", ""))
    if len(system) > 1:
        raise Untranslatable("there are several messages of the system")
    model.taken = one.part.key
    one.part.entry.differs(f"the server of the model is not in the file: it is taken for {server}")
    one.part.pairs = True
    call: Node = {"uses": "llm.chat", "with": params}
    made = 'answers.map(x, {"text": x.text.trim()})'
    return {"nodes": {"answers": each(one.incoming, call)}, "output": braced(made)}


def _name(about: Node) -> str:
    said = about.get("model")
    name = text(mapping(said).get("value")) or text(said)
    if not name or name.startswith("="):
        raise Untranslatable("the model has no name, or one that is computed")
    return name


def _options(about: Node) -> Node:
    options = mapping(about.get("options"))
    if set(options) - {"temperature"}:
        raise Untranslatable(f"the option '{min(set(options) - {'temperature'})}' of the model")
    return {key: value for key, value in options.items() if isinstance(value, int | float)}


def note_taken(part: Part) -> None:
    """Say of a part of another node where it went."""
    part.entry.node = ""
    part.entry.notes.append(f"it is a part of '{part.taken}'")
