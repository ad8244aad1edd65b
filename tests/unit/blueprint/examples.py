"""Texts of blueprints that several tests read."""

FULL = """\
atomiton: 1                            # format version
id: order-report
name: Order report
version: 1.0.0
description: Big orders, converted and saved
metadata: {author: Ada, tags: [orders, 2]}
inputs:
  path: string                         # short form
  threshold: {type: number, default: 100, description: Smallest total that counts}
  since: {type: [string, null], format: date-time, default: null}
  day: date
  rows: {type: array, items: {type: object, properties: {id: integer}, required: [id]}}
  extra: any
variables: {currency: EUR}
secrets: [API_KEY]
limits: {concurrency: 16, timeout: 5m, steps: 1000, cost: 2.5}
defaults: {retry: {attempts: 2}, timeout: 1m30s, runtime: thread}
durability: async
compensate_on: [failure]

nodes:
  read:
    uses: sheet.read
    with:
      path: ${{ inputs.path }}
  big:
    uses: data.filter@1
    needs: read
    with:
      items: ${{ read.rows }}
      where: item.total > inputs.threshold
  convert:
    map: ${{ big.items }}
    as: order
    concurrency: 8
    on_item_error: collect
    uses: http.request
    with: {url: "http://127.0.0.1:9000/rate?to=${{ vars.currency }}"}
    retry: {attempts: 3, delay: 200ms, factor: 2, max_delay: 5s, jitter: 0, on: [TIMEOUT]}
    timeout: 10s
    deadline: PT1M
  route:
    branch:
      high: score.value > 80
      low: else
    mode: all
  charge:
    uses: payments.charge
    needs: [route.high, convert.error]
    if: true
    join: {at_least: 1}
    enabled: false
    on_error: {value: null}
    cache: 1h
    weight: 2
    compensate:
      uses: payments.refund
      with: {id: "${{ charge.id }}"}
      when_failed: true
  group:
    race: true
    nodes:
      a: {wait: {for: 10s}}
      b: {wait: {signal: paid, match: payload.x > 1, timeout: 1h}}
      c: {wait: {until: "2030-01-01T00:00:00Z"}}
      d: {wait: {for: "${{ inputs.threshold }}"}}
    output: ${{ a }}
  ask:
    wait: {approval: {title: Ship it?, fields: {amount: number}}, timeout: 2d}
  poll:
    loop: {until: acc.done, start: {done: false}, max: 5, delay: 1s}
    call: ./child.yaml
    on_error: continue
    join: settled

output: ${{ charge.id }}
on:
  failure: {uses: log.write, with: {message: failed}}
triggers:
  - webhook: {path: orders, method: POST, respond: result, secret: ORDERS_KEY}
  - schedule: {cron: "*/5 * * * *", timezone: Europe/Berlin, overlap: skip, catch_up: 1}
  - event: {type: order.created}
  - watch: {path: inbox, pattern: "*.csv"}
layout:
  read: [0, 10.5]
"""


def minimal(**changes):
    """A small blueprint as plain data, with changes; a key that is None is left out."""
    data = {"atomiton": 1, "id": "a", "nodes": {"x": {"uses": "data.set"}}, **changes}
    return {key: value for key, value in data.items() if value is not None}


def node(**body):
    """A blueprint with one node as plain data."""
    return minimal(nodes={"x": body})


