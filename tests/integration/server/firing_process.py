"""Fires the triggers of a store until it is killed; each of its seconds is a minute."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from atomiton import Conductor
from atomiton.server.firing import Firing


async def main(store: str, began: float) -> None:
    def fast() -> float:
        return began + (time.time() - began) * 60

    async with Conductor(store) as conductor:
        firing = Firing(conductor, Path.cwd(), fast)
        while True:
            await firing.look()
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
