"""Fetches the examples that come as a package: Node-RED's, by npm, once.

They stay out of the repository, below ``.examples``. Without npm, or a registry that answers, it
says so, and their tests are skipped.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from tests.integration.interop.examples import EXAMPLES

PACKAGE = "@node-red/nodes@5.0.7"
SHA512 = "VBebFd8jBg8E7wga1tqWetTx+Iv9SfnFCc/Ik4/cci6827WIlbrZLVwqmc278IGmZti7rQeu9LCo9CjVzBsrWw=="


def fetched(folder: Path) -> bytes | None:
    """The package as npm gives it, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    words = [npm, "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    made = next(folder.glob("*.tgz"), None)
    if made is None:
        print(done.stderr.strip(), file=sys.stderr)
        return None
    return made.read_bytes()


def unpack(package: bytes, folder: Path) -> int:
    """Put the examples of a package into a folder, each named after its node; how many."""
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
        raise SystemExit(f"examples: {PACKAGE} is not what it was")
    made = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    with tempfile.TemporaryFile() as file:
        file.write(package)
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if path.parts[1:2] == ("examples",) and path.suffix == ".json":
                    name = re.sub(r"[^a-z0-9]+", "-", f"{path.parent.name} {path.stem}".lower())
                    content = archive.extractfile(member)
                    assert content is not None
                    (made / f"{name}.json").write_bytes(content.read())
    made.rename(folder)
    return sum(1 for _ in folder.iterdir())


def main() -> None:
    """Fetch what is not there."""
    folder = EXAMPLES / "node_red"
    if folder.is_dir():
        return
    with tempfile.TemporaryDirectory() as room:
        package = fetched(Path(room))
    if package is None:
        print("examples: those of Node-RED could NOT be fetched; their tests are skipped")
        return
    print(f"examples: {unpack(package, folder)} of Node-RED in {folder}")


if __name__ == "__main__":
    main()
