"""Every template runs as it stands, with real files, a real database and real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.template_service import Service

from atomiton import Conductor
from atomiton.cli.templates import templates

TEMPLATES = {template.name: template for template in templates()}


async def run(name: str, /, **inputs: object) -> Any:
    async with Conductor("memory:") as conductor:
        result = await conductor.run(f"{name}.yaml", inputs)
    assert result.error is None, result.error
    return result.output


async def hello_world() -> None:
    assert await run("hello-world", author="Grace") == str(Path("out/hello.txt").resolve())
    text = Path("out/hello.txt").read_text()
    assert re.fullmatch(r"Hello, world!\n  Grace, 20\d\d-\d\d-\d\dT[\d:.]+Z\n", text)


async def data_transform() -> None:
    expected = {"total": 300, "count": 3, "average": 100}
    assert await run("data-transform") == {
        **expected,
        "saved": str(Path("out/figures.json").resolve()),
    }
    assert json.loads(Path("out/figures.json").read_text()) == expected
    Path("none.csv").write_text("name,active,amount\nAlan,false,3\n")
    await run("data-transform", path="none.csv")
    nothing = {"total": 0, "count": 0, "average": 0}
    assert json.loads(Path("out/figures.json").read_text()) == nothing


async def site_monitor() -> None:
    answers = {"GET /well": (200, "ok"), "GET /ill": (500, "no"), "POST /alert": (200, {})}
    with Service(answers) as service:
        sites = [f"{service.url}/well", f"{service.url}/ill", "http://127.0.0.1:9/"]
        output = await run("site-monitor", sites=sites, alert=f"{service.url}/alert")
        assert [one["site"] for one in output["down"]] == sites[1:]
        told = [body for name, body, _ in service.asked if name == "POST /alert"]
        assert [body["text"] for body in told] == ["2 of 3 sites are down"]
        assert "500" in told[0]["down"][0]["why"]
        output = await run("site-monitor", sites=sites[:1], alert=f"{service.url}/alert")
        assert output["down"] == []
        assert service.names().count("POST /alert") == 1


async def invoice_approval() -> None:
    with Service({"POST /send": (200, {})}) as service:
        sender = f"{service.url}/send"
        async with Conductor("memory:") as conductor:
            for answer in (True, False):
                started = await conductor.start("invoice-approval.yaml", {"sender": sender})
                await asyncio.sleep(0.1)
                await started.approve("ask", approved=answer, by="ada", fields={"reference": "R-1"})
                result = await started.result()
                assert (result.error, result.output["sent"]) == (None, answer)
                assert result.output["total"] == pytest.approx(314.7)
        assert [body["reference"] for _, body, _ in service.asked] == ["R-1"]
        output = await run("invoice-approval", sender=sender, limit=1000)
        assert (output["sent"], service.asked[-1][1]["reference"]) == (True, "none")


async def database_export() -> None:
    with sqlite3.connect("shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER, customer TEXT, total REAL)")
        database.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", [(1, "Ada", 2.5), (2, "A,B", 3)]
        )
    database.close()
    output = await run("database-export")
    assert re.search(r"/out/exports/orders-20\d\d-\d\d-\d\d\.csv$", output["path"])
    lines = Path(output["path"]).read_text().splitlines()
    assert lines == ["id,customer,total", "1,Ada,2.5", '2,"A,B",3.0']
    assert Path("out/exports/exports.log").read_text().count("2 rows") == 1


def feed(title: str, *items: tuple[str, str]) -> dict[str, object]:
    entries = [
        {"title": f"On {name}", "url": f"http://x/{name}", "date_published": f"{day}T00:00:00Z"}
        for name, day in items
    ]
    return {"title": title, "items": entries}


async def feed_digest() -> None:
    one, two = (
        feed("One", ("lamps", "2026-01-02"), ("bulbs", "2026-01-04")),
        feed("Two", ("lamps", "2026-01-02"), ("wire", "2026-01-03")),
    )
    with Service({"GET /1": (200, one), "GET /2": (200, two)}) as service:
        feeds = [f"{service.url}/{n}" for n in (1, 2, 3)]
        output = await run("feed-digest", feeds=feeds, newest=2)
    assert output == {"path": str(Path("out/digest.md").resolve()), "items": 2, "silent": 1}
    assert Path("out/digest.md").read_text() == (
        "# Digest\n\n- [On bulbs](http://x/bulbs), One, 2026-01-04\n"
        f"- [On wire](http://x/wire), Two, 2026-01-03\n- no answer from {feeds[2]}\n"
    )


async def bulk_rename() -> None:
    folder = Path("inbox")
    folder.mkdir()
    for name in ("c.jpg", "a.jpg", "b.jpg", "notes.txt"):
        (folder / name).write_text(name)
    output = await run("bulk-rename")
    assert (output["renamed"], len(output["names"])) == (0, 3)
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.jpg",
        "b.jpg",
        "c.jpg",
        "notes.txt",
    ]
    assert (await run("bulk-rename", trial=False))["renamed"] == 3
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found == {
        "holiday-001.jpg": "a.jpg", "holiday-002.jpg": "b.jpg", "holiday-003.jpg": "c.jpg",
        "notes.txt": "notes.txt",
    }  # fmt: skip


async def api_sync() -> None:
    items = [{"id": n, "name": f"item {n}", "price": n / 2} for n in range(5)]
    answers: dict[str, Any] = {"GET /2": (200, {"items": items[3:], "next": None})}
    with Service(answers) as service:
        answers["GET /1"] = (200, {"items": items[:3], "next": f"{service.url}/2"})
        url = f"{service.url}/1"
        assert await run("api-sync", url=url) == {"fetched": 5, "changed": 5}
        assert await run("api-sync", url=url) == {"fetched": 5, "changed": 0}
        items[0]["price"] = 99
        assert await run("api-sync", url=url) == {"fetched": 5, "changed": 1}
    database = sqlite3.connect("sync.db")
    assert database.execute("SELECT count(*), max(price) FROM items").fetchall() == [(5, 99)]
    database.close()


async def order_saga() -> None:
    answers: dict[str, Any] = {
        "POST /reservations": (201, {"id": "r1"}), "POST /payments": (201, {"id": "p1"}),
        "POST /shipments": (201, {"id": "s1"}), "DELETE /payments/p1": (200, {}),
        "DELETE /reservations/r1": (200, {}),
    }  # fmt: skip
    with Service(answers) as service:
        assert await run("order-saga", shop=service.url) == {"shipment": "s1", "payment": "p1"}
        answers["POST /shipments"] = (422, {"why": "no such place"})
        service.asked.clear()
        async with Conductor("memory:") as conductor:
            blueprint = Path("order-saga.yaml")
            blueprint.write_text(blueprint.read_text().replace("delay: 1s", "delay: 1ms"))
            result = await conductor.run(blueprint, {"shop": service.url})
        assert (result.status, result.error.node) == ("failed", "ship")
        undone = [name for name in service.names() if name.startswith("DELETE")]
        assert undone == ["DELETE /payments/p1", "DELETE /reservations/r1"]


async def image_processor() -> None:
    from PIL import Image

    sizes = {
        "c.png": (1600, 400),
        "a.jpg": (1000, 1000),
        "b.webp": (300, 200),
        "d.PNG": (600, 1200),
    }
    Path("pictures").mkdir()
    for name, size in sizes.items():
        Image.new("RGB", size, "navy").save(f"pictures/{name}")
    Path("pictures/notes.txt").write_text("no picture")
    output = await run("image-processor")
    names = [Path(one["path"]).name for one in output]
    assert names == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert [(one["width"], one["height"]) for one in output] == [
        (600, 600), (300, 200), (800, 200), (300, 600),
    ]  # fmt: skip
    for one in output:
        with Image.open(one["path"]) as picture:
            assert (picture.format, picture.size) == ("JPEG", (one["width"], one["height"]))
            corner = (picture.width // 2, picture.height // 2, picture.width, picture.height)
            colours = [
                len(picture.crop(box).getcolors(1 << 24) or ())
                for box in (corner, (0, 0, picture.width // 4, picture.height // 4))
            ]
            assert colours[0] > colours[1]  # the mark is at the bottom right


async def log_triage() -> None:
    output = await run("log-triage")
    assert output == json.loads(Path("out/triage.json").read_text())
    assert output == {
        "errors": 3,
        "components": [
            {"component": "billing", "errors": 2, "last": "bank does not answer: timeout"},
            {"component": "web", "errors": 1, "last": "no such page"},
        ],
    }
    async with Conductor("memory:") as conductor:
        result = await conductor.run("log-triage.yaml", {"most": 2})
    assert (result.error.code, result.error.message) == (
        "TOO_MANY_ERRORS", "3 errors, most in billing",
    )  # fmt: skip


async def csv_to_database() -> None:
    for _ in range(2):
        assert await run("csv-to-database") == {"read": 3, "in_table": 3}
    Path("bad.csv").write_text("sku,name,price\nX-1,New,1\nX-2,,2\nX-3,Bad,many\n")
    async with Conductor("memory:") as conductor:
        result = await conductor.run("csv-to-database.yaml", {"path": "bad.csv"})
    assert result.status == "failed"
    assert await run("csv-to-database") == {"read": 3, "in_table": 3}


async def watch_folder() -> None:
    folder = Path("inbox")
    folder.mkdir()
    (folder / "a.json").write_text('{"a": 1}')
    (folder / "b.json").write_text("{broken")
    assert await run("watch-folder") == {"done": 1, "failed": 1}
    assert json.loads((folder / "all.jsonl").read_text()) == {"a": 1}
    assert (folder / "done" / "a.json").exists()
    assert (folder / "failed" / "b.json").exists()
    assert "JSON" in (folder / "failed" / "b.json.txt").read_text()
    assert await run("watch-folder") == {"done": 0, "failed": 0}


async def wait_for_payment() -> None:
    with Service({"POST /notify": (200, {})}) as service:
        inputs = {"notify": f"{service.url}/notify", "patience": "100ms"}
        assert (await run("wait-for-payment", **inputs))["paid"] is False
        assert [body["text"] for _, body, _ in service.asked] == [
            "Please pay 89.9",
            "Please pay now",
        ]
        async with Conductor("memory:") as conductor:
            inputs["patience"] = "1h"
            started = await conductor.start("wait-for-payment.yaml", inputs)
            await started.signal("paid", {"amount": 5})
            await started.signal("paid", {"amount": 89.9})
            result = await started.result()
        assert result.output == {"order": "order-1", "paid": True}


async def python_snippet() -> None:
    assert await run("python-snippet") == {"words": 6, "most": [["to", 2], ["be", 2], ["or", 1]]}


async def batch_of_calls() -> None:
    output = await run("batch-of-calls")
    assert output["refused"] == ["A3"]
    assert output["priced"] == [{"id": "A1", "gross": 286.2}, {"id": "A2", "gross": 95.2}]


CASES = {
    function.__name__.replace("_", "-"): function
    for function in (
        api_sync, batch_of_calls, bulk_rename, csv_to_database, data_transform, database_export,
        feed_digest, hello_world, image_processor, invoice_approval, log_triage, order_saga,
        python_snippet,
        site_monitor, wait_for_payment, watch_folder,
    )
}  # fmt: skip


def test_no_template_is_left_out() -> None:
    assert sorted(CASES) == sorted(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
async def test_a_template_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, content in TEMPLATES[name].contents().items():
        Path(path).write_bytes(content)
    async with asyncio.timeout(30):
        await CASES[name]()


def atomiton(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "atomiton", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_new_copies_a_template_that_runs_at_once(tmp_path: Path) -> None:
    made = atomiton(tmp_path, "new", "--from", "data-transform", "mine")
    assert made.stdout.split() == ["mine/data-transform.yaml", "mine/people.csv"]
    ran = atomiton(
        tmp_path / "mine",
        "run",
        "data-transform.yaml",
        "--durability",
        "none",
        "--store",
        "memory:",
    )
    assert json.loads(ran.stdout)["total"] == 300
    again = atomiton(tmp_path, "new", "--from", "data-transform", "mine")
    assert (again.returncode, again.stdout) == (2, "")
    assert "mine/data-transform.yaml is there already, and nothing was written" in again.stderr


def test_new_lists_the_templates_and_names_the_nearest(tmp_path: Path) -> None:
    listed = atomiton(tmp_path, "new", "--list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == sorted(TEMPLATES)
    wrong = atomiton(tmp_path, "new", "--from", "hello")
    assert (wrong.returncode, "there is no template 'hello'" in wrong.stderr) == (2, True)
    nothing = atomiton(tmp_path, "new")
    assert (nothing.returncode, "--list, --from TEMPLATE" in nothing.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
