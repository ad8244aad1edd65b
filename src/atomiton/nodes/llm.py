"""The ``llm`` family: language models of any server that speaks as most do."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.chat import (
    Data,
    Listener,
    Reply,
    ToolCall,
    Usage,
    calls_of,
    streamed,
    value_of,
    whole,
)
from atomiton.nodes.http import failure
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, Http, Progress, injected


class Tool(TypedDict):
    """A tool that a model may ask for; `parameters` is a JSON Schema of an object."""

    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, object]]


class Price(TypedDict):
    """What a million tokens cost, in any currency."""

    input: float
    output: float


class Answer(TypedDict):
    """What a model answered.

    `value` is there with a `schema`, `cost` with a `price`; `messages` is all that was said, to go
    on with.

    Attributes:
        text: The answer.
        value: What it says as JSON; there with a `schema`.
        tool_calls: What the model asks for: `id`, `name` and `arguments` of each.
        finish: Why it stopped, such as `stop`, `length` or `tool_calls`.
        model: The model that answered.
        usage: Tokens: `input`, `output` and `total`.
        cost: There with a `price`.
        messages: All that was said, to go on with.
    """

    text: str
    value: object
    tool_calls: list[ToolCall]
    finish: str
    model: str
    usage: Usage
    cost: float | None
    messages: list[object]


@node(
    "llm.chat",
    title="Ask a model",
    icon="sparkles",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: llm-chat-example
    inputs:
      model_url: {type: string, default: "http://127.0.0.1:11434/v1"}
    nodes:
      sort:
        uses: llm.chat
        with:
          url: ${{ inputs.model_url }}
          model: small
          system: You sort mail.
          prompt: My parcel has not come.
          schema:
            type: object
            properties: {topic: {type: string}, urgent: {type: boolean}}
            required: [topic, urgent]
        retry: {attempts: 3}
    output: ${{ sort.value.topic }}
    """,
)
async def chat(
    url: str,
    model: str,
    prompt: str | None = None,
    *,
    messages: list[object] | None = None,
    system: str | None = None,
    schema: dict[str, object] | None = None,
    tools: list[Tool] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stream: bool = True,
    price: Price | None = None,
    key: str | None = None,
    options: dict[str, object] | None = None,
    http: Http = injected,
    progress: Progress = injected,
    attempt: Attempt = injected,
) -> Answer:
    """Ask a language model, at any server that answers `/chat/completions`, as most do.

    With a `schema` the model is told to answer with JSON that fits it, and `value` is that JSON,
    checked: an answer that does not fit fails the node (`MODEL_ANSWER`), and a retry asks again. An
    answer that was cut at `max_tokens` fails it too. With `tools` it may ask for tools instead of
    answering: run them, and go on with `messages` and a message of role `tool` for each.

    While the answer comes, its end is shown as progress. Tokens are counted as the server counts.

    Args:
        url: Address of the server, such as `http://127.0.0.1:11434/v1`.
        model: Name of the model.
        prompt: What is asked.
        messages: What was said before: objects with `role` and `content`.
        system: What the model is to keep to.
        schema: JSON Schema that the answer is to fit.
        tools: Tools that the model may ask for.
        temperature: How freely it answers; what the server has by default.
        max_tokens: Most tokens of the answer.
        stream: Whether the answer comes in parts, so that there is progress.
        price: What a million tokens cost, as `{input, output}`; then `cost` is counted, also into
            the `limits.cost` of the run.
        key: What lets us in; give it as `${{ secrets.NAME }}`.
        options: More fields of the request, as the server knows them.
        http: The door to other systems.
        progress: Who is told how far it is.
        attempt: Who is told what it has cost.
    """
    said = _messages(system, messages, prompt)
    asked: Data = {"model": model, "messages": said, "stream": stream}
    asked |= _wishes(schema, tools, temperature, max_tokens)
    if stream:
        asked["stream_options"] = {"include_usage": True}
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    answer = await http.request(
        "POST",
        f"{url.rstrip('/')}/chat/completions",
        headers=headers,
        body=json.encode(asked | (options or {})),
        follow_redirects=False,
        on_part=Listener(progress, max_tokens) if stream else None,
    )
    if answer.status >= 300:
        raise failure("POST", answer)
    # A server that knows no streams answers in one piece all the same.
    events = answer.headers.get("content-type", "").startswith("text/event-stream")
    reply = streamed(answer.body) if events else whole(answer.body)
    cost = None if price is None else _cost(reply["usage"], price)
    attempt.spend(cost or 0)  # whatever the answer is worth
    return _answer(reply, said, schema, cost)


def _cost(usage: Usage, price: Price) -> float:
    return (usage["input"] * price["input"] + usage["output"] * price["output"]) / 1_000_000


def _messages(system: str | None, before: list[object] | None, prompt: str | None) -> list[object]:
    said: list[object] = [] if system is None else [{"role": "system", "content": system}]
    for index, message in enumerate(before or []):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):  # pyright: ignore[reportUnknownMemberType]
            text = f"messages[{index}] is not an object with role and content"
            raise NodeError(text, code="INVALID_INPUT", details={"parameter": "messages"})
        said.append(message)  # pyright: ignore[reportUnknownArgumentType]
    if prompt is not None:
        said.append({"role": "user", "content": prompt})
    if not said or (system is not None and len(said) == 1):
        raise NodeError("give prompt or messages", code="INVALID_INPUT")
    return said


def _wishes(
    schema: dict[str, object] | None,
    tools: list[Tool] | None,
    temperature: float | None,
    max_tokens: int | None,
) -> Data:
    wishes: Data = {}
    if schema is not None:
        named = {"name": "answer", "schema": schema, "strict": True}
        wishes["response_format"] = {"type": "json_schema", "json_schema": named}
    if tools:
        wishes["tools"] = [{"type": "function", "function": tool} for tool in tools]
    if temperature is not None:
        wishes["temperature"] = temperature
    if max_tokens is not None:
        if max_tokens < 1:
            raise NodeError("max_tokens must be 1 or more", code="INVALID_INPUT")
        wishes["max_tokens"] = max_tokens
    return wishes


def _answer(
    reply: Reply, said: list[object], schema: dict[str, object] | None, cost: float | None
) -> Answer:
    message, usage = reply["message"], reply["usage"]
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    if reply["finish"] == "content_filter" or (message.get("refusal") and not text):
        why = str(message.get("refusal") or "its filter stopped the answer")
        raise NodeError(f"the model refused: {why[:1000]}", code="MODEL_ANSWER", retryable=False)
    if reply["finish"] == "length":
        raise NodeError(
            f"the model's answer was cut after {usage['output']} tokens; see max_tokens",
            code="LIMIT_EXCEEDED",
            details={"text": text[:2000]},
        )
    calls = calls_of(message)
    value = value_of(text, schema) if schema is not None and not calls else None
    return {
        "text": text,
        "value": value,
        "tool_calls": calls,
        "finish": reply["finish"],
        "model": reply["model"],
        "usage": usage,
        "cost": cost,
        "messages": [*said, {"role": "assistant", **message}],
    }
