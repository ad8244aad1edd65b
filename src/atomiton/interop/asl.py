"""Imports state machines of Amazon States Language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from atomiton.interop import asl_errors
from atomiton.interop.asl_choice import rule
from atomiton.interop.asl_data import Paths
from atomiton.interop.asl_nodes import constant, escaped, node_of, steps_of, why_not
from atomiton.interop.data import is_map, listing, mapping, refused, text, whole
from atomiton.interop.draft import Draft, Node, blueprint_id, code_of
from atomiton.interop.expressions.cel import Cel, braced, field, plain_text
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry, Report
from atomiton.interop.steps import END, Case, Compiled, Step, compile_steps

FORMAT: Final = "asl"

_MAX_DEPTH = 12
_COMMON: Final = frozenset(
    [
        "Type",
        "Comment",
        "Next",
        "End",
        "InputPath",
        "OutputPath",
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "Retry",
        "Catch",
        "QueryLanguage",
        "Arguments",
        "Output",
        "Assign",
        "TimeoutSeconds",
        "HeartbeatSeconds",
    ]
)
_OWN: Final[dict[str, frozenset[str]]] = {
    "Pass": frozenset({"Result"}),
    "Task": frozenset({"Resource", "Credentials"}),
    "Choice": frozenset({"Choices", "Default"}),
    "Wait": frozenset({"Seconds", "Timestamp", "SecondsPath", "TimestampPath"}),
    "Succeed": frozenset(),
    "Fail": frozenset({"Error", "Cause", "ErrorPath", "CausePath"}),
    "Parallel": frozenset({"Branches"}),
    "Map": frozenset(
        [
            "ItemsPath",
            "Items",
            "ItemSelector",
            "ItemProcessor",
            "Iterator",
            "MaxConcurrency",
            "Label",
        ]
    ),
}


def fits(document: object) -> bool:
    """Whether a document looks like a state machine."""
    return "StartAt" in mapping(document) and isinstance(mapping(document).get("States"), dict)


def convert(document: object, name: str) -> Draft:
    """Make a blueprint of a state machine.

    Args:
        document: The definition, as plain data.
        name: What it is called, such as the name of its file.

    Raises:
        BlueprintError: It is no state machine.
    """
    machine = mapping(document)
    if not fits(document):
        raise refused("a state machine has 'StartAt' and 'States'")
    draft = Draft(Report(FORMAT), blueprint_id(name))
    draft.report.blueprint = draft.id
    draft.top["inputs"] = {"input": {"type": "any", "default": {}}}
    if text(machine.get("Comment")):
        draft.top["description"] = text(machine["Comment"])
    seconds = whole(machine.get("TimeoutSeconds"))
    if seconds and seconds > 0:
        draft.top["limits"] = {"timeout": f"{seconds}s"}
    jsonata = machine.get("QueryLanguage") == "JSONata"
    importer = _Importer(draft, asl_errors.names_in(machine))
    made = importer.machine(machine, "inputs.input", "", None, jsonata=jsonata, depth=0)
    draft.nodes = made.nodes
    draft.top["output"] = braced(made.output())
    return draft


class _Importer:
    def __init__(self, draft: Draft, errors: Mapping[str, str]) -> None:
        self._draft = draft
        self._errors = errors

    def machine(
        self,
        machine: Mapping[str, object],
        value: str,
        prefix: str,
        item: tuple[str, str] | None,
        *,
        jsonata: bool,
        depth: int,
    ) -> Compiled:
        """Compile a state machine, or one within a state."""
        states = mapping(machine.get("States"))
        start = text(machine.get("StartAt"))
        if start not in states:
            raise refused(f"'StartAt' names the state '{start[:60]}', which is not there")
        if depth > _MAX_DEPTH:
            raise refused(f"state machines stand in each other more than {_MAX_DEPTH} times")
        steps: dict[str, Step] = {}
        for key, said in states.items():
            state = mapping(said)
            entry = self._draft.report.entry(prefix + key, text(state.get("Type"), "?"))
            entry.node = self._draft.name(key)
            self._draft.sources[entry.node] = state
            own = text(state.get("QueryLanguage"))
            speaks = own == "JSONata" if own else jsonata
            one = _State(
                self,
                self._draft,
                entry,
                key,
                state,
                item,
                self._errors,
                jsonata=speaks,
                depth=depth,
            )
            for step in one.steps(set(states)):
                steps[step.key] = step
        return compile_steps(self._draft, steps, start, value)


class _State:
    """One state on its way."""

    def __init__(
        self,
        importer: _Importer,
        draft: Draft,
        entry: Entry,
        key: str,
        state: dict[str, object],
        item: tuple[str, str] | None,
        errors: Mapping[str, str],
        *,
        jsonata: bool,
        depth: int,
    ) -> None:
        self._importer = importer
        self._draft = draft
        self._entry = entry
        self._key = key
        self._state = state
        self._item = item
        self._jsonata = jsonata
        self._depth = depth
        self._errors = errors

    def steps(self, known: set[str]) -> list[Step]:
        """The state as steps: itself, and what fails when nothing of a choice holds."""
        type_ = text(self._state.get("Type"))
        step = Step(self._key, self._entry, original=self._state)
        step.target = (
            END if self._state.get("End") is True else self._target(self._state.get("Next"), known)
        )
        if type_ in ("Succeed", "Fail"):
            step.target = END if type_ == "Succeed" else None
        if type_ == "Choice":
            return self._choice(step, known)
        makers: dict[str, Callable[[str], Node]] = {
            "Pass": self._pass,
            "Task": self._task,
            "Wait": self._wait,
            "Succeed": self._pass,
            "Fail": self._fail,
            "Parallel": self._parallel,
            "Map": self._map,
        }
        maker = makers.get(type_)
        step.passes = type_ == "Wait"

        def build(value: str) -> Node:
            if maker is None:
                raise Untranslatable(f"there is no type of states '{type_[:60]}'")
            self._check_keys(type_)
            node = maker(value)
            node.update(self._around())
            return node

        step.build = build
        step.catches = asl_errors.catches(
            self._state,
            lambda name: self._target(name, known) or END,
            self._errors,
            jsonata=self._jsonata,
            entry=self._entry,
        )
        return [step]

    def _target(self, name: object, known: set[str]) -> str | None:
        if isinstance(name, str) and name in known:
            return name
        if self._state.get("Type") not in ("Choice", "Succeed", "Fail"):
            raise refused(
                f"the state '{self._key[:60]}' does not say which state is next",
                "give it 'Next' with a state that is there, or 'End: true'",
            )
        return None

    def _check_keys(self, type_: str) -> None:
        for key in self._state:
            if key not in _COMMON and key not in _OWN[type_]:
                raise Untranslatable(f"'{key}' is not known here")
        if self._state.get("Assign"):
            raise Untranslatable("variables ('Assign') are not known here")
        if "HeartbeatSeconds" in self._state:
            self._entry.differs("'HeartbeatSeconds' is left out")
        if self._state.get("Credentials"):
            raise Untranslatable("'Credentials' name a role that is not there")

    def _around(self) -> Node:
        """What holds of every state: names, time limits, retries."""
        made: Node = {}
        if self._draft_name_differs():
            made["name"] = self._key[:200]
        if text(self._state.get("Comment")):
            made["description"] = text(self._state["Comment"])
        seconds = whole(self._state.get("TimeoutSeconds"))
        if seconds and seconds > 0:
            made["timeout"] = f"{seconds}s"
        elif "TimeoutSeconds" in self._state:
            raise Untranslatable("'TimeoutSeconds' is no number of seconds")
        retry = asl_errors.retry(self._state.get("Retry"), self._entry)
        if retry:
            made["retry"] = retry
        return made

    def _draft_name_differs(self) -> bool:
        return self._key != self._entry.node

    def _paths(self, value: str, result: str = "") -> Paths:
        states = {"input": value, **({"result": result} if result else {})}
        return Paths(value, self._item, states if self._jsonata else None)

    # -- data ------------------------------------------------------------------------------------

    def _given(self, value: str) -> tuple[str, object | None]:
        """The effective input, and the parameters made of it; None if there are none."""
        paths = self._paths(value)
        if self._jsonata:
            has = "Arguments" in self._state
            return value, paths.jsonata(self._state["Arguments"]) if has else None
        inner = paths.path(self._state["InputPath"]) if "InputPath" in self._state else value
        if "Parameters" not in self._state:
            return inner, None
        return inner, self._paths(inner).template(self._state["Parameters"])

    def _finish(self, value: str, core: Node | None, result: object) -> Node:
        """The node whose output is that of the state: its result, in its place in the input."""
        nodes: Node = {"call": core} if core is not None else {}
        if self._jsonata:
            if "Output" not in self._state:
                return node_of(nodes, result)
            seen = "call" if core is not None else ""
            return node_of(nodes, self._paths(value, seen).jsonata(self._state["Output"]))
        if "ResultSelector" in self._state and core is not None:
            nodes["result"] = constant(
                Paths("call", self._item).template(self._state["ResultSelector"])
            )
            result = braced("result")
        where = self._state.get("ResultPath", "$")
        if where is None:
            result = braced(value)
        elif where != "$":
            nodes = self._put(nodes, value, steps_of(where), result)
            result = braced("edit")
        if "OutputPath" in self._state and self._state["OutputPath"] != "$":
            if isinstance(result, str) and result.startswith("${{ ") and result.endswith(" }}"):
                whole_ = result[4:-3]
            else:
                nodes["result"] = constant(result)
                whole_ = "result"
            result = braced(Paths(whole_, self._item).path(self._state["OutputPath"]))
        return node_of(nodes, result)

    def _put(self, nodes: Node, value: str, steps: list[str], result: object) -> Node:
        """Nodes that put a result into the data at a path."""
        made = dict(nodes)
        for level in range(len(steps) - 1, -1, -1):
            base = Cel(value)
            for step in steps[:level]:
                base = field(base, step, missing_is_null=True)
            around = f"{base.text}.orValue({{}})" if base.optional else value
            id_ = "edit" if level == 0 else self._draft.name(f"{self._entry.node}_edit")
            made[id_] = {
                "uses": "data.edit",
                "with": {"data": braced(around), "values": {steps[level]: result}},
            }
            result = braced(id_)
        return made

    # -- the types of states ---------------------------------------------------------------------

    def _pass(self, value: str) -> Node:
        given, parameters = self._given(value)
        result: object = braced(given) if parameters is None else parameters
        if "Result" in self._state and self._state.get("Type") == "Pass":
            result = escaped(self._state["Result"])
        return self._finish(value, None, result)

    def _fail(self, value: str) -> Node:
        paths = self._paths(value)
        said: dict[str, object] = {}
        for key in ("Error", "Cause"):
            if f"{key}Path" in self._state:
                said[key] = braced(paths.path_or_intrinsic(self._state[f"{key}Path"]))
            elif self._jsonata:
                said[key] = paths.jsonata(text(self._state.get(key)))
            else:
                said[key] = plain_text(text(self._state.get(key)))
        error = str(said["Error"])
        if error.startswith("${{"):
            raise Untranslatable("the name of the error is computed")
        code = code_of(error) if error else "NODE_FAILED"
        return {"uses": "flow.fail", "with": {"message": said["Cause"] or error, "code": code}}

    def _wait(self, value: str) -> Node:
        if {"InputPath", "OutputPath", "Output"} & set(self._state):
            raise Untranslatable("a wait that changes the data")
        paths = self._paths(value)
        for key, name in (("Seconds", "for"), ("Timestamp", "until")):
            if f"{key}Path" in self._state:
                path = paths.path(self._state[f"{key}Path"])
                return {"wait": {name: braced(path)}}
            said = self._state.get(key)
            if said is not None:
                made = paths.jsonata(said) if self._jsonata else said
                return {"wait": {name: made}}
        raise Untranslatable("a wait does not say how long")

    def _choice(self, step: Step, known: set[str]) -> list[Step]:
        lost = f"\0{self._key}"
        step.build = None
        for choice in listing(self._state.get("Choices")):
            target = self._target(mapping(choice).get("Next"), known)
            if target is None:
                raise refused(f"a choice of '{self._key[:60]}' leads to no state that is there")
            step.cases.append(Case(self._condition(choice), target))
        default = self._target(self._state.get("Default"), known)
        step.cases.append(Case(lambda _: "else", default or lost))
        if default is not None:
            return [step]
        entry = Entry(self._key, "Choice", self._draft.name(f"{self._entry.node}_no_match"))
        said = {"message": "no choice matched", "code": code_of("States.NoChoiceMatched")}
        nothing: Node = {"uses": "flow.fail", "with": said}
        return [step, Step(lost, entry, lambda _: dict(nothing), None)]

    def _condition(self, choice: object) -> Callable[[str], str]:
        def condition(value: str) -> str:
            for key in ("InputPath", "OutputPath", "Output", "Assign"):
                if key in self._state or key in mapping(choice):
                    raise Untranslatable(f"a choice with '{key}'")
            if self._jsonata:
                return self._paths(value).jsonata_condition(mapping(choice).get("Condition"))
            return rule(self._paths(value), choice)

        return condition

    def _task(self, value: str) -> Node:
        resource = text(self._state.get("Resource"))
        if resource != "arn:aws:states:::http:invoke":
            raise Untranslatable(why_not(resource))
        request = mapping(self._given(value)[1])
        if is_map(request.get("Authentication")):
            self._entry.differs("the credentials of the connection are not in the file: add 'auth'")
        if "Transform" in request:
            raise Untranslatable("'Transform' of the body is not known here")
        params: Node = {"url": request.get("ApiEndpoint"), "method": request.get("Method", "GET")}
        for ours, theirs in (
            ("headers", "Headers"),
            ("query", "QueryParameters"),
            ("json", "RequestBody"),
        ):
            if theirs in request:
                params[ours] = request[theirs]
        core: Node = {
            "nodes": {"answer": {"uses": "http.request", "with": params}},
            "output": {
                "StatusCode": braced("answer.status"),
                "Headers": braced("answer.headers"),
                "ResponseBody": braced("answer.json != null ? answer.json : answer.body"),
            },
        }
        self._entry.differs("the result has no 'StatusText', and each header is one text")
        return self._finish(value, core, braced("call"))

    def _parallel(self, value: str) -> Node:
        given, parameters = self._given(value)
        nodes: Node = {}
        if parameters is not None:
            each = self._draft.name(f"{self._entry.node}_parameters")
            nodes[each] = constant(parameters)
            given = each
        branches: list[str] = []
        for number, branch in enumerate(listing(self._state.get("Branches")), 1):
            id_ = self._draft.name(f"{self._entry.node}_branch_{number}")
            made = self._inner(mapping(branch), given, f"{self._key}[{number - 1}].", self._item)
            nodes[id_] = {"nodes": made.nodes, "output": braced(made.output())}
            branches.append(id_)
        if not branches:
            raise Untranslatable("there are no branches")
        core: Node = {"nodes": nodes, "output": [braced(id_) for id_ in branches]}
        return self._finish(value, core, braced("call"))

    def _inner(
        self, machine: dict[str, object], value: str, prefix: str, item: tuple[str, str] | None
    ) -> Compiled:
        return self._importer.machine(
            machine, value, prefix, item, jsonata=self._jsonata, depth=self._depth + 1
        )

    def _map(self, value: str) -> Node:
        paths = self._paths(value)
        processor = mapping(self._state.get("ItemProcessor") or self._state.get("Iterator"))
        inner = value
        if not self._jsonata and "InputPath" in self._state:
            inner = paths.path(self._state["InputPath"])
        if self._jsonata:
            items = paths.jsonata_text(self._state.get("Items", "{% $states.input %}"))
        else:
            items = self._paths(inner).path(self._state.get("ItemsPath", "$"))
        each = self._draft.name(f"{self._entry.node}_each")
        selected: object = braced("item")
        selector = self._state.get("ItemSelector", self._state.get("Parameters"))
        if selector is not None:
            chosen = Paths(inner, ("item", "index"), {"input": inner} if self._jsonata else None)
            selected = chosen.jsonata(selector) if self._jsonata else chosen.template(selector)
        seen: Node = {"value": braced("item"), "index": braced("index"), "input": selected}
        item = (f"{each}.value", f"{each}.index")
        body = self._inner(processor, f"{each}.input", f"{self._key}.", item)
        core: Node = {
            "map": braced(items),
            "nodes": {each: constant(seen), **body.nodes},
            "output": braced(body.output()),
        }
        most = whole(self._state.get("MaxConcurrency"), 0)
        if most and most > 0:
            core["concurrency"] = most
        return self._finish(value, core, braced("call"))
