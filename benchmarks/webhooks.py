"""Webhooks against a real server: requests a second, and how long an answer takes.

    python benchmarks/webhooks.py [--seconds 8] [--against ANOTHER/SOURCE/TREE] [--node-red]

H1 is an order of ten items: a rate is asked for over HTTP, the total is made, a row is inserted
into a SQLite file, and the total is answered. H2 goes through ten trivial nodes. All that runs do
is synced to the disk before it is answered. ``wrk`` (Debian has it) sends the requests; without it
a client of our own does, which takes more of the processor and is said to have been used.
Afterwards every answered run is on record, and every row was inserted once, or the program fails.
With ``--node-red`` that is measured on H2 in turns, as a measure of the machine: it keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from node_red import NodeRed

HERE = Path(__file__).resolve().parent
ITEMS = [{"sku": f"A-{n}", "qty": n % 4 + 1, "price": 9.5 + n} for n in range(10)]
TOTAL = sum(item["qty"] * item["price"] for item in ITEMS) * 1.1  # type: ignore[operator]
H1 = """
atomiton: 1
id: h1
inputs: {body: object}
triggers: [{webhook: {path: h1, respond: result, secret: none}}]
nodes:
  rate: {uses: http.request, with: {url: "http://127.0.0.1:PORT/rate"}}
  sum:
    uses: data.reduce
    with:
      items: ${{ inputs.body.items }}
      value: acc + double(item.qty) * item.price
      start: 0.0
  total: {uses: data.value, with: {value: "${{ sum.value * rate.json.rate }}"}}
  save:
    uses: sql.execute
    with:
      database: orders.db
      statement: INSERT INTO orders (id, total) VALUES ($1, $2)
      parameters: ["${{ inputs.body.id }}", "${{ total }}"]
output: {id: "${{ inputs.body.id }}", total: "${{ total }}", rows: "${{ save.changed }}"}
"""
H2 = """
atomiton: 1
id: h2
inputs: {body: object}
triggers: [{webhook: {path: h2, respond: result, secret: none}}]
nodes:
  n0: {uses: data.value, with: {value: "${{ inputs.body.id }}"}}
