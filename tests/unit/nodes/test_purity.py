"""The purity kit finds what is not pure, and nothing else."""

from __future__ import annotations

import gc
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from atomiton.nodes.spec import node
from atomiton.testing.purity import ImpureError, assert_pure, forbidden_world


def impure(function):
    return node("test.impure", effect="pure")(function)


def opens():
    return open(__file__).read()


def lists():
    return os.listdir()


def connects():
    socket.create_connection(("127.0.0.1", 9))


def spawns():
    subprocess.run([sys.executable, "-V"])


def asks_time():
    return time.time()


def asks_chance():
    return random.random()


def hides():
    try:
        os.stat(__file__)
        os.remove(__file__ + ".none")
    except AssertionError:
        return 1


async def async_opens():
    return open(__file__).read()


@pytest.mark.parametrize(
    "function", [opens, lists, connects, spawns, asks_time, asks_chance, hides, async_opens]
)
def test_reaching_the_world_is_found(function) -> None:
    with pytest.raises(ImpureError, match=r"reach the world|time or chance"):
        assert_pure(impure(function), {})


def test_changing_an_input_or_the_result_is_found() -> None:
    def mutates(items: list[int]) -> int:
        items.append(1)
        return 1

    counter = iter(range(10))

    def counts() -> int:
        return next(counter)

    store: list[int] = []

    def grows() -> list[int]:
        store.append(1)
        return store

    with pytest.raises(ImpureError, match="changed what it was given"):
        assert_pure(impure(mutates), {"items": []})
    with pytest.raises(ImpureError, match="gave 0, then 1"):
        assert_pure(impure(counts), {})
    with pytest.raises(ImpureError, match="gave"):
        assert_pure(impure(grows), {})


def test_what_is_pure_passes_also_with_an_import_in_it() -> None:
    sys.modules.pop("colorsys", None)

    def lightness(r: float) -> tuple[float, float, float]:
        import colorsys

        return colorsys.rgb_to_hls(r, r, r)

    assert assert_pure(impure(lightness), {"r": 0.5}) == (0.0, 0.5, 0.0)
    assert assert_pure(impure(lambda: float("nan")), {}) != 0


def test_other_threads_and_later_code_are_free() -> None:
    seen = []
    with forbidden_world():
        thread = threading.Thread(target=lambda: seen.append((time.time(), os.listdir())))
        thread.start()
        thread.join()
    assert seen
    assert time.time() > 0
    assert os.listdir()


def test_garbage_of_others_is_not_taken_for_a_nodes_doing(tmp_path: Path) -> None:
    """What a collection of garbage does at its end happens after the node, not within it."""

    class Leftover:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            (tmp_path / "left").write_text("x")

    @node("t.allocating", effect="pure")
    def allocating(times: int) -> int:
        return len([[index] for index in range(times)])

    usual = gc.get_threshold()
    gc.collect()
    gc.set_threshold(20_000)  # so many objects only the node makes
    try:
        Leftover()
        assert assert_pure(allocating, {"times": 100_000}) == 100_000
    finally:
        gc.set_threshold(*usual)
    gc.collect()
    assert (tmp_path / "left").exists()
