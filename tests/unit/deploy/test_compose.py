"""docker-compose.yml and Dockerfile say what the code says. No engine is needed: nothing is built or started here."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from docvigil.embedded.postgres import SERVER_SETTINGS
from docvigil.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / "deploy" / "env.example"

#: The processes of docvigil, and the command each runs.
PROCESSES = {
    "migrate": ["migrate"],
    "watch": ["watch", "/drop"],
    "relay": ["relay"],
    "reconcile": ["reconcile"],
    "beat": ["beat"],
    "outgoing": ["outgoing"],
    "prepare": ["worker", "prepare"],
    "infer": ["worker", "infer"],
    "train": ["worker", "train"],
    "web": ["web"],
    "cli": ["balance"],
}

#: Commands that offer metrics.
OFFERING = {"relay", "reconcile", "beat", "worker", "outgoing"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    found: dict[str, Any] = content["services"]
    return found


def test_it_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_schema_is_of_use(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("restart: unless-stopped", "restart: [unless-stopped]"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_the_dockerfile_is_clean() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_process_is_there(services: dict[str, Any]) -> None:
    assert {name: one["command"] for name, one in services.items() if "build" in one} == PROCESSES


@pytest.mark.parametrize("words", PROCESSES.values(), ids=PROCESSES.keys())
def test_every_command_exists(words: list[str]) -> None:
    from docvigil.cli import app

    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    chosen = command.commands[words[0]]
    chosen.make_context(words[0], words[1:])


def test_every_setting_exists() -> None:
    known = {f"DOCVIGIL_{name.upper()}" for name in Settings.model_fields}
    for file in (COMPOSE, EXAMPLE, ROOT / "Dockerfile"):
        named = set(re.findall(r"DOCVIGIL_[A-Z0-9_]+", file.read_text()))
        assert named
        assert named <= known, file.name


def test_the_example_names_every_variable_and_gives_no_secret() -> None:
    example = EXAMPLE.read_text()
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", COMPOSE.read_text()))
    passed_on = set(re.findall(r"^ +([A-Z][A-Z0-9_]+):$", COMPOSE.read_text(), re.MULTILINE))
    assert named == asked | passed_on
    assert not re.search(r"^#?\w*(PASSWORD|KEY|KEY_ID)=.+", example, re.MULTILINE)


def test_prometheus_is_told_where_metrics_are(services: dict[str, Any]) -> None:
    (job,) = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    offering = {name for name, one in services.items() if one.get("command", [""])[0] in OFFERING}
    assert set(found["names"]) == offering
    assert f"DOCVIGIL_METRICS_PORT:-{found['port']}}}" in COMPOSE.read_text()


def test_every_service_is_fenced_in(services: dict[str, Any]) -> None:
    for name, one in services.items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        # The desk is reached from this machine, and from elsewhere through a proxy with TLS.
        open_ports = ["127.0.0.1:8321:8321"] if name == "web" else []
        assert one.get("ports", []) == open_ports, f"{name} would be open to the network"
        assert one.get("read_only") or name == "postgres", name
        assert "build" in one or one.get("user"), f"{name} would run as root"


def test_secrets_go_only_where_they_are_needed(services: dict[str, Any]) -> None:
    def holders(secret: str) -> set[str]:
        return {name for name, one in services.items() if secret in yaml.dump(one)}

    assert holders("POSTGRES_PASSWORD") == {"postgres"}
    assert holders("OWNER_PASSWORD") == {"postgres", "migrate"}
    assert holders("DOCVIGIL_AUDIT_KEY") == {"prepare", "cli"}
    assert holders("DOCVIGIL_OIDC_CLIENT_SECRET") == {"web"}


def test_postgres_keeps_values_out_of_its_log(services: dict[str, Any]) -> None:
    given = dict(word.removeprefix("--").split("=") for word in services["postgres"]["command"][1:])
    assert given == {name: SERVER_SETTINGS[name] for name in given}
    assert {name for name in SERVER_SETTINGS if name.startswith("log_") and "error" in name} <= given.keys()


def test_the_image_takes_the_pinned_torch_and_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dockerfile = (ROOT / "Dockerfile").read_text()
    pinned = next(one for one in project["project"]["dependencies"] if one.startswith("torch=="))
    assert f" {pinned}\n" in dockerfile
    packages = {one.rstrip("*") for one in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == packages
    let_through = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert packages <= let_through
