"""What the compose file and the manifests name is there: commands, ports, pages, variables."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from compose_pydantic import ComposeSpecification
from tests.house.reading import ROOT
from tests.temporal_server import binary

from atomiton.cli.app import app
from atomiton.conductor.temporal.codec import open_blobs
from atomiton.server import probes

FOLDER = ROOT / "examples/deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((FOLDER / "worker.yaml").read_text()))
CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8")
POD = MANIFESTS[0]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
PAGES = {route.path for route in probes._app(lambda: None).routes}
SOURCE = "\n".join(file.read_text("utf-8") for file in (ROOT / "src/atomiton").rglob("*.py"))


def given(words: list[str]) -> dict[str, Any]:
    """What a command of ours takes its words for; it is the first of them."""
    command = app.get_command(click.Context(app, info_name="atomiton"), words[0])
    assert command is not None, words[0]
    here = [str(ROOT) if word == "/data" else word for word in words[1:]]  # it is the image's
    return command.make_context(words[0], here).params


def port_of(place: str) -> int:
    return int(place.rpartition(":")[2])


def test_the_compose_file_is_one() -> None:
    ComposeSpecification.model_validate(COMPOSE)
    used = [of.partition(":")[0] for one in COMPOSE["services"].values() for of in one["volumes"]]
    assert set(used) == set(COMPOSE["volumes"])


def test_the_manifests_are_some() -> None:
    for manifest in MANIFESTS:
        kubernetes_validate.validate(manifest, "1.37", strict=True)
    labels = MANIFESTS[0]["spec"]["template"]["metadata"]["labels"]
    assert MANIFESTS[0]["spec"]["selector"]["matchLabels"] == labels


def test_what_is_wrong_in_them_would_be_found() -> None:
    with pytest.raises(ValueError, match="extra_forbidden"):
        ComposeSpecification.model_validate({**COMPOSE, "servces": {}})
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**MANIFESTS[0], "spce": {}}, "1.37", strict=True)
    with pytest.raises(click.UsageError, match="No such option"):
        given(["worker", "--temporal", "a:1", "--drian", "3"])


def test_their_image_is_ours_and_can_work_for_temporal() -> None:
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", CONTAINERFILE, re.MULTILINE)
    assert json.loads(entry) == ["atomiton"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name in ("worker", "studio"):
        build = COMPOSE["services"][name]["build"]
        assert (FOLDER / build["context"] / build["dockerfile"]).samefile(ROOT / "Containerfile")
        all_of = ",".join(extras[build["args"]["EXTRAS"]])
        assert {"temporal", "cloud", "secrets"} <= set(re.findall(r"\w+", all_of))
    assert f"--uid {POD['securityContext']['runAsUser']} " in CONTAINERFILE


def test_their_workers_are_commands_of_ours() -> None:
    for words in (COMPOSE["services"]["worker"]["command"], CONTAINER["args"]):
        assert words[0] == "worker"
        assert given(words)["server"].endswith(":7233")
    assert given(COMPOSE["services"]["studio"]["command"])["host"] == "0.0.0.0"


def test_workers_have_time_to_drain() -> None:
    service = COMPOSE["services"]["worker"]
    assert given(service["command"])["drain"] < int(service["stop_grace_period"].rstrip("s"))
    assert given(CONTAINER["args"])["drain"] < POD["terminationGracePeriodSeconds"]


def test_probes_ask_for_pages_where_the_worker_serves_them() -> None:
    options = given(CONTAINER["args"])
    ports = {of["name"]: of["containerPort"] for of in CONTAINER["ports"]}
    assert ports["health"] == port_of(options["health"])
    assert ports["metrics"] == port_of(options["metrics"])
    noted = MANIFESTS[0]["spec"]["template"]["metadata"]["annotations"]
    assert int(noted["prometheus.io/port"]) == ports["metrics"]
    for probe in PROBES:
        page = CONTAINER[probe]["httpGet"]
        assert page["path"] in PAGES
        assert page["port"] == "health"
    service = COMPOSE["services"]["worker"]
    health = given(service["command"])["health"]
    assert f"'http://{health}/healthz'" in service["healthcheck"]["test"][-1]


def test_ports_are_those_of_what_listens() -> None:
    services = COMPOSE["services"]
    assert [port_of(of) for of in services["temporal"]["ports"]] == [7233, 8233]
    assert given(services["studio"]["command"])["port"] == port_of(services["studio"]["ports"][0])


def test_variables_are_read_by_somebody() -> None:
    there = [{of["name"]: of["value"] for of in CONTAINER["env"]}]
    there += [one.get("environment", {}) for one in COMPOSE["services"].values()]
    names = {name for one in there for name in one}
    assert names == {"ATOMITON_TEMPORAL_BLOBS", "ATOMITON_STORE"}
    assert [name for name in names if f'"{name}"' not in SOURCE] == []
    for one in there:
        if "ATOMITON_TEMPORAL_BLOBS" in one:
            open_blobs(one["ATOMITON_TEMPORAL_BLOBS"])


def test_the_temporal_server_has_the_options_it_is_given() -> None:
    words = COMPOSE["services"]["temporal"]["command"]
    helped = subprocess.run(
        [binary(), *words[:2], "--help"], capture_output=True, text=True, check=True
    ).stdout
    for word in words[2:]:
        if word.startswith("--"):
            assert f"{word} " in helped
