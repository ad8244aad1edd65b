"""Two orders at the shop: one is shipped; the other cannot be, and is undone.

python -m examples.checkout.demo
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from examples.checkout.shop import shop

from atomiton import Conductor

BLUEPRINT = Path(__file__).with_name("checkout.yaml")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder) / "shop.json") as url:
        async with Conductor(f"{folder}/runs.db") as conductor:
            for country in ("Portugal", "Atlantis"):
                before = len(done(folder))
                result = await conductor.run(BLUEPRINT, {"shop": url, "country": country})
                print(f"{country}: {result.status}")
                print("  the shop:", ", ".join(done(folder)[before:]))
                print("  attempts to charge:", result.nodes["charge"].attempts)
                print("  undone:", ", ".join(result.compensation["completed"]) or "nothing")


def done(folder: str) -> list[str]:
    """What the shop has done, in order."""
    state = Path(folder) / "shop.json"
    kept: list[str] = json.loads(state.read_text())["done"] if state.exists() else []
    return kept


if __name__ == "__main__":
    asyncio.run(main())
