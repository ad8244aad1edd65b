"""What attempts say that they cost is counted, and no more are begun than the run may pay for."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_blueprint
from atomiton.ports.capabilities import Attempt, injected


@node("cost.pay")
async def pay(amount: float, attempt: Attempt = injected) -> float:
    attempt.spend(amount)
    await asyncio.sleep(0)
    return amount


@node("cost.thread")
def pay_in_thread(amount: float, attempt: Attempt = injected) -> float:
    attempt.spend(amount / 2)
    attempt.spend(amount / 2)
    return amount


@node("cost.fail")
async def pay_and_fail(amount: float, attempt: Attempt = injected) -> None:
    attempt.spend(amount)
    raise NodeError("no", code="NO", retryable=True)


NODES = (pay, pay_in_thread, pay_and_fail)


def chain(limit: float, uses: str, amount: float = 1.0) -> str:
    steps = "".join(
        f"  n{at}: {{uses: {uses}, with: {{amount: {amount}}}, "
        f"needs: [{f'n{at - 1}' if at else ''}]}}\n"
        for at in range(5)
    )
    return (
        f"atomiton: 1\nid: cost\nlimits: {{cost: {limit}}}\nnodes:\n{steps}output: ${{{{ n4 }}}}\n"
    )


@pytest.fixture(params=["memory:", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "runs.db") if request.param == "disk" else "memory:"


@pytest.mark.parametrize("uses", ["cost.pay", "cost.thread"])
async def test_no_attempt_begins_once_the_cost_is_reached(store: str, uses: str) -> None:
    async with Conductor(store, nodes=NODES) as conductor:
        result = await conductor.run(read_blueprint(chain(2.5, uses))[0])
        assert result.status == "failed"
        assert result.error is not None
        assert result.error.code == "LIMIT_EXCEEDED"
        assert "has cost 3 and may cost 2.5" in result.error.message
        ends = [result.nodes[f"n{at}"].status for at in range(5)]
        assert ends[:3] == ["completed"] * 3
        assert "completed" not in ends[3:]
        assert result.cost == 3.0


async def test_a_run_that_stays_below_completes_and_says_its_cost(store: str) -> None:
    async with Conductor(store, nodes=NODES) as conductor:
        result = await conductor.run(read_blueprint(chain(5, "cost.pay"))[0])
        assert (result.status, result.cost) == ("completed", 5.0)
        again = await conductor.show(result.run)
        assert again.cost == 5.0


async def test_attempts_that_fail_have_cost_something_too(store: str) -> None:
    text = """
    atomiton: 1
    id: cost
    limits: {cost: 3}
    nodes:
      a: {uses: cost.fail, with: {amount: 1}, retry: {attempts: 10, delay: 1ms}}
    """
    async with Conductor(store, nodes=NODES) as conductor:
        result = await conductor.run(read_blueprint(text)[0])
        assert result.error is not None
        assert result.error.code == "LIMIT_EXCEEDED"
        assert (result.cost, result.nodes["a"].attempts) == (3.0, 3)


async def test_clean_up_is_not_kept_from_its_work(store: str) -> None:
    text = """
    atomiton: 1
    id: cost
    limits: {cost: 1}
    nodes:
      a: {uses: cost.pay, with: {amount: 1}}
      b: {uses: cost.pay, with: {amount: 1}, needs: [a]}
      c: {uses: cost.pay, with: {amount: 1}, needs: [b], join: settled}
    """
    async with Conductor(store, nodes=NODES) as conductor:
        result = await conductor.run(read_blueprint(text)[0])
        assert result.status == "failed"
        assert result.nodes["c"].status == "completed"
        assert result.cost == 2.0


@pytest.mark.parametrize("amount", [-1.0, math.nan, math.inf])
async def test_what_is_no_cost_fails_the_node(amount: float) -> None:
    from atomiton.ports.calls import Attempt as Real

    attempt = Real("r", "n", 1, None, lambda: 0.0, lambda *_: None, lambda *_: None)
    with pytest.raises(ValueError, match="cannot cost"):
        attempt.spend(amount)


async def test_what_is_said_too_late_is_let_alone() -> None:
    kept: list[Attempt] = []

    @node("cost.keep")
    async def keep(attempt: Attempt = injected) -> None:
        kept.append(attempt)

    text = "atomiton: 1\nid: cost\nnodes: {a: {uses: cost.keep}}\n"
    async with Conductor("memory:", nodes=[keep]) as conductor:
        result = await conductor.run(read_blueprint(text)[0])
        kept[0].spend(1)
        assert result.cost == 0