NODESoutput: {id: "${{ n9 }}"}
"""
_CHAIN = '  n{0}: {{uses: data.value, with: {{value: "${{{{ n{1} }}}}"}}}}\n'


class Measured(NamedTuple):
    """What came of some seconds of requests; times in milliseconds.

    Attributes:
        spent: Seconds of the processor that the server took for it.
    """

    answered: int
    bad: int
    seconds: float
    p50: float
    p95: float
    p99: float
    spent: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    @property
    def each(self) -> float:
        """Milliseconds of the processor for an answer; on a busy machine the steadiest figure."""
        return 1e3 * self.spent / self.answered


class Server:
    """``atomiton serve`` in a process of its own, on a store that is thrown away.

    Args:
        source: The source tree it is run from.
        rate: Port of the service that knows rates.
    """

    def __init__(self, source: Path, rate: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="webhooks-"))
        self.store = self.folder / "runs.db"
        (self.folder / "work").mkdir()
        self.orders = self.folder / "work" / "orders.db"
        with sqlite3.connect(self.orders) as orders:
            orders.execute("PRAGMA journal_mode = WAL")
            orders.execute("CREATE TABLE orders (id TEXT NOT NULL, total REAL NOT NULL)")
        orders.close()
        kept = {name: of for name, of in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {
            **kept,
            "PYTHONPATH": str(source / "src"),
            "XDG_DATA_HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
        }
        command = [sys.executable, "-m", "atomiton", "serve", "--store", str(self.store)]
        command += ["--port", "0", "--folder", str(self.folder / "work")]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, cwd=self.folder
        )
        assert self.process.stdout is not None
        told = [self.process.stdout.readline().split() for _ in range(4)]
        self.address = told[0][-1]
        self.token = Path(told[3][-1]).read_text().strip()
        urllib.request.urlopen(self.address + "/healthz").read()
        self.started = time.perf_counter() - began
        time.sleep(1.0)
        self.memory = resident(self.process.pid)
        self.idle = idle(self.process.pid, 4.0)
        nodes = "".join(_CHAIN.format(n, n - 1) for n in range(1, 10))
        self.ask("PUT", "/api/v1/blueprints/h1", H1.replace("PORT", str(rate)).encode())
        self.ask("PUT", "/api/v1/blueprints/h2", H2.replace("NODES", nodes).encode())
        time.sleep(1.1)  # so long a webhook may be unknown

    @property
    def host(self) -> str:
        """What it is called."""
        return self.address.removeprefix("http://")

    def ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, object]:
        """Ask as its owner."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/yaml"}
        asked = urllib.request.Request(
            self.address + path, data=body, method=method, headers=headers
        )
        with urllib.request.urlopen(asked) as answer:
            return dict(json.loads(answer.read()))

    def send(self, path: str, id_: str) -> tuple[dict[str, object], str]:
        """One order; gives what was answered, and the run."""
        asked = urllib.request.Request(
            f"{self.address}/hooks/{path}",
            data=json.dumps({"id": id_, "items": ITEMS}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(asked) as answer:
            return dict(json.loads(answer.read())), str(answer.headers["x-atomiton-run"])

    def stop(self) -> None:
        """End it, and throw away what it has kept."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        shutil.rmtree(self.folder)


def resident(process: int) -> float:
    """Megabytes of memory that a process has."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def spent(process: int) -> float:
    """Seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(process: int, seconds: float) -> float:
    """How much of a processor a process takes that has nothing to do; 1 is all of it."""
    before = spent(process)
    time.sleep(seconds)
    return (spent(process) - before) / seconds


# -- the service that knows rates ---------------------------------------------------------------


class _Rates(asyncio.Protocol):
    ANSWER = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
        b'{"rate":1.1}'
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._left = b""

    def data_received(self, data: bytes) -> None:
        *asked, self._left = (self._left + data).split(b"\r\n\r\n")
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(self.ANSWER * len(asked))


async def rates() -> None:
    """Answer until killed; the port goes to standard output."""
    server = await asyncio.get_running_loop().create_server(_Rates, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def service() -> Iterator[int]:
    """The service, in a process of its own; gives its port."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--rates"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# -- clients ------------------------------------------------------------------------------------


def load(server: Server | NodeRed, path: str, clients: int, seconds: int, prefix: str) -> Measured:
    """Send orders for some seconds, each client one after the other."""
    if shutil.which("wrk") is None:
        return asyncio.run(own_client(server, path, clients, seconds, prefix))
    environment = {
        **os.environ,
        "WEBHOOK_PREFIX": prefix,
        "WEBHOOK_PATH": f"/hooks/{path}",
        "WEBHOOK_ITEMS": json.dumps(ITEMS, separators=(",", ":")),
        "WEBHOOK_HOST": server.host,
    }
    ended = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s", str(HERE / "webhooks.lua"),
         server.address],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = next(line for line in ended.stdout.splitlines() if line.startswith("RESULT "))
    return Measured(**json.loads(told.removeprefix("RESULT ")))


async def own_client(
    server: Server, path: str, clients: int, seconds: int, prefix: str
) -> Measured:
    """The same without wrk; its own work is in the figures."""
    host, port = server.host.rsplit(":", 1)
    end = time.perf_counter() + seconds
    taken: list[float] = []
    bad = 0

    async def client(number: int) -> None:
        nonlocal bad
        reader, writer = await asyncio.open_connection(host, int(port))
        count = 0
        while time.perf_counter() < end:
            count += 1
            body = json.dumps({"id": f"{prefix}-{number}-{count}", "items": ITEMS}).encode()
            head = (
                f"POST /hooks/{path} HTTP/1.1\r\nHost: {server.host}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            began = time.perf_counter()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in answer.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            await reader.readexactly(length)
            taken.append(time.perf_counter() - began)
            bad += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*map(client, range(clients)))
    parts = [part * 1e3 for part in statistics.quantiles(taken, n=100)]
    whole = time.perf_counter() - began
    return Measured(len(taken), bad, whole, parts[49], parts[94], parts[98])


def node_red(held: contextlib.ExitStack) -> NodeRed:
    """Node-RED on a port that is free, until ``held`` is closed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    beside = NodeRed(Path(tempfile.mkdtemp(prefix="node-red-")), port)
    held.callback(beside.stop)
    return beside


# -- what must be true afterwards ---------------------------------------------------------------


def check(server: Server, answered: Mapping[str, int], clients: int) -> str:
    """Every answered run is on record and completed, every row is there once.

    A client that is stopped leaves one request unanswered, whose run goes on: hence the difference.
    """
    with sqlite3.connect(server.orders) as orders:
        rows, ids, totals = orders.execute(
            "SELECT count(*), count(DISTINCT id), count(DISTINCT round(total, 6)) FROM orders"
        ).fetchone()
    orders.close()
    with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True) as runs:
        found = dict(
            runs.execute(
                "SELECT blueprint, count(*) FROM runs WHERE status = 'completed' GROUP BY 1"
            )
        )
        others = runs.execute("SELECT count(*) FROM runs WHERE status <> 'completed'").fetchone()[0]
    runs.close()
    assert others == 0, f"{others} runs have not completed"
    for name, number in answered.items():
        late = found.get(name, 0) - number
        assert 0 <= late <= clients, f"{name}: {number} answered, {found.get(name, 0)} on record"
    assert rows == ids == found.get("h1", 0), f"{rows} rows of {ids} orders, {found} runs"
    assert totals <= 1, "totals differ"
    return f"{sum(found.values())} runs on record, {rows} rows, each once"


def check_answers(server: Server, number: int) -> int:
    """Send some orders one by one, and hold each answer against its run and its row."""
    for n in range(number):
        answer, run = server.send("h1", f"single-{n}")
        assert answer["rows"] == 1, answer
        assert abs(float(str(answer["total"])) - TOTAL) < 1e-6, answer
        shown = server.ask("GET", f"/api/v1/runs/{run}")
        assert (shown["status"], shown["output"]) == ("completed", answer), shown
    with sqlite3.connect(server.orders) as orders:
        found = orders.execute("SELECT count(*) FROM orders WHERE id LIKE 'single-%'").fetchone()[0]
    orders.close()
    assert found == number
    return number


def measure(
    servers: Mapping[str, Server], seconds: int, turns: int, beside: NodeRed | None = None
) -> None:
    """Measure the servers in turns, and print a line for each workload."""
    answered = {name: {"h1": 0, "h2": 0} for name in servers}
    lost = dict.fromkeys(servers, 0)
    for path in ("h1", "h2"):
        for clients in (1, 32):
            taken: dict[str, list[Measured]] = {name: [] for name in servers}
            for turn in range(turns + 1):
                for name, server in servers.items():
                    prefix = f"{path}-{clients}-{turn}"
                    before = spent(server.process.pid)
                    of = load(server, path, clients, seconds if turn else 2, prefix)
                    of = of._replace(spent=spent(server.process.pid) - before)
                    answered[name][path] += of.answered
                    lost[name] += clients
                    assert of.bad == 0, of
                    if turn:  # the first turn is for warming up
                        taken[name].append(of)
                if beside is not None and path == "h2" and name == "this":
                    before = spent(beside.process.pid)
                    of = load(beside, path, clients, seconds if turn else 2, "x")
                    spent_on = spent(beside.process.pid) - before
                    if turn:
                        taken.setdefault("node-red", []).append(of._replace(spent=spent_on))
            tell(path, clients, taken)
    time.sleep(1.0)
    for name, server in servers.items():
        print(f"{name}: {check(server, answered[name], lost[name])}")


def tell(path: str, clients: int, taken: Mapping[str, list[Measured]]) -> None:
    """Print the medians, and the ratio to the first of the servers."""
    base: float | None = None
    for name, all_ in taken.items():
        rate, p50, p95, each = (
            statistics.median(getattr(of, what) for of in all_)
            for what in ("rate", "p50", "p95", "each")
        )
        base = base or rate
        print(
            f"{path.upper():4}{clients:>3} clients  {name:8}{rate:>9,.0f}/s  p50 {p50:7.2f} ms  "
            f"p95 {p95:7.2f} ms  processor {each:.3f} ms  x {rate / base:.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another source tree, measured in turns")
    parser.add_argument("--rates", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--node-red", action="store_true", help="measure Node-RED on H2 as well")
    given = parser.parse_args()
    if given.rates:
        asyncio.run(rates())
        return
    client = "wrk" if shutil.which("wrk") else "our own client: wrk is not installed"
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors; sent by {client}")
    trees = {"other": given.against.resolve()} if given.against else {}
    trees["this"] = HERE.parent
    with service() as rate:
        servers = {name: Server(tree, rate) for name, tree in trees.items()}
        try:
            for name, server in servers.items():
                print(
                    f"{name}: started in {server.started:.2f} s, {server.memory:.0f} MB idle, "
                    f"{server.idle:.1%} of a processor idle"
                )
                print(f"{name}: {check_answers(server, 50)} answers compared with runs and rows")
            with contextlib.ExitStack() as held:
                beside = node_red(held) if given.node_red else None
                measure(servers, given.seconds, given.turns, beside)
        finally:
            for server in servers.values():
                server.stop()


if __name__ == "__main__":
    main()