#: Documents that are wrong: name, data, words of the message, path, words of the hint.
WRONG = {
    "version missing": (minimal(atomiton=None), "needs the key 'atomiton'", "", "atomiton: 1"),
    "version text": (minimal(atomiton="1"), "version of the format", "atomiton", "atomiton: 1"),
    "version 2": (minimal(atomiton=2), "version of the format", "atomiton", "atomiton: 1"),
    "version true": (minimal(atomiton=True), "version of the format", "atomiton", "atomiton: 1"),
    "id missing": (minimal(id=None), "needs the key 'id'", "", "add"),
    "id": (minimal(id="Order Report"), "'id' cannot be", "id", "'order-report'"),
    "no nodes": (minimal(nodes=None), "needs the key 'nodes'", "", "nodes:"),
    "empty nodes": (minimal(nodes={}), "at least one node", "nodes", "id"),
    "list of nodes": (minimal(nodes=[{"uses": "a"}]), "at least one node", "nodes", "id"),
    "unknown key": (minimal(desciption="x"), "no key 'desciption'", "desciption", "'description'"),
    "synonym": (minimal(steps={}), "no key 'steps'", "steps", "'nodes'"),
    "number as text": (minimal(version=1.5), "'version' must be text", "version", '"1.5"'),
    "inputs list": (minimal(inputs=["a"]), "must hold keys", "inputs", None),
    "input name": (minimal(inputs={"a b": "string"}), "cannot be a name", "inputs.a b", "letter"),
    "input type": (minimal(inputs={"a": "strng"}), "no type 'strng'", "inputs.a", "'string'"),
    "input synonym": (minimal(inputs={"a": "int"}), "no type 'int'", "inputs.a", "'integer'"),
    "input null": (minimal(inputs={"a": None}), "name of a type", "inputs.a", "string"),
    "input keyword": (
        minimal(inputs={"a": {"minimun": 1}}),
        "no key 'minimun'",
        "inputs.a.minimun",
        "'minimum'",
    ),
    "input required": (
        minimal(inputs={"a": {"required": True}}),
        "'required' must list",
        "inputs.a.required",
        "no default",
    ),
    "input pattern": (
        minimal(inputs={"a": {"pattern": "("}}),
        "regular expression",
        "inputs.a.pattern",
        None,
    ),
    "secret": (minimal(secrets=["1 b"]), "not the name of a secret", "secrets[0]", "API_KEY"),
    "limits": (minimal(limits={"steps": 0}), "'steps' must be", "limits.steps", None),
    "limits true": (minimal(limits={"steps": True}), "'steps' must be", "limits.steps", None),
    "limits key": (minimal(limits={"step": 1}), "no key 'step'", "limits.step", "'steps'"),
    "cost": (minimal(limits={"cost": 0}), "above 0", "limits.cost", None),
    "durability": (minimal(durability="asinc"), "sync, async or none", "durability", "'async'"),
    "compensate_on": (minimal(compensate_on=["x"]), "failure or cancel", "compensate_on[0]", None),
    "lifecycle": (minimal(on={"sucess": {"uses": "a"}}), "no key 'sucess'", "on.sucess", "success"),
    "layout": (minimal(layout={"x": [1]}), "[x, y]", "layout.x", None),
    "defaults": (
        minimal(defaults={"retry": {"delay": "x"}}),
        "duration",
        "defaults.retry.delay",
        None,
    ),
    "trigger rate": (
        minimal(triggers=[{"webhook": {"path": "a", "rate": "many"}}]),
        "'rate' must be a number in a time",
        "triggers[0].webhook.rate",
        "100/1m",
    ),
    "trigger list": (minimal(triggers={}), "must be a list", "triggers", "webhook"),
    "trigger kind": (
        minimal(triggers=[{"cron": "x"}]),
        "no key 'cron'",
        "triggers[0].cron",
        "schedule",
    ),
    "trigger two": (
        minimal(triggers=[{"event": {"type": "a"}, "watch": {"path": "b"}}]),
        "exactly one kind",
        "triggers[0]",
        "two",
    ),
    "trigger path": (
        minimal(triggers=[{"webhook": {}}]),
        "needs the key 'path'",
        "triggers[0].webhook",
        "path",
    ),
    "node id": (
        minimal(nodes={"Read It": {"uses": "a"}}),
        "id of a node",
        "nodes.Read It",
        "'read_it'",
    ),
    "reserved id": (
        minimal(nodes={"item": {"uses": "a"}}),
        "means something else",
        "nodes.item",
        "item_",
    ),
    "reserved word": (
        minimal(nodes={"true": {"uses": "a"}}),
        "means something",
        "nodes.true",
        "true_",
    ),
    "no node": (minimal(nodes={"x": None}), "got nothing", "nodes.x", "uses"),
    "no kind": (node(name="x"), "does not say what it is", "nodes.x", "uses"),
    "two kinds": (node(uses="a", call="b"), "'uses' and 'call'", "nodes.x.call", "two"),
    "node key": (node(uses="a", timout=1), "no key 'timout'", "nodes.x.timout", "'timeout'"),
    "node synonym": (
        node(uses="a", depends_on=[]),
        "'depends_on'",
        "nodes.x.depends_on",
        "'needs'",
    ),
    "uses": (node(uses="a b"), "name of a node type", "nodes.x.uses", "file.read"),
    "uses version": (node(uses="a@x"), "name of a node type", "nodes.x.uses", "@1"),
    "call": (node(call="A B"), "name a blueprint", "nodes.x.call", "order-report"),
    "with": (node(uses="a", **{"with": [1]}), "'with' must hold keys", "nodes.x.with", None),
    "needs": (node(uses="a", needs=["A"]), "not the id of a node", "nodes.x.needs[0]", "read"),
    "if": (node(uses="a", **{"if": 5}), "must be an expression", "nodes.x.if", None),
    "enabled": (node(uses="a", enabled="no"), "true or false", "nodes.x.enabled", "YAML 1.2"),
    "two repeats": (
        node(uses="a", map=[1], loop={"times": 1}),
        "not by both",
        "nodes.x.loop",
        "group",
    ),
    "branch repeat": (
        node(branch={"a": "b"}, map=[1]),
        "cannot be repeated",
        "nodes.x.map",
        "group",
    ),
    "map bare": (node(uses="a", map="b.c"), "a list or an object", "nodes.x.map", "${{ b.c }}"),
    "as without map": (
        node(uses="a", **{"as": "b"}),
        "belongs to a node with 'map'",
        "nodes.x.as",
        None,
    ),
    "as reserved": (
        node(uses="a", map=[1], **{"as": "run"}),
        "means something",
        "nodes.x.as",
        "run_",
    ),
    "as a node": (
        node(uses="a", map=[1], **{"as": "x"}),
        "is the id of a node",
        "nodes.x.as",
        "x_item",
    ),
    "loop": (node(uses="a", loop={"max": 1}), "exactly one of", "nodes.x.loop", None),
    "loop max": (
        node(uses="a", loop={"times": 1, "max": 0}),
        "'max' must",
        "nodes.x.loop.max",
        None,
    ),
    "route": (node(branch={"error": "a"}), "name of a route", "nodes.x.branch.error", "error"),
    "two else": (
        node(branch={"a": "else", "b": "else"}),
        "at most one 'else'",
        "nodes.x.branch.b",
        None,
    ),
    "branch empty": (node(branch={}), "must hold routes", "nodes.x.branch", "score"),
    "wait short": (node(wait="10s"), "'wait' must hold", "nodes.x.wait", "for"),
    "wait two": (node(wait={"for": 1, "until": "a"}), "exactly one of", "nodes.x.wait", None),
    "wait match": (
        node(wait={"for": 1, "match": "a"}),
        "wait with 'signal'",
        "nodes.x.wait.match",
        None,
    ),
    "wait duration": (node(wait={"for": "soon"}), "not a duration", "nodes.x.wait.for", None),
    "approval": (
        node(wait={"approval": {"titel": "a"}}),
        "'titel'",
        "nodes.x.wait.approval.titel",
        "title",
    ),
    "retry short": (node(uses="a", retry=3), "'retry' must hold", "nodes.x.retry", "{attempts: 3}"),
    "retry attempts": (
        node(uses="a", retry={"attempts": 0}),
        "'attempts'",
        "nodes.x.retry.attempts",
        None,
    ),
    "retry jitter": (node(uses="a", retry={"jitter": 2}), "'jitter'", "nodes.x.retry.jitter", None),
    "retry factor": (
        node(uses="a", retry={"factor": 0.5}),
        "'factor'",
        "nodes.x.retry.factor",
        None,
    ),
    "retry code": (
        node(uses="a", retry={"on": ["timeout"]}),
        "code",
        "nodes.x.retry.on[0]",
        "TIMEOUT",
    ),
    "timeout zero": (node(uses="a", timeout=0), "longer than nothing", "nodes.x.timeout", None),
    "timeout bad": (node(uses="a", timeout="5 minutes"), "not a duration", "nodes.x.timeout", None),
    "timeout expression": (
        node(uses="a", timeout="${{ a }}"),
        "duration",
        "nodes.x.timeout",
        "expression",
    ),
    "join": (node(uses="a", join="al"), "'join' must be", "nodes.x.join", "'all'"),
    "join at least": (
        node(uses="a", join={"at_least": 0}),
        "'at_least'",
        "nodes.x.join.at_least",
        None,
    ),
    "on_error": (node(uses="a", on_error="ignore"), "continue", "nodes.x.on_error", None),
    "compensate": (
        node(uses="a", compensate={"when_failed": True}),
        "does not say",
        "nodes.x.compensate",
        "uses",
    ),
    "compensate twice": (
        node(uses="a", compensate={"uses": "b", "compensate": {"uses": "c"}}),
        "cannot have 'compensate'",
        "nodes.x.compensate.compensate",
        None,
    ),
    "when_failed": (
        node(uses="a", when_failed=True),
        "no key 'when_failed'",
        "nodes.x.when_failed",
        None,
    ),
    "weight": (node(uses="a", weight=-1), "'weight'", "nodes.x.weight", None),
    "inside a group": (
        node(nodes={"y": {"uses": "a", "need": []}}),
        "no key 'need'",
        "nodes.x.nodes.y.need",
        "'needs'",
    ),
    "input list of types": (
        minimal(inputs={"a": {"type": ["string", "any"]}}),
        "in a list of types",
        "inputs.a.type[1]",
        None,
    ),
    "input type of nothing": (
        minimal(inputs={"a": {"type": []}}),
        "'type' must be",
        "inputs.a.type",
        "string",
    ),
    "input enum": (minimal(inputs={"a": {"enum": []}}), "at least one", "inputs.a.enum", None),
    "input examples": (minimal(inputs={"a": {"examples": 1}}), "a list", "inputs.a.examples", None),
    "input bound": (minimal(inputs={"a": {"minimum": "1"}}), "a number", "inputs.a.minimum", None),
    "input properties": (
        minimal(inputs={"a": {"properties": []}}),
        "keys and values",
        "inputs.a.properties",
        None,
    ),
    "input property": (
        minimal(inputs={"a": {"properties": {"b": "strng"}}}),
        "'strng'",
        "inputs.a.properties.b",
        "'string'",
    ),
    "input any of nothing": (
        minimal(inputs={"a": {"anyOf": []}}),
        "at least one type",
        "inputs.a.anyOf",
        None,
    ),
    "input any of": (
        minimal(inputs={"a": {"anyOf": ["string", "x"]}}),
        "no type 'x'",
        "inputs.a.anyOf[1]",
        None,
    ),
    "input additional": (
        minimal(inputs={"a": {"additionalProperties": "str"}}),
        "'str'",
        "inputs.a.additionalProperties",
        "'string'",
    ),
    "metadata": (minimal(metadata=[]), "keys and values", "metadata", None),
    "variables": (minimal(variables=[]), "keys and values", "variables", None),
    "on": (minimal(on=[]), "keys and values", "on", None),
    "layout list": (minimal(layout=[]), "keys and values", "layout", None),
    "defaults list": (minimal(defaults=[]), "keys and values", "defaults", None),
    "limits list": (minimal(limits=[]), "keys and values", "limits", None),
    "version empty": (minimal(version=""), "is empty", "version", None),
    "trigger text": (minimal(triggers=["x"]), "keys and values", "triggers[0]", "webhook"),
    "trigger cron": (
        minimal(triggers=[{"schedule": {"cron": 5}}]),
        "cron expression",
        "triggers[0].schedule.cron",
        "five fields",
    ),
    "trigger zone": (
        minimal(triggers=[{"schedule": {"cron": "* * * * *", "timezone": 5}}]),
        "time zone",
        "triggers[0].schedule.timezone",
        "UTC",
    ),
    "needs mapping": (node(uses="a", needs={}), "must be a list", "nodes.x.needs", "read"),
    "as number": (node(uses="a", map=[1], **{"as": 5}), "must be text", "nodes.x.as", None),
    "cache": (node(uses="a", cache={"tll": 1}), "no key 'tll'", "nodes.x.cache.tll", "'ttl'"),
    "loop list": (node(uses="a", loop=[]), "keys and values", "nodes.x.loop", None),
    "compensate text": (node(uses="a", compensate="b"), "keys and", "nodes.x.compensate", None),
    "fields": (
        node(wait={"approval": {"fields": []}}),
        "keys and values",
        "nodes.x.wait.approval.fields",
        None,
    ),
}
