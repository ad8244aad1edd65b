"""Blueprints in a folder that people edit too, and that others may have tampered with."""

import asyncio
import contextlib
import os
import subprocess
import sys

import pytest
from tests.conformance.test_blueprints import text_of

from atomiton import create_storage
from atomiton.errors import AtomitonError, Conflict, NotFound, StoreError
from atomiton.store.blueprints import files


@pytest.fixture
def root(tmp_path):
    return tmp_path / "blueprints"


@pytest.fixture
async def store(root):
    async with create_storage(str(root)) as made:
        yield made


async def test_the_file_is_what_was_saved(store, root):
    text = text_of() + "# a remark\n"
    await store.save(text)
    assert (root / "order-report.yaml").read_text() == text
    assert sorted(path.name for path in root.iterdir()) == [".atomiton", "order-report.yaml"]
    await store.delete("order-report")
    assert not (root / "order-report.yaml").exists()


async def test_a_file_that_somebody_put_there_is_a_blueprint(store, root):
    (root / "order-report.yaml").write_text(text_of(name="By hand"))
    os.utime(root / "order-report.yaml", (50, 60))
    (found,) = (await store.list()).items
    assert (found.name, found.revision, found.created_at, found.updated_at) == (
        "By hand",
        1,
        60,
        60,
    )
    assert (await store.get("order-report")).text == text_of(name="By hand")
    changed = await store.save(text_of(name="Here"), expected=found.etag)
    assert changed.revision == 2
    assert (await store.get("order-report", 1)).text == text_of(name="By hand")
    assert [info.name for info in await store.history("order-report")] == ["Here", "By hand"]


async def test_what_is_edited_by_hand_becomes_part_of_the_history(store, root):
    saved = await store.save(text_of(body="n: 1"))
    (root / "order-report.yaml").write_text(text_of(body="n: 2"))
    edited = (await store.get("order-report")).info
    assert edited.revision == 2
    assert (await store.get("order-report", 2)).text == text_of(body="n: 2")
    assert [info.revision for info in await store.history("order-report")] == [2, 1]
    with pytest.raises(Conflict):
        await store.save(text_of(body="n: 3"), expected=saved.etag)
    await store.save(text_of(body="n: 3"), expected=edited.etag)
    assert [info.revision for info in await store.history("order-report")] == [3, 2, 1]
    assert (await store.get("order-report", 2)).text == text_of(body="n: 2")


async def test_a_file_removed_by_hand_is_deleted(store, root):
    await store.save(text_of())
    (root / "order-report.yaml").unlink()
    with pytest.raises(NotFound, match="deleted"):
        await store.get("order-report")
    assert [info.id for info in (await store.list(deleted=True)).items] == ["order-report"]
    await store.undelete("order-report")
    assert (root / "order-report.yaml").read_text() == text_of()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"id: [", "a ] is missing"),
        (b"id: other\n", "other.yaml"),
        (b"\xff\xfe", "UTF-8"),
        (b"nodes: {}\n", "no valid 'id'"),
    ],
)
async def test_a_file_with_faults_is_listed_with_what_is_wrong(store, root, content, problem):
    await store.save(text_of("fine"))
    (root / "faulty.yaml").write_bytes(content)
    faulty, fine = (await store.list()).items
    assert (faulty.id, fine.problem) == ("faulty", None)
    import re

    assert re.search(problem, faulty.problem)
    assert (await store.get("faulty")).info.problem == faulty.problem
    mended = await store.save(text_of("faulty"), expected=faulty.etag)
    assert (mended.revision, mended.problem) == (2, None)


async def test_files_with_other_names_are_left_alone(store, root):
    for name in ("README.md", "Big.yaml", "a b.yaml", ".hidden.yaml", "x.yml", "con.yaml"):
        (root / name).write_text(text_of())
    (root / "folder.yaml").mkdir()
    assert (await store.list()).items == ()


async def test_links_are_not_followed(store, root, tmp_path):
    outside = tmp_path / "outside.yaml"
    outside.write_text("secret: 1\n")
    (root / "order-report.yaml").symlink_to(outside)
    assert (await store.list()).items == ()
    with pytest.raises(StoreError, match="symbolic link"):
        await store.get("order-report")
    with pytest.raises(StoreError, match="symbolic link"):
        await store.save(text_of())
    assert outside.read_text() == "secret: 1\n"


@pytest.mark.parametrize("target", [".atomiton", ".atomiton/order-report"])
async def test_links_in_place_of_our_folders_are_refused(store, root, tmp_path, target):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if target == ".atomiton":
        (root / ".atomiton" / "lock").unlink(missing_ok=True)
        (root / ".atomiton").rmdir()
    (root / target).symlink_to(elsewhere)
    for call in (store.save(text_of()), store.get("order-report")):
        with pytest.raises((StoreError, NotFound)):
            await call
    assert list(elsewhere.iterdir()) == []


