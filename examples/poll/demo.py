"""Ask the shop for an export until it is there; then for one that takes longer than we ask.

python -m examples.poll.demo
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from examples.checkout.shop import shop

from atomiton import Conductor

BLUEPRINT = Path(__file__).with_name("poll.yaml")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for slow in (3, 1000):
            with shop(Path(folder) / f"{slow}.json", slow=slow) as url:
                async with Conductor("memory:") as conductor:
                    result = await conductor.run(BLUEPRINT, {"shop": url})
            said = result.error.message if result.error else result.output
            print(f"ready after {slow} questions: {result.status}: {said}")


if __name__ == "__main__":
    asyncio.run(main())
