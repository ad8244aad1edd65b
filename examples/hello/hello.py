import asyncio

from atomiton import Conductor, node


@node("text.shout", effect="pure")
async def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper() + "!"


async def main() -> None:
    async with Conductor("out/runs.db", nodes=[shout]) as conductor:
        result = await conductor.run("examples/hello/hello.yaml", {"name": "Ada"})
        print(result.status, result.output, f"{result.nodes['greet'].attempts} attempt")


asyncio.run(main())
