"""A server of the contract in a process of its own: ``python serving.py STORE PORT``."""

from __future__ import annotations

import sys
from pathlib import Path

from atomiton.server.serve import Serving, Settings, run_server

NODES = Path(__file__).with_name("nodes.py")


def told(serving: Serving) -> None:
    print(serving.address, serving.socket or "-", serving.tokens.owner(), flush=True)


if __name__ == "__main__":
    settings = Settings(
        store=sys.argv[1],
        port=int(sys.argv[2]) if len(sys.argv) > 2 else 0,
        uds=Path(sys.argv[3]) if len(sys.argv) > 3 else None,
        nodes=[str(NODES)],
        drain=1.0,
    )
    run_server(settings, told)
