"""Nodes in groups, maps, branches and called blueprints, replaced and crashed."""

from __future__ import annotations

import asyncio

import pytest

from atomiton import blueprint as built
from atomiton import call, node
from atomiton.blueprint.document import read_document
from atomiton.errors import AtomitonError, BlueprintError
from atomiton.testing import crash_at_every_step, fails, run


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


def value(of: object, **keys: object) -> dict[str, object]:
    return {"uses": "data.value", "with": {"value": of}, **keys}


@node("t.charge", effect="once")
async def charge(amount: int) -> int:
    await asyncio.sleep(1)
    return amount


@node("t.refund", effect="idempotent")
async def refund(amount: int) -> int:
    await asyncio.sleep(1)
    return -amount


@node("t.convert", effect="idempotent")
async def convert(amount: int) -> int:
    await asyncio.sleep(amount)
    return amount * 2


NESTED: dict[str, object] = {
    "group": {
        "nodes": {
            "inner": {"uses": "t.convert", "with": {"amount": 2}},
            "deep": {"nodes": {"last": {"uses": "t.convert", "with": {"amount": "${{ inner }}"}}}},
        },
        "output": "${{ deep.last }}",
    },
    "mapped": {"map": [1, 2, 3], "uses": "t.convert", "with": {"amount": "${{ item }}"}},
    "bodies": {
        "map": [1, 2],
        "nodes": {"inner": {"uses": "t.convert", "with": {"amount": "${{ item }}"}}},
        "output": "${{ inner }}",
    },
    "turns": {
        "loop": {"times": 2, "start": 1},
        "uses": "t.convert",
        "with": {"amount": "${{ acc }}"},
    },
}
OUTPUT = {name: f"${{{{ {name} }}}}" for name in NESTED}


def nested() -> object:
    return run(blueprint(NESTED, output=OUTPUT), nodes=[convert]).value()


@pytest.mark.parametrize(
    ("replace", "changed"),
    [
        ({"group.inner": 5}, {"group": 10}),
        ({"group.deep.last": lambda amount: amount + 1}, {"group": 5}),
        ({"mapped": 0}, {"mapped": [0, 0, 0]}),
        ({"mapped[1]": 0}, {"mapped": [2, 0, 6]}),
        ({"mapped[0]": 8, "mapped": 9}, {"mapped": [8, 9, 9]}),
        ({"bodies.inner": 7}, {"bodies": [7, 7]}),
        ({"bodies[1].inner": 7}, {"bodies": [2, 7]}),
        ({"turns[1]": 100}, {"turns": 100}),
    ],
)
def test_a_node_in_a_body_is_replaced_by_its_path(replace, changed) -> None:
    whole = {"group": 8, "mapped": [2, 4, 6], "bodies": [2, 4], "turns": 4}
    assert nested() == whole
    trial = run(blueprint(NESTED, output=OUTPUT), nodes=[convert], replace=replace)
    assert trial.value() == {**whole, **changed}
    assert set(trial.calls) >= {path for path in replace if "[" in path}


ORDER: dict[str, object] = {
    "big": {"branch": {"yes": "inputs.amount > 5", "no": "else"}},
    "ask": {"wait": {"approval": {"title": "ok?", "fields": {"limit": "integer"}}},
            "needs": ["big.yes"]},
    "free": value(0, needs=["big.no"]),
    "pay": {
        "needs": ["ask", "free"],
        "nodes": {
            "charge": {"uses": "t.charge", "with": {"amount": "${{ inputs.amount }}"},
                       "compensate": {"uses": "t.refund", "with": {"amount": "${{ charge }}"}}},
            "paid": {"wait": {"signal": "paid", "match": "payload.id == run.id || true"},
                     "needs": ["charge"]},
        },
        "output": "${{ paid.amount }}",
    },
    "items": {"map": [1, 2], "needs": ["pay"],
              "nodes": {"c": {"uses": "t.convert", "with": {"amount": "${{ item }}"}},
                        "sent": {"wait": {"signal": "sent"}, "needs": ["c"]}},
              "output": "${{ c + sent }}"},
    "turns": {"loop": {"times": 2, "start": 1}, "uses": "t.convert",
              "with": {"amount": "${{ acc }}"}, "needs": ["items"]},
    "race": {"race": True, "needs": ["pay"], "nodes": {
        "quick": {"wait": {"for": "1s"}},
        "slow": {"uses": "t.convert", "with": {"amount": 60}}}},
    "end": {"uses": "flow.log", "needs": ["turns", "race"], "with": {"message": "done"}},
}  # fmt: skip
ANSWERS = {"ask": {"limit": 9}, "pay.paid": {"amount": 6, "id": "x"}, "items.sent": 10}
NODES = [charge, refund, convert]


def order(last: dict[str, object] | None = None):
    return blueprint(
        {**ORDER, **({"last": last} if last else {})},
        inputs={"amount": "integer"},
        output={"paid": "${{ pay }}", "items": "${{ items }}", "turns": "${{ turns }}"},
    )


def test_somebody_answers_what_a_run_waits_for() -> None:
    trial = run(order(), {"amount": 6}, nodes=NODES, answers=ANSWERS)
    assert trial.value() == {"paid": 6, "items": [12, 14], "turns": 4}
    denied = blueprint({"ask": {"wait": {"approval": {"title": "ok?"}}}},
                       output="${{ ask.approved }}")  # fmt: skip
    assert run(denied, answers={"ask": False}).value() is False
    assert run(denied, answers={"ask": True}).value() is True


