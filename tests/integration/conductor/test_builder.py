"""Blueprints built in Python, run: by themselves, by a conductor, and as YAML by the command."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from atomiton import (
    BlueprintError,
    Conductor,
    InputError,
    NodeError,
    Retry,
    RunFailed,
    blueprint,
    node,
    run,
    use,
    wait_for,
)
from atomiton.blueprint.compile import content_hash
from atomiton.blueprint.yaml import load
from atomiton.builder import contains, expression, from_yaml, secret, size
from atomiton.errors import AtomitonError
from atomiton.nodes import data, file


@dataclass
class Order:
    id: int
    total: float
    due: date


@dataclass
class Report:
    path: Path
    orders: list[Order]
    late: int


tries: list[int] = []


@node
def read(path: Path, day: date) -> list[Order]:
    assert isinstance(path, Path)
    return [Order(1, 50, day), Order(2, 150, day)]


@node
async def keep(orders: list[Order], threshold: float) -> list[Order]:
    assert all(isinstance(order, Order) for order in orders)
    return [order for order in orders if order.total > threshold]


@node(retry=Retry(attempts=3, delay=0))
async def flaky(value: int) -> int:
    tries.append(value)
    if len(tries) < 3:
        raise NodeError("not yet")
    return value


@node
async def broken(value: int) -> int:
    raise NodeError(f"broken by {value}", code="BROKEN")


@blueprint
def report(path: Path, day: date, threshold: float = 100) -> Report:
    orders = read(path, day)
    big = keep(orders, threshold)
    return Report(path, big, size(orders) - size(big))


def test_a_run_is_typed_from_its_inputs_to_its_output() -> None:
    expected = Report(Path("a/b"), [Order(2, 150, date(2030, 1, 2))], 1)
    assert report.run(Path("a/b"), date(2030, 1, 2)) == expected
    assert report.run(path=Path("a/b"), day=date(2030, 1, 2), threshold=200).orders == []
    with pytest.raises(TypeError, match="day"):
        report.run(Path("a"))  # type: ignore[call-arg]
    with pytest.raises(InputError, match="threshold"):
        report.run(Path("a"), date(2030, 1, 2), "much")  # type: ignore[arg-type]


async def test_a_run_inside_an_event_loop() -> None:
    assert (await report.arun(Path("a"), date(2030, 1, 2))).late == 1
    with pytest.raises(AtomitonError, match="arun"):
        report.run(Path("a"), date(2030, 1, 2))


async def test_a_conductor_takes_it_with_its_node_types(tmp_path: Path) -> None:
    async with Conductor(str(tmp_path / "runs.db")) as conductor:
        result = await conductor.run(report, {"path": "a", "day": "2030-01-02"}, key="once")
        assert result.output == {
            "path": "a",
            "orders": [{"id": 2, "total": 150, "due": "2030-01-02"}],
            "late": 1,
        }
        again = await conductor.run(report, {"path": "a", "day": "2030-01-02"}, key="once")
        assert again.run == result.run
        started = await conductor.start(report, {"path": "a", "day": "2030-01-02"})
        assert (await started.result()).output == result.output


def test_plain_code_may_use_the_thin_face() -> None:
    assert run(report, {"path": "a", "day": "2030-01-02"}).value()["late"] == 1  # type: ignore[index]


def test_policies_act() -> None:
    @blueprint
    def policies(n: int) -> dict[str, object]:
        pause = wait_for(0.001)
        tried = flaky.with_(needs=[pause])(n)
        failed = broken.with_(on_error={"value": 5})(n)
        skipped = flaky.with_(if_=(failed > 100) | (n == 0))(n)
        secret_length = data.value(size(secret("LENGTH")))
        return {"tried": tried, "failed": failed, "skipped": skipped, "s": secret_length}

    tries.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATOMITON_SECRET_LENGTH", "four")
        assert policies.run(4) == {"tried": 4, "failed": 5, "skipped": None, "s": 4}
    assert tries == [4, 4, 4]


def test_waits_act() -> None:
    @blueprint
    def waits(n: int, moment: str) -> int:
        first = wait_for(f"{n}ms")
        second = wait_for(until="2001-01-01T00:00:00Z", needs=[first])
        third = wait_for(until=datetime(2001, 1, 1, tzinfo=UTC), needs=[second])
        fourth = wait_for(until=moment, needs=[third])
        return data.value.with_(needs=[fourth])(n)  # type: ignore[return-value]

    assert waits.run(3, "2001-01-01T00:00:00Z") == 3


def test_a_failure_is_raised_with_its_code() -> None:
    @blueprint
    def failing(n: int) -> int:
        return broken(n)

    with pytest.raises(RunFailed, match="broken by 7") as caught:
        failing.run(7)
    assert caught.value.code == "BROKEN"


def test_an_output_of_another_type_is_told() -> None:
    @blueprint
    def lying(n: int) -> int:
        return data.value("text")  # type: ignore[return-value]

    with pytest.raises(AtomitonError, match="the output of 'lying' is no int") as caught:
        lying.run(7)
    assert caught.value.code == "TYPE_MISMATCH"

    @blueprint
    def nothing(n: int) -> None:
        data.value(n)

    assert nothing.run(1) is None


def test_library_nodes_and_expressions_run(tmp_path: Path) -> None:
    @blueprint
    def library(path: str, least: int) -> dict[str, object]:
        written = file.write(path, {"rows": [{"n": 1}, {"n": 5}], "name": "Ada's"})
        content = file.read(written["path"], as_="json")["content"]
        big = use("data.filter", items=expression("{}.rows", content), where=lambda r: r.n > least)
        total = data.reduce(big.items, lambda acc, item: acc + item.n, 0)
        return {
            "text": f"{big.count} of {size(big.items)}: ${total['value']}",
            "whole": f"{big.count}",
            "has": contains(big.items[-1], "n"),
            "half": big.items[0].n / 2,
        }

    assert library.run(str(tmp_path / "a.json"), 2) == {
        "text": "1 of 1: $5",
        "whole": "1",
        "has": True,
        "half": 2.5,
    }


def test_what_cannot_be_compiled_names_the_users_line() -> None:
    @blueprint
    def wrong(n: int) -> object:
        data.value(n)
        return use("data.vale", value=n)

    with pytest.raises(BlueprintError) as caught:
        wrong.run(1)
    problem = caught.value.problems[0]
    assert problem.code == "UNKNOWN_NODE_TYPE"
    assert problem.line == wrong.function.__code__.co_firstlineno + 3


def makes(name: str, result: int, module: str = "a") -> object:
    """A blueprint whose node type is called the same as that of others."""

    def step() -> int:
        return result

    step.__module__ = module
    typed = node(name)(step)

    @blueprint(id="same")
    def same() -> int:
        return typed()

    return same


async def test_node_types_of_one_name_are_told_apart() -> None:
    async with Conductor("memory:") as conductor:
        assert (await conductor.run(makes("x.step", 1))).output == 1  # type: ignore[arg-type]
        # The same definition, made anew as in a notebook, replaces the old one.
        assert (await conductor.run(makes("x.step", 2))).output == 2  # type: ignore[arg-type]
        with pytest.raises(BlueprintError, match=r"are called 'x[.]step': a:.* and b:"):
            await conductor.run(makes("x.step", 3, "b"))  # type: ignore[arg-type]
        with pytest.raises(BlueprintError, match=r"are called 'data[.]value'"):
            await conductor.run(makes("data.value", 3))  # type: ignore[arg-type]


async def test_what_the_conductor_was_given_wins() -> None:
    @node("x.step")
    def fake() -> int:
        return 99

    async with Conductor("memory:", nodes=[fake]) as conductor:
        assert (await conductor.run(makes("x.step", 1))).output == 99  # type: ignore[arg-type]


def test_what_is_no_blueprint_is_refused() -> None:
    with pytest.raises(AtomitonError, match="got null") as caught:
        run(None)  # type: ignore[arg-type]
    assert caught.value.code == "INVALID_INPUT"


def test_yaml_is_the_same_blueprint() -> None:
    text = report.to_yaml()
    again = from_yaml(text)
    assert again.to_yaml() == text
    assert again.blueprint == report.blueprint
    assert content_hash(load(text).data) == content_hash(report.blueprint.document)


def test_a_file_is_read_and_run(tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    place.write_text("atomiton: 1\nid: a\nnodes: {a: {uses: data.value, with: {value: 5}}}\n")
    for source in (place, str(place)):
        assert from_yaml(source).run_with({}) == {"a": 5}
    with pytest.raises(AtomitonError, match="cannot be read"):
        from_yaml(tmp_path / "gone.yaml")
    with pytest.raises(BlueprintError, match="needs the key 'id'"):
        from_yaml("atomiton: 1\nnodes: {}\n")


def test_the_command_line_runs_the_yaml_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(
        "from atomiton import blueprint, node\n"
        "@node\nasync def greet(name: str) -> str:\n    return f'Hello {name}'\n"
        "@blueprint\ndef greeting(name: str = 'world') -> str:\n    return greet(name)\n"
        "if __name__ == '__main__':\n    print(greeting.to_yaml(), end='')\n"
    )
    command = [sys.executable, "greeting.py"]
    yaml = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / "greeting.yaml").write_text(yaml)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "atomiton", "run", "greeting.yaml", "--nodes", "greeting.py"),
            *("--store", "memory:", "--input", "name=Ada"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "Hello Ada\n"
