"""Kept results: what a node gave is given again, instead of calling it on the same once more."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from tests.acceptance.rules.world import World

from atomiton import Conductor, node
from atomiton.store.ledger.base import Steps


async def test_a_kept_result_is_given_again(world: World) -> None:
    text = (
        "nodes: {a: {uses: t.do, cache: true, with: {value: '${{ inputs.x }}'}}}\ninputs: {x: any}"
    )
    for given in (1, 1, 2, 1):
        assert (await world.run(text, {"x": given})).output == {"a": given}
    assert world.acts == ["a", "a"]


async def test_who_is_given_a_kept_result_is_told_whose_it_is(world: World) -> None:
    text = "nodes: {a: {uses: t.do, cache: 1h, with: {value: 5}}}"
    first = await world.run(text)
    second = await world.run(text)
    assert [fact.cached for fact in await world.facts(second.run, "a")] == [first.run]
    assert [fact.cached for fact in await world.facts(first.run, "a")] == [""]


async def test_a_result_is_kept_for_its_time(world: World) -> None:
    text = "nodes: {a: {uses: t.do, cache: 1h, with: {value: 5}}}"
    await world.run(text)
    world.pass_time(3599)
    await world.run(text)
    assert world.acts == ["a"]
    world.pass_time(1)
    await world.run(text)
    assert world.acts == ["a", "a"]


async def test_a_result_is_given_within_the_time_of_who_asks(world: World) -> None:
    """A node that takes results for a minute does not get one that another keeps for a day."""
    long = "nodes: {a: {uses: t.do, cache: 1d, with: {value: 5}}}"
    short = "nodes: {a: {uses: t.do, cache: 1m, with: {value: 5}}}"
    await world.run(long)
    world.pass_time(61)
    await world.run(long)
    assert len(world.acts) == 1
    await world.run(short)
    assert len(world.acts) == 2


async def test_a_failure_is_not_kept(world: World) -> None:
    text = """
        nodes:
          a:
            uses: t.fail
            with: {times: 1, value: 7}
            retry: {attempts: 2, delay: 1ms}
            cache: true
    """
    for _ in range(2):
        assert (await world.run(text)).output == {"a": 7}
    assert world.acts == ["a!", "a"]


async def test_a_key_stands_for_the_parameters(world: World) -> None:
    text = """
        inputs: {x: any, day: string}
        nodes:
          a:
            uses: t.do
            with: {value: '${{ inputs.x }}'}
            cache: {key: 'of ${{ inputs.day }}'}
    """
    for given, day, wanted in ((1, "mo", 1), (2, "mo", 1), (2, "tu", 2)):
        assert (await world.run(text, {"x": given, "day": day})).output == {"a": wanted}


async def test_a_key_is_that_of_its_node_and_blueprint(world: World) -> None:
    text = """
        nodes:
          a: {uses: t.do, with: {value: 1}, cache: {key: k}}
          b: {uses: t.do, with: {value: 2}, cache: {key: k}}
        output: ${{ [a, b] }}
    """
    for id_ in ("one", "two"):
        for _ in range(2):
            assert (await world.run(f"atomiton: 1\nid: {id_}\n" + dedent(text))).output == [1, 2]
    assert len(world.acts) == 4


async def test_each_item_of_a_map_has_its_own(world: World) -> None:
    text = """
        inputs: {these: array}
        nodes:
          a: {map: '${{ inputs.these }}', uses: t.do, with: {value: '${{ item }}'}, cache: true}
        output: ${{ a }}
    """
    assert (await world.run(text, {"these": [1, 2]})).output == [1, 2]
    assert (await world.run(text, {"these": [2, 3, 1]})).output == [2, 3, 1]
    assert world.acts == ["a[0]", "a[1]", "a[1]"]


async def test_values_of_one_look_are_not_taken_for_each_other(world: World) -> None:
    text = (
        "inputs: {x: any}\nnodes: {a: {uses: t.do, cache: true, with: {value: '${{ inputs.x }}'}}}"
    )
    given = [1, 1.0, True, "1", None, [], {}, [1], {"a": 1}]
    for value in given:
        got = (await world.run(text, {"x": value})).output
        assert repr(got) == repr({"a": value})
    assert len(world.acts) == len(given)


async def test_the_order_of_fields_does_not_matter(world: World) -> None:
    text = (
        "inputs: {x: any}\nnodes: {a: {uses: t.do, cache: true, with: {value: '${{ inputs.x }}'}}}"
    )
    await world.run(text, {"x": {"p": 1, "q": 2}})
    await world.run(text, {"x": {"q": 2, "p": 1}})
    assert len(world.acts) == 1


async def test_code_is_part_of_what_a_result_is_kept_under(tmp_path: Path) -> None:
    """A node type that was written anew gives what the new code gives."""

    async def one() -> int:
        return 1

    async def two() -> int:
        return 2

    calls: list[int] = []

    async def counted() -> int:
        calls.append(1)
        return 3

    file = tmp_path / "it.yaml"
    file.write_text("atomiton: 1\nid: it\nnodes: {a: {uses: t.code, cache: true}}\n")
    for function, wanted in ((one, 1), (two, 2), (one, 1), (counted, 3), (counted, 3)):
        nodes = [node("t.code")(function)]
        async with Conductor(str(tmp_path / "runs.db"), nodes=nodes) as conductor:
            assert (await conductor.run(file)).output == {"a": wanted}
    assert calls == [1]


@pytest.mark.parametrize("where", ["thread", "inline"])
async def test_functions_are_kept_as_well(world: World, where: str) -> None:
    calls: list[int] = []

    @node("t.plain")
    def plain(x: int) -> int:
        calls.append(x)
        return x + 1

    world.conductor.library.registry.add(plain)
    text = f"nodes: {{a: {{uses: t.plain, runtime: {where}, with: {{x: 1}}, cache: true}}}}"
    for _ in range(2):
        assert (await world.run(text)).output == {"a": 2}
    assert calls == [1]


async def test_a_parameter_that_does_not_fit_fails_all_the_same(world: World) -> None:
    @node("t.number")
    async def number(x: int) -> int:
        return x

    world.conductor.library.registry.add(number)
    text = """
        inputs: {x: any}
        nodes: {a: {uses: t.number, with: {x: '${{ inputs.x }}'}, cache: {key: k}}}
    """
    assert (await world.run(text, {"x": 1})).output == {"a": 1}
    failed = await world.run(text, {"x": "no"})
    assert failed.error is not None
    assert failed.error.code == "TYPE_MISMATCH"


async def test_a_secret_is_not_kept(world: World) -> None:
    """Neither in the result, nor does it decide which result is given."""
    text = """
        secrets: [TOKEN]
        nodes: {a: {uses: t.do, cache: true, with: {value: '${{ "x " + secrets.TOKEN }}'}}}
    """
    for _ in range(2):
        assert (await world.run(text)).output == {"a": "x ***"}
    assert world.acts == ["a"]


async def test_an_expression_that_fails_in_a_key_fails_the_node(world: World) -> None:
    text = """
        inputs: {x: any}
        nodes: {a: {uses: t.do, cache: {key: '${{ inputs.x.y }}'}}}
    """
    failed = await world.run(text, {"x": {}})
    assert failed.error is not None
    assert failed.error.code == "EXPRESSION_ERROR"


@pytest.mark.parametrize(
    ("body", "where", "says"),
    [
        ("wait: {for: 1s}, cache: true", "nodes.a.cache", "uses"),
        ("nodes: {b: {uses: t.do}}, cache: true", "nodes.a.cache", "uses"),
        ("uses: t.do, cache: true, compensate: {uses: t.do}", "nodes.a.cache", "compensate"),
        ("uses: t.do, compensate: {uses: t.do, cache: 1h}", "nodes.a.compensate.cache", "undoes"),
        (
            "uses: data.filter, with: {items: [1], where: item > 0}, cache: true",
            "nodes.a.cache",
            "key",
        ),
        ("uses: t.do, cache: {key: '${{ nobody }}'}", "nodes.a.cache.key", "nobody"),
        ("uses: t.do, cache: {key: '${{ secrets.TOKEN }}'}", "nodes.a.cache.key", "secret"),
    ],
)
def test_what_cannot_be_kept_is_refused(world: World, body: str, where: str, says: str) -> None:
    problem = world.problem(f"nodes: {{a: {{{body}}}}}")
    assert problem.path == where
    assert says in f"{problem.message} {problem.hint}"


async def test_false_keeps_nothing(world: World) -> None:
    text = "nodes: {a: {uses: t.do, cache: false}}"
    for _ in range(2):
        await world.run(text)
    assert world.acts == ["a", "a"]


async def test_what_a_key_refers_to_comes_first(world: World) -> None:
    text = """
        nodes:
          a: {uses: t.do, cache: {key: '${{ b }}'}}
          b: {uses: t.do, with: {value: 1}}
    """
    await world.run(text)
    assert world.acts == ["b", "a"]


async def test_hooks_are_told_though_the_node_is_not_called(world: World) -> None:
    heard: list[object] = []
    world.conductor.hooks.before(type="t.do")(lambda event: heard.append(event.parameters["value"]))
    world.conductor.hooks.output(type="t.do")(lambda event: event.output + 1)
    text = "nodes: {a: {uses: t.do, cache: true, with: {value: 5}}}"
    for _ in range(2):
        assert (await world.run(text)).output == {"a": 6}  # what is kept is the node's own
    assert heard == [5, 5]
    assert world.acts == ["a"]


async def test_a_changed_input_is_what_the_result_is_kept_under(world: World) -> None:
    world.conductor.hooks.input(type="t.do")(lambda event: {"value": event.parameters["value"] * 2})
    text = "nodes: {a: {uses: t.do, cache: true, with: {value: 5}}}"
    assert (await world.run(text)).output == {"a": 10}
    assert (await world.run("nodes: {b: {uses: t.do, cache: true, with: {value: 5}}}")).output == {
        "b": 10
    }
    assert world.acts == ["a"]


async def test_with_a_key_what_was_changed_is_not_kept(world: World) -> None:
    values = iter([7, 8])
    world.conductor.hooks.input(type="t.do")(lambda _event: {"value": next(values, None)})
    text = "nodes: {a: {uses: t.do, cache: {key: k}, with: {value: 5}}}"
    assert (await world.run(text)).output == {"a": 7}
    assert (await world.run(text)).output == {"a": 8}


@pytest.mark.parametrize("cut", ["DROP TABLE results", "UPDATE results SET output = x'c1'"])
async def test_a_cache_that_fails_costs_a_call_and_no_run(world: World, cut: str) -> None:
    text = "nodes: {a: {uses: t.do, cache: true, with: {value: 5}}}"
    await world.run(text)
    said: list[str] = []
    world.conductor.driver.on_log = lambda _run, _node, _level, text: said.append(text)

    def spoil() -> Steps[None]:
        yield cut, ()

    await world.conductor._beside.do(spoil)
    assert (await world.run(text)).output == {"a": 5}
    assert world.acts == ["a", "a"]
    assert "no kept result could be looked for" in said[0]


async def test_what_is_kept_is_listed_and_cleared(world: World) -> None:
    for value in (1, 2):
        await world.run(f"nodes: {{a: {{uses: t.do, cache: 1h, with: {{value: {value}}}}}}}")
    results = world.conductor.results
    (told,) = await results.list()
    assert (told.type, told.results, told.bytes) == ("t.do", 2, 2)
    assert await results.clear("other") == 0
    assert await results.clear("t.do") == 2
    assert await results.list() == []


async def test_what_is_over_goes_when_something_is_kept(world: World) -> None:
    await world.run("nodes: {a: {uses: t.do, cache: 1s, with: {value: 1}}}")
    world.pass_time(2)
    await world.run("nodes: {a: {uses: t.do, cache: true, with: {value: 2}}}")
    assert await world.conductor.results.clear() == 1
