"""Stores the reports of all examples as they are now: run it, and read the difference."""

from __future__ import annotations

import json

from tests.integration.interop.examples import REPORTS, examples, lines_of

if __name__ == "__main__":
    found = {name: lines_of(name) for name in examples()}
    REPORTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