def test_an_answer_that_a_wait_does_not_take_leaves_it_waiting() -> None:
    waits = {"w": {"wait": {"signal": "go", "match": "payload > 1", "timeout": "1h"}}}
    trial = run(blueprint(waits), answers={"w": 1})
    assert (trial.status, trial.seconds) == ("failed", 3600)
    assert run(blueprint(waits), answers={"w": 2}).ok


def test_an_answer_to_nobody_is_refused_with_the_nearest() -> None:
    with pytest.raises(AtomitonError, match=r"'pay\.pad' \(did you mean 'pay\.paid'\?\)"):
        run(order(), {"amount": 6}, nodes=NODES, answers={"pay.pad": 1})
    with pytest.raises(AtomitonError, match="'w'; it has none"):
        crash_at_every_step(blueprint({"a": value(1)}), answers={"w": 1})


@pytest.mark.parametrize("amount", [6, 1])
def test_a_run_with_every_kind_of_body_survives_every_crash(amount: int) -> None:
    report = crash_at_every_step(order(), {"amount": amount}, nodes=NODES, answers=ANSWERS,
                                 replace={"turns[1]": fails("down", times=0, then=4)})  # fmt: skip
    assert report.status == "completed"
    assert report.writes > 10
    assert report.decisions >= 1


def test_compensation_survives_every_crash() -> None:
    failing = {"uses": "flow.fail", "needs": ["end"], "with": {"message": "no"}}
    report = crash_at_every_step(order(failing), {"amount": 6}, nodes=NODES, answers=ANSWERS)
    assert report.status == "failed"
    assert report.writes > 10
    trial = run(order(failing), {"amount": 6}, nodes=NODES, answers=ANSWERS)
    assert trial.result.compensation == {"completed": ["pay.charge"], "failed": []}


@node("t.twice", effect="idempotent")
async def twice(number: int) -> int:
    return 2 * number


@built
def inner(number: int) -> int:
    return twice(number)


@built
def outer(number: int) -> int:
    return call(inner, number=twice(number))


def test_a_node_of_a_called_blueprint_is_replaced_by_its_path() -> None:
    assert run(outer, {"number": 3}).value() == 12
    trial = run(outer, {"number": 3}, replace={"inner.twice": 5})
    assert (trial.value(), trial.calls) == (5, {"inner.twice": [{"number": 6}]})
    assert run(outer, {"number": 3}, replace={"twice": 5}).value() == 10
    assert run(outer, {"number": 3}, replace={"twice": 5, "inner.twice": 1}).value() == 1
    assert run(outer, {"number": 3}, replace={"t.twice": lambda number: number + 1}).value() == 5
    with pytest.raises(AtomitonError, match=r"no node or node type 'inner\.twic'"):
        run(outer, {"number": 3}, replace={"inner.twic": 5})


def test_nodes_of_called_files_are_replaced_for_each_caller(tmp_path) -> None:
    (tmp_path / "inner.yaml").write_text(
        "atomiton: 1\nid: inner\nnodes:\n  pay: {uses: bank.pay, with: {amount: 1}}\n"
        "output: ${{ pay }}\n"
    )
    path = tmp_path / "outer.yaml"
    path.write_text(
        "atomiton: 1\nid: outer\nnodes:\n  a: {call: ./inner.yaml}\n  b: {call: ./inner.yaml}\n"
        "output: ['${{ a }}', '${{ b }}']\n"
    )
    assert run(path, replace={"bank.pay": 1}).value() == [1, 1]
    assert run(path, replace={"a.pay": 1, "b.pay": 2}).value() == [1, 2]
    with pytest.raises(AtomitonError, match=r"no node or node type 'c\.pay'"):
        run(path, replace={"bank.pay": 1, "c.pay": 1})
    with pytest.raises(BlueprintError, match=r"no node type 'bank\.pay'"):
        run(path)
    report = crash_at_every_step(path, replace={"a.pay": 1, "bank.pay": fails(times=0, then=3)})
    assert report.status == "completed"


def test_compensations_and_lifecycle_nodes_are_replaced_by_their_path() -> None:
    charged = {"uses": "t.charge", "with": {"amount": "${{ item }}"},
               "compensate": {"uses": "t.refund", "with": {"amount": "${{ charge }}"}}}  # fmt: skip
    source = blueprint(
        {
            "orders": {"map": [1, 2], "nodes": {"charge": charged}},
            "end": {"uses": "flow.fail", "needs": ["orders"], "with": {"message": "no"}},
        },
        on={"failure": {"uses": "flow.log", "with": {"message": "bad"}}},
    )
    stands = {"orders[1].charge:compensate": ValueError("no"), "on:failure": None}
    trial = run(source, nodes=NODES, replace=stands)
    assert trial.calls == {
        "orders[1].charge:compensate": [{"amount": 2}],
        "orders[0].charge:compensate": [{"amount": 1}],
        "on:failure": [{"message": "bad"}],
    }
    assert trial.result.compensation == {
        "completed": ["orders[0].charge"],
        "failed": ["orders[1].charge"],
    }
