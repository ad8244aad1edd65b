"""``atomiton import`` from outside: what it prints, writes and ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

STATES = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 7, "End": True}}}
TASK = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:x", "End": True}}}


def atomiton(*arguments: str, given: str = "", folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "atomiton", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_ends_with_what_became_of_it(tmp_path: Path) -> None:
    (tmp_path / "one.asl.json").write_text(json.dumps(STATES))
    done = atomiton("import", "one.asl.json", "--strict", folder=tmp_path)
    assert done.returncode == 0
    assert "id: one" in done.stdout
    assert done.stderr.splitlines()[0] == "A  Pass: mapped"
    part = atomiton("import", "-", "--json", given=json.dumps(TASK), folder=tmp_path)
    report = json.loads(part.stdout)
    assert part.returncode == 1
    assert (report["format"], report["complete"], report["parts"][0]["node"]) == ("asl", False, "a")
    assert "NOT_MAPPED" in report["text"]


def test_what_is_no_workflow_is_refused(tmp_path: Path) -> None:
    refused = atomiton("import", "-", given='{"a": 1}', folder=tmp_path)
    assert refused.returncode == 2
    assert "no workflow of a known format" in refused.stderr
    said = json.loads(atomiton("import", "-", "--json", given="[", folder=tmp_path).stdout)
    assert said["error"]["code"] == "INVALID_BLUEPRINT"


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("mine")
    again = ("import", "-", "-o", "out.yaml")
    assert atomiton(*again, given=json.dumps(STATES), folder=tmp_path).returncode == 2
    assert (tmp_path / "out.yaml").read_text() == "mine"
    done = atomiton(*again, "--overwrite", given=json.dumps(STATES), folder=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "out.yaml").read_text().startswith("atomiton: 1")
