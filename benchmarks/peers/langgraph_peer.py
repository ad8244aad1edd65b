"""LangGraph: a ``StateGraph``; kept by ``AsyncSqliteSaver``, synchronously, as its docs name it."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from common import Peer, Run, Step, main
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send


class Chained(TypedDict):
    value: Any


class Fanned(TypedDict):
    value: Any
    given: Annotated[list[Any], operator.add]
    count: int


class LangGraph(Peer):
    name = "LangGraph"
    package = "langgraph"

    async def open(self) -> None:
        self.context = AsyncSqliteSaver.from_conn_string(str(self.folder / "graph.db"))
        self.saver = await self.context.__aenter__()
        self.threads = itertools.count()

    async def close(self) -> None:
        await self.context.__aexit__(None, None, None)

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        graph, before = StateGraph(Chained), START
        for place, step in enumerate(steps):

            async def work(state: Chained, step: Step = step) -> dict[str, object]:
                return {"value": await step(state["value"])}

            graph.add_node(f"n{place}", work)
            graph.add_edge(before, f"n{place}")
            before = f"n{place}"
        graph.add_edge(before, END)
        return self._running(graph, "value", durable=durable, limit=len(steps) + 5)

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        graph = StateGraph(Fanned)

        async def work(state: dict[str, object]) -> dict[str, object]:
            return {"given": [await step(state["value"])]}

        def spread(state: Fanned) -> list[Send]:
            return [Send("work", {"value": state["value"]}) for _ in range(width)]

        graph.add_node("work", work)
        graph.add_node("all", lambda state: {"count": len(state["given"])})
        graph.add_conditional_edges(START, spread, ["work"])
        graph.add_edge("work", "all")
        graph.add_edge("all", END)
        return self._running(graph, "count", durable=durable, limit=10)

    def _running(self, graph: Any, key: str, *, durable: bool, limit: int) -> Run:
        compiled = graph.compile(checkpointer=self.saver if durable else None)
        how = {"durability": "sync"} if durable else {}

        async def run(value: object) -> object:
            config = {
                "recursion_limit": limit, "configurable": {"thread_id": str(next(self.threads))}
            }  # fmt: skip
            return (await compiled.ainvoke({"value": value}, config, **how))[key]

        return run


if __name__ == "__main__":
    main(LangGraph)
