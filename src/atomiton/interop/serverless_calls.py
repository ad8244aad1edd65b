"""What tasks of Serverless Workflow call and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from atomiton.interop.data import is_list, is_map, listing, mapping, text
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, plain_text
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry
from atomiton.interop.serverless_data import Expressions, duration

_REQUEST: Final = frozenset(
    ["method", "endpoint", "headers", "query", "body", "output", "redirect"]
)
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def why_not(name: str) -> str:
    """Why a call is not mapped."""
    if name in ("asyncapi", "grpc", "openapi", "a2a"):
        return f"there is no node type for calls of '{name}'"
    if "://" in name or "@" in name:
        return "functions of catalogs are not fetched"
    return f"there is no function '{name[:60]}'"


def http(
    said: dict[str, object], seen: Expressions, use: Mapping[str, object], entry: Entry
) -> Node:
    """A call of HTTP: an answer that is not of 200 to 299 is an error."""
    for key in said:
        if key not in _REQUEST:
            raise Untranslatable(f"'{key}' of a call is not known here")
    endpoint = said.get("endpoint")
    params: Node = {}
    if is_map(endpoint):
        about = mapping(endpoint)
        params["url"] = seen.address(about.get("uri"))
        if "authentication" in about:
            params["auth"] = _auth(about["authentication"], seen, use)
    else:
        params["url"] = seen.address(endpoint)
    method = text(said.get("method")).upper()
    if method not in _METHODS:
        raise Untranslatable(f"the method {method[:20]!r} is not known")
    params["method"] = method
    for key, ours in (("headers", "headers"), ("query", "query"), ("body", "json")):
        if key in said:
            params[ours] = seen.data(said[key])
    follows = said.get("redirect") is True
    if not follows:
        params["follow_redirects"] = False
    nodes: Node = {"answer": {"uses": "http.request", "with": params}}
    if not follows:
        nodes["redirected"] = {
            "uses": "flow.fail",
            "if": "answer.status >= 300",
            "with": {
                "message": "the server answered ${{ answer.status }}: it points elsewhere",
                "code": "HTTP_STATUS",
            },
        }
    content = "answer.json != null ? answer.json : answer.body"
    wanted = text(said.get("output"), "content")
    if wanted == "content":
        return {"nodes": nodes, "output": braced(content)}
    if wanted == "response":
        entry.differs("an answer has 'statusCode', 'headers' and 'content', not the request")
        answer = {
            "statusCode": braced("answer.status"),
            "headers": braced("answer.headers"),
            "content": braced(content),
        }
        return {"nodes": nodes, "output": answer}
    raise Untranslatable(f"the output {wanted[:20]!r} of a call is not known here")


def _auth(said: object, seen: Expressions, use: Mapping[str, object]) -> Node:
    about = mapping(said)
    if isinstance(about.get("use"), str):
        about = mapping(mapping(use.get("authentications")).get(text(about["use"])))
    basic, bearer = mapping(about.get("basic")), mapping(about.get("bearer"))
    if "token" in bearer:
        return {"token": seen.data(bearer["token"])}
    if "username" in basic:
        return {
            "username": seen.data(basic["username"]),
            "password": seen.data(basic.get("password", "")),
        }
    kinds = ", ".join(about) or "nothing"
    raise Untranslatable(f"authentication by {kinds[:60]} is not known here, only basic and bearer")


def mcp(said: dict[str, object], seen: Expressions, entry: Entry) -> Node:
    """A call of a tool of the Model Context Protocol, over HTTP or of a program."""
    about, transport = mapping(said.get("parameters")), mapping(said.get("transport"))
    if said.get("method") != "tools/call" or not text(about.get("name")):
        raise Untranslatable("of the Model Context Protocol only calls of tools are known here")
    params: Node = {"tool": seen.data(about["name"])}
    if "arguments" in about:
        params["arguments"] = seen.data(about["arguments"])
    program, web = mapping(transport.get("stdio")), mapping(transport.get("http"))
    if program:
        more = [seen.data(argument) for argument in listing(program.get("arguments"))]
        params["command"] = [seen.data(program.get("command")), *more]
        if "environment" in program:
            params["env"] = seen.data(program["environment"])
        entry.differs(
            "the program runs on this machine, with the rights of whoever runs the blueprint"
        )
    elif web:
        endpoint = web.get("endpoint")
        params["url"] = seen.address(mapping(endpoint).get("uri") if is_map(endpoint) else endpoint)
        if "headers" in web:
            params["headers"] = seen.data(web["headers"])
        if "authentication" in mapping(endpoint):
            raise Untranslatable("authentication of a call of tools: give its headers")
    else:
        raise Untranslatable("it does not say how the server is reached")
    core: Node = {"uses": "mcp.run" if program else "mcp.call", "with": params}
    result = {
        "content": braced("answer.content"),
        "structuredContent": braced("answer.value"),
        "isError": False,
    }
    node: Node = {"nodes": {"answer": core}, "output": result}
    if "timeout" in said:
        node["timeout"] = duration(said["timeout"])
    return node


def run(said: dict[str, object], seen: Expressions, entry: Entry) -> Node:
    """A task that runs something."""
    if said.get("await") is False:
        raise Untranslatable("a task that is not waited for")
    shell, script = mapping(said.get("shell")), mapping(said.get("script"))
    if shell:
        return _program(["sh", "-c"], text(shell.get("command")), shell, said, seen, "sh", entry)
    if script and text(script.get("language")).lower() in ("python", "python3"):
        code = text(script.get("code"))
        return _program(["python3", "-c"], code, script, said, seen, None, entry)
    if script and text(script.get("language")).lower() in ("javascript", "js"):
        code = text(script.get("code"))
        module = ["node", "--input-type=module", "-e"]
        return _program(module, code, script, said, seen, "script", entry)
    if script:
        language = text(script.get("language"))[:20]
        raise Untranslatable(
            f"scripts in {language!r} are not run here, only python and javascript"
        )
    if "container" in said:
        raise Untranslatable("containers are not run here")
    if "workflow" in said:
        raise Untranslatable(
            "it runs another workflow: import that one as well, and call it with 'call'"
        )
    raise Untranslatable("it does not say what to run")


def _program(
    begins: list[str],
    code: str,
    about: dict[str, object],
    said: dict[str, object],
    seen: Expressions,
    zeroth: str | None,
    entry: Entry,
) -> Node:
    if not code:
        raise Untranslatable("it does not say what to run")
    made = seen.data(code)
    arguments = about.get("arguments", [])
    if not is_list(arguments):
        raise Untranslatable("arguments that are no list")
    more = [seen.data(argument) for argument in listing(arguments)]
    params: Node = {"command": [*begins, made, *([zeroth] if zeroth else []), *more]}
    if "stdin" in about:
        params["stdin"] = seen.data(about["stdin"])
    if "environment" in about:
        params["env"] = seen.data(about["environment"])
    wanted = text(said.get("return"), "stdout")
    if wanted in ("code", "all"):
        params["check"] = False
    core: Node = {"uses": "shell.run", "with": params}
    entry.differs("the program runs on this machine, with the rights of whoever runs the blueprint")
    outputs: dict[str, object] = {
        "stdout": braced("answer.stdout"),
        "stderr": braced("answer.stderr"),
        "code": braced("answer.exit_code"),
        "none": braced("null"),
        "all": {
            "code": braced("answer.exit_code"),
            "stdout": braced("answer.stdout"),
            "stderr": braced("answer.stderr"),
        },
    }
    if wanted not in outputs:
        raise Untranslatable(f"'return: {wanted[:20]}' is not known")
    return {"nodes": {"answer": core}, "output": outputs[wanted]}


def listen(
    said: dict[str, object], names: Mapping[str, str], entry: Entry, name: Callable[[str], str]
) -> Node:
    """A task that waits for events: signals of their types."""
    to = mapping(said.get("to"))
    if set(said) - {"to", "read"} or said.get("read", "data") != "data":
        raise Untranslatable("only the data of events is known here")
    if len(to) != 1:
        raise Untranslatable("only 'one', 'all' and 'any' without 'until' are known here")
    ((how, filters),) = to.items()
    wanted = [filters] if how == "one" else listing(filters)
    if not wanted:
        raise Untranslatable("it takes events of any type")
    waits: Node = {name("event"): _signal(mapping(one), names) for one in wanted}
    entry.differs(
        "an event is a signal to the run, named by its type ('atomiton runs signal RUN TYPE')"
    )
    if how == "all" and len(wanted) > 1:
        entry.differs("the events stand in the order of the file, not in that in which they come")
    if how in ("one", "all"):
        return {"nodes": waits, "output": [braced(id_) for id_ in waits]}
    if how != "any":
        raise Untranslatable(f"'{how[:20]}' is not known here")
    won = " : ".join(f'nodes.{id_}.status == "completed" ? [{id_}]' for id_ in waits)
    return {"race": True, "nodes": waits, "output": braced(f"{won} : []")}


def _signal(said: dict[str, object], names: Mapping[str, str]) -> Node:
    about = mapping(said.get("with"))
    if set(said) - {"with"} or set(about) - {"type", "data", "source"}:
        raise Untranslatable("events are chosen by 'type' and 'data' only")
    if not text(about.get("type")):
        raise Untranslatable("events are chosen by their type only")
    wait: Node = {"signal": plain_text(text(about["type"]))}
    if "data" in about:
        wait["match"] = Expressions("payload", names).condition(about["data"])
    return {"wait": wait}
