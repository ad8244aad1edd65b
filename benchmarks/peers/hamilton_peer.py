"""Hamilton: functions of a module that was put together; it keeps nothing.

The synchronous driver runs chains, the asynchronous one fans.
"""

from __future__ import annotations

from collections.abc import Sequence

from common import Peer, Run, Step, main
from hamilton import ad_hoc_utils, async_driver, driver


class Hamilton(Peer):
    name = "Hamilton"
    package = "apache-hamilton"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")
        functions = []
        for place, step in enumerate(steps):
            before = f"n{place - 1}" if place else "value"
            functions.append(_function(f"n{place}", [before], step.blocking))
        module = ad_hoc_utils.create_temporary_module(*functions, module_name="chain")
        built = driver.Builder().with_modules(module).build()
        last = f"n{len(steps) - 1}"
        return lambda value: built.execute([last], inputs={"value": value})[last]

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")
        names = [f"n{place}" for place in range(width)]
        functions = [_function(name, ["value"], step, waits=True) for name in names]
        functions.append(_function("every", names, lambda *values: len(values)))
        self.module = ad_hoc_utils.create_temporary_module(*functions, module_name="fan")

        async def run(value: object) -> object:
            return (await self.built.execute(["every"], inputs={"value": value}))["every"]

        return run

    async def ready(self) -> None:
        if hasattr(self, "module"):
            self.built = await async_driver.Builder().with_modules(self.module).build()


def _function(name: str, takes: Sequence[str], work: object, *, waits: bool = False) -> object:
    """A function of that name and those parameters, which is how Hamilton knows its graph."""
    kind, wait = ("async def", "await ") if waits else ("def", "")
    given = ", ".join(f"{one}: object" for one in takes)
    scope: dict[str, object] = {"work": work}
    exec(f"{kind} {name}({given}) -> object:\n    return {wait}work({', '.join(takes)})", scope)
    return scope[name]


if __name__ == "__main__":
    main(Hamilton)
