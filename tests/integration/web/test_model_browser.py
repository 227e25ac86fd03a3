"""Versions moved and taken back in a real browser, by keyboard alone; and nobody kept out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from records import model_versions
from records.learning_tables import BoundReading
from tests.integration.web.browsing import PATIENCE, barriers, browser, sign_in
from tests.integration.web.serving import PASSWORD, Desk, serving
from tests.services import Services

NEW = "e" * 64


@dataclass
class Stage:
    desk: Desk
    browser: Browser
    #: What went wrong in scripts of pages.
    errors: list[str] = field(default_factory=list)

    def page(self, name: str, to: str) -> Page:
        page = self.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-IN").new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(self.desk.url + to)
        sign_in(page, name, PASSWORD)
        page.wait_for_url(self.desk.url + to)
        return page

    def standing(self) -> model_versions.Standing:
        with self.desk.sessions.begin() as session:
            return model_versions.standing(session)


@pytest.fixture(scope="module")
def stage(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with browser() as started, serving(postgres, tmp_path_factory.mktemp("desk")) as desk:
        desk.user("mira", "model-admin")
        desk.user("asha", "reviewer")
        with desk.sessions.begin() as session:
            model_versions.install(session, "first")
            model_versions.register(session, NEW, key="models/new.tar", by="trainer", parent="first")
            for month, missed, upper in ((1, 0.0, 0.04), (2, 0.0, 0.02), (3, 1.0, 0.031)):
                at = datetime(2026, month, 1, 6, tzinfo=UTC)
                values = {"check": "signature.missing", "labels": 1000.0 * month, "missed": missed, "upper": upper}
                session.add(BoundReading(version="first", at=at, **values))
        yield Stage(desk, started)


def press(page: Page, name: str) -> None:
    """Walks to the button of this name by Tab, and presses Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"Tab never comes to {name}")


def test_a_version_is_tried_brought_in_and_taken_back_by_keyboard(stage: Stage) -> None:
    page = stage.page("mira", f"/models/{NEW}")
    assert barriers(page) == []
    press(page, "Try as a canary")
    dialog = page.get_by_role("dialog", name="Try as a canary")
    expect(dialog).to_contain_text("It judges this share of the documents in place of version first")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert stage.standing().trial is None, "nothing happens before the answer is yes"

    press(page, "Try as a canary")
    expect(page.get_by_label("Share of the documents")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    expect(page.get_by_text("canary 30 %")).to_be_visible()
    trial = stage.standing().trial
    assert trial is not None and (trial.version, trial.stage, trial.share) == (NEW, "canary", 0.3)

    press(page, "Bring into production")
    expect(page.get_by_role("dialog")).to_contain_text("Version first is retired")
    press(page, "Yes, do it")
    expect(page.locator("strong", has_text="production")).to_be_visible()
    press(page, "Take back")
    expect(page.get_by_role("dialog")).to_contain_text("Version first does")
    press(page, "Yes, do it")
    expect(page.locator("strong", has_text="retired")).to_be_visible()
    production = stage.standing().production
    assert production is not None and production.version == "first"
    assert stage.errors == []


def test_what_was_taken_back_meanwhile_is_told(stage: Stage) -> None:
    with stage.desk.sessions.begin() as session:
        model_versions.stage(session, NEW, "shadow", by="mira")
    page = stage.page("mira", f"/models/{NEW}")
    with stage.desk.sessions.begin() as session:
        model_versions.roll_back(session, by="guard")
    press(page, "Take back")
    press(page, "Yes, do it")
    expect(page.get_by_role("status")).to_contain_text("nothing to take back")
    assert stage.errors == []


def test_the_bound_is_drawn_over_time_and_written_beside_it(stage: Stage) -> None:
    page = stage.page("asha", "/models/first")
    assert barriers(page) == []
    chart = page.get_by_role("img", name="Signature missing: Missed at most 3.10% at the end")
    expect(chart).to_be_visible()
    drawn = chart.locator("path").get_attribute("d")
    assert drawn is not None and drawn.count("H") == 2, "three readings are three steps"
    rows = page.get_by_role("region", name="Signature missing").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("3.10 %")
    expect(page.locator("[data-move]")).to_have_count(0)


def test_the_report_is_shown_with_its_own_style(stage: Stage) -> None:
    page = stage.page("mira", "/models/first")
    press(page, "What was learned: the quarter's report")
    page.wait_for_url(stage.desk.url + "/models/first/report")
    expect(page.get_by_role("heading", name="Missed at most")).to_be_visible()
    assert page.evaluate("() => getComputedStyle(document.body).maxWidth") == "1120px"
    assert barriers(page) == []
    assert stage.errors == []
