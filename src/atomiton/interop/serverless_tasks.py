"""The tasks of Serverless Workflow as steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from atomiton.interop import serverless_calls as calls
from atomiton.interop.data import listing, mapping, refused, text
from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry
from atomiton.interop.serverless_data import Expressions, duration
from atomiton.interop.serverless_errors import Errors
from atomiton.interop.steps import END, Case, Compiled, Step, compile_steps, merged

_KINDS: Final = ("call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch")
_MORE: Final = ("try", "wait")
_AROUND: Final = frozenset(["if", "input", "output", "export", "timeout", "then", "metadata"])
_BESIDE: Final = {"for": {"do", "while"}, "try": {"catch"}, "call": {"with"}, "listen": {"foreach"}}
_MAX_DEPTH = 12
Names = dict[str, str]


class Use:
    """What a workflow defines once and uses by name."""

    def __init__(self, said: dict[str, object]) -> None:
        self._said = said

    def named(self, kind: str, value: object) -> object:
        """A definition, or what stands in its place; itself if it is no name."""
        if not isinstance(value, str):
            return value
        found = mapping(self._said.get(kind)).get(value)
        if found is None:
            raise Untranslatable(f"'use.{kind}' has no '{value[:60]}'")
        return found

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a definition."""
        return name in mapping(self._said.get(kind))

    def extensions(self) -> list[str]:
        """Names of what is put around tasks."""
        return [name for one in listing(self._said.get("extensions")) for name in mapping(one)]

    def everything(self) -> dict[str, object]:
        """All definitions."""
        return self._said


class Tasks:
    """Makes steps of tasks.

    Args:
        draft: The blueprint.
        use: Definitions.
    """

    def __init__(self, draft: Draft, use: Use) -> None:
        self.draft = draft
        self.use = use
        self._depth = 0

    def region(
        self, tasks: object, value: str, names: Names, path: str, errors: Mapping[str, object]
    ) -> Compiled:
        """Compile a list of tasks, each a mapping of one name to one task."""
        del errors
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise refused(f"tasks stand in each other more than {_MAX_DEPTH} times")
        said = [
            (key, mapping(task)) for one in listing(tasks) for key, task in mapping(one).items()
        ]
        if not said:
            raise refused(f"'{path or 'do'}' holds no tasks")
        if len({key for key, _ in said}) < len(said):
            raise refused(f"'{path or 'do'}' has two tasks of one name")
        linear = all("switch" not in t and _plain_then(t) for _, t in said)
        steps: dict[str, Step] = {}
        names = dict(names)
        for number, (key, task) in enumerate(said):
            follower = said[number + 1][0] if number + 1 < len(said) else END
            one = _Task(self, key, task, path, names, {k for k, _ in said})
            for step in one.steps(follower, nested=self._depth > 1):
                steps[step.key] = step
            if "export" in task or _exports(task):
                known = linear and "if" not in task and "export" in task
                names = {**names, "$context": one.context if known else "?"}
        self._depth -= 1
        return compile_steps(self.draft, steps, said[0][0], value)


def _plain_then(task: dict[str, object]) -> bool:
    return task.get("then", "continue") == "continue"


def _exports(task: object) -> bool:
    """Whether a task has one within it that changes the context."""
    left = [task]
    while left:
        one = left.pop()
        if "export" in mapping(one):
            return True
        left += [*mapping(one).values(), *listing(one)]
    return False


