"""Builds the studio into the package, when a wheel or a source archive is made.

Obeys ``ATOMITON_SKIP_STUDIO``. Without Node.js the package is made without the studio, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in some versions only
    """Runs npm where its result is missing or older than what it is made of."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002 - of the interface
        """Build, unless nothing has changed."""
        root = Path(self.root)
        source, built = root / "studio", root / "src" / "atomiton" / "studio" / "static"
        page = built / "index.html"
        if version == "editable" or os.environ.get("ATOMITON_SKIP_STUDIO"):
            return
        if not (source / "package.json").is_file() or not _is_older(page, source):
            return
        npm = shutil.which("npm")
        if npm is None:
            self.app.display_warning("npm was not found: the package is made without the studio")
            return
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *words], cwd=source, check=True)  # noqa: S603 - our own package


def _is_older(page: Path, source: Path) -> bool:
    if not page.is_file():
        return True
    made = page.stat().st_mtime
    parts = [source / "package-lock.json", source / "index.html", *(source / "src").rglob("*")]
    return any(part.stat().st_mtime > made for part in parts if part.is_file())
