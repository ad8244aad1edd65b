"""Write what the studio knows of the format, for forms and completion (`make studio-format`)."""

from __future__ import annotations

import json
from pathlib import Path

from atomiton.blueprint.schema import format_schema

PAGE = Path(__file__).parent.parent / "studio" / "src" / "model" / "format.json"


def written() -> str:
    """The JSON Schema of the format, without the types of nodes: those a server tells."""
    return json.dumps(format_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