class _Task:
    """One task on its way."""

    def __init__(
        self,
        tasks: Tasks,
        key: str,
        task: dict[str, object],
        path: str,
        names: Names,
        beside: set[str],
    ) -> None:
        self._tasks = tasks
        self._draft = tasks.draft
        self._key = key
        self._task = task
        self._path = path + key
        self._names = {k: v for k, v in names.items() if v != "?"}
        if names.get("$context") == "":
            self._names["$context"] = "null"
        self._beside = beside
        found = [kind for kind in (*_KINDS, *_MORE) if kind in task and not _part_of(kind, task)]
        self._kind = found[0] if len(found) == 1 else ""
        self._entry = self._draft.report.entry(self._path, self._kind or "?")
        self._entry.node = self._draft.name(key)
        self._draft.sources[self._entry.node] = task
        self.context = ""
        if "export" in task:
            self.context = self._draft.name(f"{key}_context")

    def steps(self, follower: str, *, nested: bool) -> list[Step]:
        """The task as steps: itself, and what asks whether it runs at all."""
        target = self._target(self._task.get("then", "continue"), follower, nested=nested)
        original = self._task
        key = f"\0{self._key}" if "if" in self._task else self._key
        step = Step(key, self._entry, self._build, target, original=original)
        if self._kind == "switch":
            step.cases = self._cases(follower, nested=nested)
            step.build = None
        elif self._kind == "raise":
            step.target = None
        elif self._kind == "wait":
            step.passes = not {"input", "output"} & set(self._task)
        if self._kind == "try":
            catch = mapping(self._task.get("catch"))
            step.catches = self._errors().catches(catch, step)
        if "export" in self._task:
            step.beside = self._export
        handlers = self._handler(step, target)
        if "if" not in self._task:
            return [step, *handlers]
        name = self._draft.name(f"{self._entry.node}_if")
        entry = Entry(self._path, "if", name)
        condition = self._task["if"]
        cases = [
            Case(lambda v: self._see(v).condition(condition), key),
            Case(lambda _: "else", follower),
        ]
        asks = Step(self._key, entry, None, follower, cases=cases, original=original)
        if _fails(lambda: self._see("x").condition(condition)):
            self._entry.fails("its condition ('if') cannot be translated")
            self._draft.originals[self._entry.node] = self._task
        return [asks, step, *handlers]

    def _target(self, said: object, follower: str, *, nested: bool) -> str:
        if said == "continue":
            return follower
        if said == "exit":
            return END
        if said == "end":
            if nested:
                self._entry.differs("'end' ends the tasks around it, not the workflow")
            return END
        if isinstance(said, str) and said in self._beside:
            return said
        raise refused(f"'then' of '{self._path[:80]}' names no task beside it")

    def _see(self, value: str) -> Expressions:
        return Expressions(value, {**self._names, "$input": value})

    def _errors(self) -> Errors:
        return Errors(self._tasks.use.everything(), self._entry, self._names)

    # -- data ------------------------------------------------------------------------------------

    def _build(self, value: str) -> Node:
        if not self._kind:
            raise Untranslatable("it is of no known kind")
        unknown = set(self._task) - _AROUND - {self._kind} - _BESIDE.get(self._kind, set())
        if unknown:
            raise Untranslatable(f"'{min(unknown)}' is not known here")
        nodes: Node = {}
        given = value
        if "from" in mapping(self._task.get("input")):
            seen = self._see(value).data(mapping(self._task["input"])["from"], bare=True)
            given = self._draft.name(f"{self._entry.node}_input")
            nodes[given] = {"uses": "data.value", "with": {"value": seen}}
        core = getattr(self, f"_make_{self._kind}")(given)
        node = self._shaped(core, given, nodes)
        if self._key != self._entry.node:
            node["name"] = self._key[:200]
        if "timeout" in self._task:
            said = self._tasks.use.named("timeouts", self._task["timeout"])
            node["timeout"] = duration(mapping(said).get("after"))
        return node

    def _shaped(self, core: Node, given: str, nodes: Node) -> Node:
        """A node with what is made of the data before it and behind it."""
        said = mapping(self._task.get("output"))
        if "as" not in said and not nodes:
            return core
        passes = "wait" in core
        nodes["call"] = core
        if "as" not in said:
            return {"nodes": nodes, "output": braced(given if passes else "call")}
        seen = Expressions(given if passes else "call", {**self._names, "$input": given})
        return {"nodes": nodes, "output": seen.data(said["as"], bare=True)}

    def _export(self, id_: str, value: str) -> Mapping[str, Node]:
        said = mapping(self._task.get("export"))
        seen = Expressions(id_, {**self._names, "$input": value})
        try:
            found = seen.data(said.get("as", "."), bare=True)
        except Untranslatable as error:
            self._entry.fails(f"'export': {error}")
            self._draft.originals[self._entry.node] = self._task
            reason = {
                "message": f"what is exported was not imported: {error}",
                "code": "NOT_MAPPED",
            }
            return {self.context: {"needs": [id_], "uses": "flow.fail", "with": reason}}
        node: Node = {"needs": [id_], "uses": "data.value", "with": {"value": found}}
        return {self.context: node}

    # -- the kinds of tasks ------------------------------------------------------------------------

    def _make_set(self, value: str) -> Node:
        found = self._see(value).data(self._task["set"])
        return {"uses": "data.value", "with": {"value": found}}

    def _make_wait(self, value: str) -> Node:
        said = self._task["wait"]
        if isinstance(said, str) and not said.startswith("P"):
            return {"wait": {"for": self._see(value).data(said)}}
        return {"wait": {"for": duration(said)}}

    def _make_do(self, value: str) -> Node:
        return self._group(self._task["do"], value, self._names, "do")

    def _group(self, tasks: object, value: str, names: Names, key: str) -> Node:
        made = self._tasks.region(tasks, value, names, f"{self._path}.{key}.", {})
        return {"nodes": made.nodes, "output": braced(made.output())}

    def _make_try(self, value: str) -> Node:
        node = self._group(self._task["try"], value, self._names, "try")
        catch = mapping(self._task.get("catch"))
        retry = self._errors().retry(catch, self._tasks.use)
        return {**node, **({"retry": retry} if retry else {})}

    def _handler(self, step: Step, target: str) -> list[Step]:
        """What a caught error is handled with, as a step of its own."""
        if not step.catches:
            return []
        catch = mapping(self._task.get("catch"))
        handler = f"\0catch:{self._key}"
        entry = Entry(f"{self._path}.catch", "catch", self._draft.name(f"{self._key}_catch"))

        def build(value: str) -> Node:
            if "do" not in catch:
                return {"uses": "data.value", "with": {"value": braced(f"{value}.input")}}
            names = {**self._names, f"${text(catch.get('as'), 'error')}": f"{value}.error"}
            return self._group(catch["do"], f"{value}.input", names, "catch")

        return [Step(handler, entry, build, target, original=catch)]

    def _make_for(self, value: str) -> Node:
        said = mapping(self._task["for"])
        names = dict(self._names)
        each = self._draft.name(f"{self._entry.node}_each")
        items = self._see(value).expression(text(said.get("in"))).closed
        listed = self._draft.name(f"{self._entry.node}_list")
        names[f"${text(said.get('each'), 'item')}"] = f"{each}.value"
        names[f"${text(said.get('at'), 'index')}"] = f"{each}.index"
        made = self._tasks.region(self._task.get("do"), "acc", names, f"{self._path}.do.", {})
        seen: Node = {"value": braced(f"{listed}[index]"), "index": braced("index")}
        body = {each: {"uses": "data.value", "with": {"value": seen}}, **made.nodes}
        loop: Node = {"start": braced(value)}
        if "while" in self._task:
            at_once = {
                f"${text(said.get('each'), 'item')}": f"{listed}[index]",
                f"${text(said.get('at'), 'index')}": "index",
            }
            seen_by = Expressions("acc", {**self._names, **at_once})
            condition = seen_by.condition(self._task["while"])
            loop["while"] = f"index < {listed}.size() && ({condition})"
            loop["max"] = 1_000_000
        else:
            loop["times"] = f"{listed}.size()"
        inner: Node = {"loop": loop, "nodes": body, "output": braced(made.output())}
        return {
            "nodes": {
                listed: {"uses": "data.value", "with": {"value": braced(items)}},
                "call": inner,
            },
            "output": braced("call"),
        }

    def _make_fork(self, value: str) -> Node:
        said = mapping(self._task["fork"])
        nodes: Node = {}
        ids: list[str] = []
        for one in listing(said.get("branches")):
            for key, task in mapping(one).items():
                made = self._tasks.region(
                    [{key: task}], value, self._names, f"{self._path}.fork.", {}
                )
                id_ = self._draft.name(f"{self._entry.node}_{key}")
                nodes[id_] = {"nodes": made.nodes, "output": braced(made.output())}
                ids.append(id_)
        if not ids:
            raise Untranslatable("a fork without branches")
        if said.get("compete") is True:
            won = merged([(f'nodes.{id_}.status == "completed"', id_) for id_ in ids])
            return {"race": True, "nodes": nodes, "output": braced(won)}
        return {"nodes": nodes, "output": [braced(id_) for id_ in ids]}

    def _make_raise(self, value: str) -> Node:
        return self._errors().raised(mapping(self._task["raise"]).get("error"), self._see(value))

    def _make_call(self, value: str) -> Node:
        name = text(self._task["call"])
        said = mapping(self._task.get("with"))
        if name == "http":
            return calls.http(said, self._see(value), self._tasks.use.everything(), self._entry)
        if name == "mcp":
            return calls.mcp(said, self._see(value), self._entry)
        if self._tasks.use.has("functions", name):
            function = mapping(self._tasks.use.named("functions", name))
            given = self._draft.name(f"{self._entry.node}_arguments")
            task = {k: v for k, v in function.items() if k != "input"}
            if "with" in task and text(task.get("call")) == "http":
                core = calls.http(
                    mapping(task["with"]),
                    self._see(given),
                    self._tasks.use.everything(),
                    self._entry,
                )
                arguments = self._see(value).data(said)
                first: Node = {"uses": "data.value", "with": {"value": arguments}}
                return {"nodes": {given: first, "call": core}, "output": braced("call")}
            raise Untranslatable("a function that is no call of HTTP")
        raise Untranslatable(calls.why_not(name))

    def _make_run(self, value: str) -> Node:
        return calls.run(mapping(self._task["run"]), self._see(value), self._entry)

    def _make_listen(self, value: str) -> Node:
        if "foreach" in self._task:
            raise Untranslatable("'foreach' of 'listen' is not known here")
        del value
        names = self._draft.name
        return calls.listen(mapping(self._task["listen"]), self._names, self._entry, names)

    def _make_emit(self, value: str) -> Node:
        del value
        raise Untranslatable("there is no node type that tells of events")

    def _cases(self, follower: str, *, nested: bool) -> list[Case]:
        cases: list[Case] = []
        for one in listing(self._task["switch"]):
            for said in mapping(one).values():
                case = mapping(said)
                target = self._target(case.get("then", "continue"), follower, nested=nested)
                condition = case.get("when")
                if condition is None:
                    cases.append(Case(lambda _: "else", target))
                else:
                    cases.append(Case(self._when(condition), target))
        if not cases:
            raise refused(f"the switch '{self._path[:80]}' has no cases")
        last = self._target(self._task.get("then", "continue"), follower, nested=nested)
        if all(
            mapping(c).get("when") is not None
            for o in listing(self._task["switch"])
            for c in mapping(o).values()
        ):
            cases.append(Case(lambda _: "else", last))
        return cases

    def _when(self, condition: object) -> Callable[[str], str]:
        return lambda value: self._see(value).condition(condition)


def _part_of(kind: str, task: dict[str, object]) -> bool:
    """Whether a key belongs to another kind: 'do' of 'for'."""
    return kind == "do" and "for" in task


def _fails(test: Callable[[], object]) -> bool:
    try:
        test()
    except Untranslatable:
        return True
    return False
