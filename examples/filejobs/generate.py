"""Make the files of the bulk job: 300 measurements as JSON, 7 of them broken. The same every time.

python -m examples.filejobs.generate FOLDER
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

COUNT = 300
#: Numbers of the files that were cut off while they were written.
BROKEN = (13, 57, 101, 145, 189, 233, 277)


def values(number: int) -> list[float]:
    """What a station has measured."""
    draw = random.Random(number)
    return [round(draw.uniform(-5, 30), 1) for _ in range(24)]


def generate(folder: Path) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        text = json.dumps({"station": f"S{number:03}", "values": values(number)})
        cut = len(text) // 2 if number in BROKEN else len(text)
        (folder / f"S{number:03}.json").write_text(text[:cut])


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
    print(f"{COUNT} files in {sys.argv[1]}")
