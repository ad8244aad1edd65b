"""What becomes of the communities' own examples: every part is told of, and nothing is lost."""

from __future__ import annotations

import json
import re

import pytest
from tests.integration.interop.examples import (
    FOLDERS,
    REPORTS,
    example,
    examples,
    imported,
    lines_of,
    stored,
)

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.yaml import load
from atomiton.interop import import_workflow
from atomiton.interop.data import listing, mapping
from atomiton.nodes.registry import Registry

NAMES = examples()


def parts_of(name: str) -> set[str]:
    """What a file calls its nodes, states or tasks at the top; notes and settings left out."""
    text = example(name).decode()
    if name.startswith("n8n/"):
        nodes = json.loads(text)["nodes"]
        return {node["name"] for node in nodes if not node["type"].endswith("stickyNote")}
    if name.startswith("node_red/"):
        nodes = json.loads(text)
        return {node["id"] for node in nodes if "wires" in node and node["type"] != "comment"}
    if name.startswith("asl/"):
        return set(json.loads(text)["States"])
    return {key for task in listing(load(text).data["do"]) for key in mapping(task)}


ENOUGH = {"n8n": 20, "serverless/examples": 60, "asl": 15, "node_red": 100}


@pytest.mark.parametrize("folder", ENOUGH)
def test_there_are_enough_of_each(folder: str) -> None:
    count = sum(name.startswith(f"{folder}/") for name in NAMES)
    if not count:
        pytest.skip(f"there are no examples in {folder}")
    assert count >= ENOUGH[folder]


@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_as_it_was_accepted(name: str) -> None:
    if not REPORTS.exists():
        pytest.skip(f"no reports were accepted: {REPORTS} is not there")
    assert lines_of(name) == stored()[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_part_is_told_of_and_the_blueprint_can_be_run(name: str) -> None:
    made = imported(name)
    folder = name.rsplit("/", 1)[0]
    assert made.report.format == FOLDERS[folder]
    told = [entry.source for entry in made.report.entries]
    if folder == "node_red":
        told = [re.sub(r".*\((\S+)\)$", r"\1", source) for source in told]
    assert parts_of(name) <= set(told)
    blueprint, document = read_blueprint(made.text)
    compile_blueprint(blueprint, Registry.builtin(), document.positions)
    for entry in made.report.entries:
        assert entry.notes or entry.status == "mapped"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_mapped_keeps_what_the_file_says(name: str) -> None:
    made = imported(name)
    metadata = mapping(load(made.text).data["metadata"])
    kept = mapping(mapping(metadata["imported"]).get("originals"))
    for entry in made.report.entries:
        if entry.status == "not_mapped" and entry.node:
            assert entry.node in kept
            assert f"  {entry.node}:" in made.text
            assert "NOT_MAPPED" in made.text


def test_places_and_notes_of_the_canvas_are_kept() -> None:
    document = json.loads(example("n8n/soc-00-error-handler.json"))
    made = imported("n8n/soc-00-error-handler.json")
    layout = load(made.text).data["layout"]
    ids = {entry.source: entry.node for entry in made.report.entries}
    wanted = {
        ids[node["name"]]: node["position"] for node in document["nodes"] if node["name"] in ids
    }
    assert {key: wanted[key] for key in wanted if key in layout} == layout
    assert len(layout) > 1


def test_the_format_can_be_said() -> None:
    text = example("asl/path-based-on-data.json").decode()
    assert import_workflow(text, "asl").report.format == "asl"
