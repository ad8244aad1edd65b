"""pydantic-graph: steps of a ``GraphBuilder``; it keeps nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence

from common import Peer, Run, Step, main
from pydantic_graph import GraphBuilder, StepContext
from pydantic_graph.join import reduce_list_append


class PydanticGraph(Peer):
    name = "pydantic-graph"
    package = "pydantic-graph"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing by itself")
        builder = GraphBuilder(input_type=object, output_type=object)
        before: object = builder.start_node
        for place, step in enumerate(steps):
            node = builder.step(_called(step), node_id=f"n{place}")
            builder.add(builder.edge_from(before).to(node))
            before = node
        builder.add(builder.edge_from(before).to(builder.end_node))
        graph = builder.build()

        async def run(value: object) -> object:
            return await graph.run(inputs=value)

        return run

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing by itself")
        builder = GraphBuilder(input_type=list, output_type=object)
        work = builder.step(_called(step), node_id="work")
        every = builder.join(reduce_list_append, initial_factory=list)

        async def all_of(context: StepContext[None, None, list[object]]) -> int:
            return len(context.inputs)

        count = builder.step(all_of, node_id="count")
        builder.add(
            builder.edge_from(builder.start_node).map().to(work),
            builder.edge_from(work).to(every),
            builder.edge_from(every).to(count),
            builder.edge_from(count).to(builder.end_node),
        )
        graph = builder.build()

        async def run(value: object) -> object:
            return await graph.run(inputs=[value] * width)

        return run


def _called(step: Step) -> object:
    async def work(context: StepContext[None, None, object]) -> object:
        return await step(context.inputs)

    return work


if __name__ == "__main__":
    main(PydanticGraph)
