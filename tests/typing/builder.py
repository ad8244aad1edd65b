"""What type checkers must say of blueprints built in Python. Read by them, never run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

import atomiton
from atomiton import Conductor, Retry, blueprint, call, each, node, use
from atomiton.blueprint.model import Blueprint
from atomiton.builder import (
    Approval,
    BlueprintFunction,
    ItemError,
    approval,
    branch,
    contains,
    error_of,
    expression,
    from_yaml,
    group,
    race,
    repeat,
    size,
    switch,
    wait_for,
)
from atomiton.errors import ErrorInfo
from atomiton.nodes import file
from atomiton.nodes.file import Content
from atomiton.nodes.spec import AsyncNodeFunction, PlainNodeFunction


@dataclass
class Order:
    id: int
    total: float


@dataclass
class Report:
    path: Path
    count: int


@node
def read(path: Path) -> list[Order]:
    return []


@node(retry=Retry(attempts=3), timeout="10s")
async def convert(order: Order, currency: str) -> float:
    return order.total


@node("orders.save", effect="once")
async def save(totals: list[float], path: Path | None = None) -> Report:
    return Report(Path(), 1)


def node_functions_know_what_they_give() -> None:
    positional: PlainNodeFunction[..., list[Order]] = read
    function: Callable[[Path], list[Order]] = read.function
    assert_type(read(path=Path()), list[Order])
    assert_type(convert(Order(1, 2), "EUR"), float)
    assert_type(convert.with_(timeout="5s", id="a")(Order(1, 2), currency="EUR"), float)
    assert_type(save([1.0]), Report)
    plain: Coroutine[object, object, float] = convert.function(Order(1, 2), "EUR")
    asynchronous: AsyncNodeFunction[..., float] = convert
    del positional, function, plain, asynchronous


async def outside_of_blueprints_the_function_is_awaited() -> None:
    assert_type(await convert.function(Order(1, 2), "EUR"), float)


@blueprint(id="order-report")
def order_report(path: Path, threshold: float = 100) -> Report:
    orders = read(path)
    assert_type(orders, list[Order])
    big = each(orders, lambda order: order.total > threshold)
    assert_type(big, list[bool])
    totals = each(orders, convert, currency="EUR", concurrency=8)
    assert_type(totals, list[float])
    collected = each(orders, convert, on_item_error="collect", currency="EUR")
    assert_type(collected, list[float | ItemError])
    assert_type(each(orders, lambda order: save([convert(order, "EUR")])), list[Report])
    report = save(totals)
    assert_type(report.path, Path)
    return report


@blueprint
def bare() -> int:
    return call(order_report, Path("a"), threshold=5).count


async def blueprints_know_their_inputs_and_their_output() -> None:
    assert_type(order_report.run(Path("orders.csv")), Report)
    assert_type(order_report.run(path=Path("orders.csv"), threshold=1), Report)
    assert_type(await order_report.arun(Path("orders.csv")), Report)
    assert_type(order_report(Path("orders.csv")), Report)
    assert_type(order_report.blueprint, Blueprint)
    assert_type(order_report.to_yaml(), str)
    assert_type(bare, BlueprintFunction[[], int])
    async with Conductor("memory:") as conductor:
        await conductor.run(order_report, {"path": "orders.csv"})
        await conductor.run(from_yaml("x.yaml"))


def what_happens_between_nodes_is_typed(order: Order) -> None:
    assert_type(
        branch(order.total > 5, then=lambda: read(Path()), otherwise=lambda: "none"),
        list[Order] | str,
    )
    assert_type(branch(order.total > 5, then=lambda: convert(order, "EUR")), float | None)
    assert_type(switch({"big": (order.total > 5, lambda: order.id)}), int | None)
    assert_type(
        switch({"big": (order.total > 5, lambda: order)}, default=lambda: order.id), Order | int
    )
    assert_type(repeat(lambda n: n + 1, 1, until=lambda n: n > 3), int)
    assert_type(group(lambda: convert(order, "EUR")), float)
    assert_type(race(lambda: 1, lambda: 2), int)
    assert_type(approval("Ship it?"), Approval)
    assert_type(wait_for(signal="paid", payload=Order), Order)
    assert_type(wait_for(signal="paid"), Any)
    assert_type(size([1]), int)
    assert_type(contains([1], 1), bool)
    assert_type(error_of(order), ErrorInfo)
    assert_type(expression("run.id"), Any)
    assert_type(use("file.read", path="a"), Any)
    assert_type(file.read("a"), Content)
    assert_type(file.read.with_(timeout=5)("a", as_="json"), Content)


def the_name_of_the_folder_is_the_decorator() -> None:
    assert_type(atomiton.blueprint(one), BlueprintFunction[[], int])


def one() -> int:
    return 1
