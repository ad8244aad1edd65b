"""Atomiton: in memory with the store ``memory:``, durable on SQLite with every result synced."""

from __future__ import annotations

from collections.abc import Sequence

from common import Peer, Run, Step, main

from atomiton import Blueprint, Conductor, node
from atomiton.blueprint.document import read_document


@node("bench.count", plain=True)
async def count(values: list[object]) -> int:
    return len(values)


class Atomiton(Peer):
    name = "Atomiton"
    package = "atomiton"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        nodes: dict[str, object] = {}
        for place, step in enumerate(steps):
            before = f"n{place - 1}" if place else "inputs.value"
            nodes[f"n{place}"] = {
                "uses": f"bench.{step.name}",
                "with": {"value": f"${{{{ {before} }}}}"},
            }
        return self._running(nodes, f"n{len(steps) - 1}", steps, durable=durable)

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        uses = f"bench.{step.name}"
        given = {"uses": uses, "with": {"value": "${{ inputs.value }}"}}
        nodes: dict[str, object] = {f"n{place}": given for place in range(width)}
        values = [f"${{{{ {name} }}}}" for name in nodes]
        nodes["all"] = {"uses": "bench.count", "with": {"values": values}}
        return self._running(nodes, "all", [step], durable=durable)

    def store(self, *, durable: bool) -> str:
        """Where runs are kept."""
        return str(self.folder / "runs.db") if durable else "memory:"

    def _running(
        self, nodes: dict[str, object], last: str, steps: Sequence[Step], *, durable: bool
    ) -> Run:
        blueprint = self._blueprint(nodes, last)
        types = {step.name: typed(step) for step in steps}
        conductor = Conductor(self.store(durable=durable), nodes=[*types.values(), count])

        async def run(value: object) -> object:
            result = await conductor.run(blueprint, {"value": value})
            if result.error is not None:
                raise RuntimeError(result.error.message)
            return result.output

        self.conductor = conductor
        return run

    def _blueprint(self, nodes: dict[str, object], last: str) -> Blueprint:
        inputs, output = {"value": "any"}, f"${{{{ {last} }}}}"
        return read_document(
            {"atomiton": 1, "id": "bench", "inputs": inputs, "nodes": nodes, "output": output}
        )

    async def ready(self) -> None:
        await self.conductor.__aenter__()

    async def close(self) -> None:
        await self.conductor.__aexit__(None, None, None)


def typed(step: Step) -> object:
    """A node type of a step."""

    @node(f"bench.{step.name}", plain=True)
    async def work(value: object) -> object:
        return await step(value)

    return work


if __name__ == "__main__":
    main(Atomiton)
