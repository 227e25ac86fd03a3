"""Every text of a page is there in every language."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from pipeline.findings import CHECKS
from records.users import USER_STATES
from web.access import Role
from web.labels import LANGUAGES, catalogue, label
from web.pages.checks import LABELS
from web.pages.queue import AGES, TOLD
from web.pages.users import ROLES
from web.rendering import NAVIGATION

TEMPLATES = Path(__file__).parents[3] / "web" / "templates"
LITERAL = re.compile(r"""\bt\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def said() -> set[str]:
    texts = set(NAVIGATION.values())
    for path in TEMPLATES.rglob("*.html"):
        texts |= {ast.literal_eval(found) for found in LITERAL.findall(path.read_text("utf-8"))}
    return texts


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_text_of_a_template_is_left_in_english(code: str) -> None:
    assert len(said()) > 20
    assert sorted(said() - catalogue(code).keys()) == []


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_labels_have_the_same_places_for_values(code: str) -> None:
    for english, told in catalogue(code).items():
        assert _places(english) == _places(told), english


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_a_label_that_is_not_known_is_english() -> None:
    assert label("Nobody has translated this {count}.", "hi", count=3) == "Nobody has translated this 3."


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_check_and_every_choice_has_a_label(code: str) -> None:
    assert LABELS.keys() == set(CHECKS)
    assert {*LABELS.values(), *TOLD.values(), *AGES.values()} <= catalogue(code).keys()


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_role_and_state_of_users_has_a_label(code: str) -> None:
    assert ROLES.keys() == set(Role)
    assert {*USER_STATES, *map(str, ROLES), *ROLES.values()} - catalogue(code).keys() == set()
