"""Fuzz every target for a while: one line each.

    python -m tests.fuzz.run [--seconds N] [TARGET ...]

An input that breaks a target is kept in ``out/fuzz``; put it into ``tests/fuzz/found/TARGET``
together with the fix, and it is tried again with every change.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.targets import ROOT, TARGETS, seeds

#: What one input of up to 1 MiB may take; of the processor in seconds, of memory in bytes.
SECONDS, MEMORY = 0.1, 64 * 1024 * 1024


class Fuzzed(NamedTuple):
    """How a target fared."""

    target: str
    inputs: int
    coverage: int
    violations: list[str]

    def __str__(self) -> str:
        """Say it in a line."""
        found = f"{len(self.violations)} violations"
        return f"fuzz {self.target}: {self.inputs:,} inputs, {self.coverage:,} edges: {found}"


def fuzz(target: str, seconds: int, seed: int = 1) -> Fuzzed:
    """Fuzz one target for so many seconds."""
    kept = ROOT / "out" / "fuzz"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus, slow = Path(folder) / "corpus", Path(folder) / "slow"
        corpus.mkdir()
        slow.mkdir()
        for number, data in enumerate(seeds(target)):
            (corpus / f"seed{number}").write_bytes(data)
        done = subprocess.run(
            [
                sys.executable, "-m", "tests.fuzz.harness", target, slow,
                f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=65536", "-timeout=10",
                "-rss_limit_mb=1024", f"-artifact_prefix={kept}/{target}-", corpus,
            ],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", check=False,
        )  # fmt: skip
        violations = [] if done.returncode == 0 else [_last_words(done.stdout)]
        for file in slow.iterdir():
            data = file.read_bytes()
            what = over(target, data)
            if what:
                violations.append(f"{what}: {data[:80]!r}")
                (kept / f"{target}-slow-{file.name}").write_bytes(data)
    counts = re.findall(r"#(\d+).*?cov: (\d+)", done.stdout)
    inputs, coverage = counts[-1] if counts else (0, 0)
    return Fuzzed(target, int(inputs), int(coverage), violations)


def over(target: str, data: bytes) -> str | None:
    """What an input takes too much of; None if it is within its bounds."""
    call = TARGETS[target]
    call(b"")
    best = min(_timed(call, data) for _ in range(3))
    if best > SECONDS:
        return f"{best * 1000:.0f} ms"
    tracemalloc.start()
    try:
        call(data)
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return f"{memory / 2**20:.0f} MiB" if memory > MEMORY else None


def _timed(call, data: bytes) -> float:
    before = time.process_time()
    call(data)
    return time.process_time() - before


def _last_words(text: str) -> str:
    start = text.find("=== Uncaught Python exception")
    return text[start : start + 2000] if start >= 0 else text[-2000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help="all by default")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bad = 0
    for target in given.targets:
        fuzzed = fuzz(target, given.seconds, given.seed)
        print(fuzzed, flush=True)
        for violation in fuzzed.violations:
            print(violation)
        bad += len(fuzzed.violations)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