async def test_a_pipe_is_no_blueprint_and_holds_nobody_up(store, root):
    os.mkfifo(root / "order-report.yaml")
    with pytest.raises(StoreError, match="no ordinary file"):
        await asyncio.wait_for(store.get("order-report"), 5)


async def test_a_file_too_large_is_named_and_hides_no_others(store, root):
    await store.save(text_of("fine"))
    (root / "huge.yaml").write_bytes(b"#" * (files.MOST_BYTES + 1))
    huge = (await store.list()).items[1]
    assert "1 MiB" in huge.problem
    with pytest.raises(StoreError, match="1 MiB"):
        await store.get("huge")


@pytest.mark.parametrize("name", ["con", "nul", "aux", "prn", "com1", "lpt9"])
async def test_names_of_devices_are_refused(store, root, name):
    with pytest.raises(AtomitonError, match="device"):
        await store.save(text_of(name))
    with pytest.raises(AtomitonError, match="device"):
        await store.get(name)


async def test_earlier_texts_that_were_changed_are_damage(store, root):
    await store.save(text_of(body="n: 1"))
    await store.save(text_of(body="n: 2"))
    (root / ".atomiton" / "order-report" / "000001.yaml").write_text("other")
    with pytest.raises(StoreError, match=r"000001.yaml has changed"):
        await store.get("order-report", 1)
    (root / ".atomiton" / "order-report" / "index.json").write_text("{")
    with pytest.raises(StoreError, match=r"index.json is damaged"):
        await store.get("order-report")


async def test_what_is_allowed_for_a_file_stays_allowed(store, root):
    await store.save(text_of(body="n: 1"))
    (root / "order-report.yaml").chmod(0o640)
    await store.save(text_of(body="n: 2"))
    assert (root / "order-report.yaml").stat().st_mode & 0o777 == 0o640


async def test_a_failure_at_any_step_leaves_a_whole_text(store, root, monkeypatch):
    """Every call to the disk fails in turn; what is read afterwards was saved by somebody."""
    await store.save(text_of(body="n: 0"))
    seen = {text_of(body="n: 0")}
    for call in ("fsync", "replace", "open"):
        for fail_at in range(1, 8):
            real, count = getattr(os, call), [0]

            def failing(*arguments, real=real, count=count, fail_at=fail_at, **more):
                count[0] += 1
                if count[0] == fail_at:
                    raise OSError(28, "No space left on device")
                return real(*arguments, **more)

            monkeypatch.setattr(files.os, call, failing)
            text = text_of(body=f"n: {call}{fail_at}")
            with contextlib.suppress(StoreError):
                await store.save(text)
            monkeypatch.undo()
            seen.add(text)
            assert (await store.get("order-report")).text in seen
            for info in await store.history("order-report"):
                assert (await store.get("order-report", info.revision)).text in seen
    assert list((root / ".atomiton").glob("*.part")) == []


WRITER = """
import asyncio, sys
from atomiton import create_storage, Conflict
async def main(root, name, times):
    async with create_storage(root) as store:
        for number in range(times):
            while True:
                head = (await store.get("shared")).info
                text = f"id: shared\\nname: {name}-{number}\\n"
                try:
                    await store.save(text, expected=head.etag)
                except Conflict:
                    continue
                break
            print(number, flush=True)
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "sqlite", "postgres", "s3"])
async def test_processes_that_save_at_once_lose_nothing(kind, tmp_path, request):
    url = {
        "folder": lambda: str(tmp_path / "b"),
        "sqlite": lambda: f"sqlite:{tmp_path}/b.db",
        "postgres": lambda: request.getfixturevalue("postgres_url"),
        "s3": lambda: request.getfixturevalue("s3_url"),
    }[kind]()
    async with create_storage(url) as store:
        await store.save("id: shared\nname: start\n")
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, url, name, "8"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for name in "abc"
        ]
        for writer in writers:
            _, said = await asyncio.to_thread(writer.communicate, timeout=60)
            assert writer.returncode == 0, said.decode()
        history = await store.history("shared")
    assert [info.revision for info in history] == list(range(25, 0, -1))
    assert len({info.name for info in history}) == 25


@pytest.mark.slow
async def test_a_kill_leaves_a_whole_text(root):
    """A process is killed as it saves, again and again; every revision can still be read."""
    async with create_storage(str(root)) as store:
        await store.save("id: shared\nname: start\n")
        for turn in range(5):
            command = [sys.executable, "-c", WRITER, str(root), f"t{turn}", "100000"]
            writer = subprocess.Popen(command, stdout=subprocess.PIPE)
            for _ in range(3):
                await asyncio.to_thread(writer.stdout.readline)
            await asyncio.sleep(turn * 0.003)
            writer.kill()
            writer.communicate()
            history = await store.history("shared", limit=1000)
            for info in history:
                stored = await store.get("shared", info.revision)
                assert stored.info.problem is None
                assert stored.text == f"id: shared\nname: {info.name}\n"
            await store.save(f"id: shared\nname: after-{turn}\n")
    assert len(history) > 10
