"""Boxes drawn in a real browser: a document type by mouse and keyboard, labels by a counted few keys; the register."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.doctypes.load import load_all
from records import labels
from tests.integration.docvigil.cli.conftest import judge_with_pages
from tests.integration.records import steps
from tests.integration.web.browsing import barriers, browser, sign_in
from tests.integration.web.serving import PASSWORD, Desk, serving
from tests.services import Services

#: Keys that went down, on the whole page.
COUNT = "() => { window.keys = 0; addEventListener('keydown', () => { window.keys += 1; }, true); }"
MINUTES = 60 * 1000


@dataclass
class Stage:
    desk: Desk
    browser: Browser
    folder: Path

    def page(self, to: str) -> Page:
        page = self.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-IN").new_page()
        page.set_default_timeout(MINUTES)
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(self.desk.url + to)
        sign_in(page, "chitra", PASSWORD)
        page.wait_for_url(self.desk.url + to)
        return page


@pytest.fixture(scope="module")
def stage(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("desk")
    with browser() as started, serving(postgres, folder) as desk:
        desk.user("chitra", "supervisor", "reviewer")
        expect.set_options(timeout=MINUTES)
        yield Stage(desk, started, folder)
        expect.set_options(timeout=5000)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """On the paper, in fractions of it."""
    # The page is taller than the window.
    page.locator("#paper").evaluate(
        "(svg, y) => { const r = svg.getBoundingClientRect(); scrollBy(0, r.top + y * r.height - innerHeight / 2); }",
        start[1],
    )
    frame = page.locator("#paper image").bounding_box()
    assert frame is not None
    points = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=3)
    page.mouse.up()


def test_a_type_is_drawn_by_mouse_and_keyboard(stage: Stage) -> None:
    page = stage.page("/doctypes")
    assert barriers(page) == []
    page.get_by_role("link", name="kyc-individual", exact=True).click()
    page.get_by_role("button", name="Draw a new version").click()
    expect(page.locator("#fields li").first).to_be_visible()
    assert barriers(page) == []
    count = page.locator("#fields li").count()

    drag(page, (0.005, 0.45), (0.035, 0.5))
    expect(page.locator("#fields li")).to_have_count(count + 1)
    page.keyboard.type("Bad Name")
    expect(page.locator("#field-remarks .stops")).to_contain_text("name:")
    page.keyboard.press("Control+a")
    page.keyboard.type("branch_code")
    expect(page.locator("#field-remarks .stops")).to_have_count(0)
    expect(page.locator("#saved")).to_have_text("Saved")

    chosen = page.locator("#paper rect.chosen")
    before = [float(chosen.get_attribute(name) or 0) for name in ("x", "y", "width", "height")]
    chosen.focus()
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    after = [float(chosen.get_attribute(name) or 0) for name in ("x", "y", "width", "height")]
    moved = [round(b - a, 1) for a, b in zip(before, after, strict=True)]
    assert min(moved[0], moved[1], moved[3]) > 0 > moved[2], "arrows move it, with Shift they change its size"

    page.get_by_label("Cells of a comb").fill("8")
    page.keyboard.press("Tab")
    page.get_by_label("In groups of so many cells").fill("2 2")
    page.keyboard.press("Tab")
    expect(page.locator("#field-remarks .stops")).to_contain_text("the groups [2, 2] hold 4 boxes, but `cells` says 8")
    page.get_by_label("In groups of so many cells").fill("2 2 4")
    page.get_by_label("Gap between groups").fill("1.1")
    page.keyboard.press("Tab")
    expect(page.locator("#field-remarks .stops")).to_have_count(0)
    expect(page.locator("#saved")).to_have_text("Saved")

    page.get_by_role("button", name="Save as a new version").click()
    page.wait_for_url("**/doctypes/kyc-individual")
    (saved,) = load_all(stage.folder / "types")
    assert (saved.version, saved.fields[-1].name) == (2, "branch_code")
    assert (saved.fields[-1].groups, saved.fields[-1].gap) == ((2, 2, 4), 1.1)
    expect(page.locator("h1")).to_contain_text("kyc-individual@2")


def test_labels_take_few_keys(stage: Stage) -> None:
    sessions = stage.desk.sessions
    document_id = judge_with_pages(sessions, stage.desk.store, "form", [steps.finding()], pages=1)
    with sessions.begin() as session:
        number = labels.begin(session, "Pilot", "kyc-individual", actor="test").id
        labels.add(session, number, [document_id])
    page = stage.page(f"/labels/{number}")
    first = page.locator("#fields li").first
    expect(first).to_be_visible()
    assert barriers(page) == []
    page.locator("#fields [data-control='0']").focus()
    page.evaluate(COUNT)
    fields, typed = page.locator("#fields li").count(), 0
    for _ in range(fields):
        if page.evaluate("document.activeElement.tagName") == "INPUT":
            page.keyboard.type("12")
            typed += 2
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("1")
    keys = page.evaluate("window.keys") - typed
    assert keys <= fields, f"{keys} keys for {fields} fields, besides what is written in them"
    expect(page.locator("#save")).to_be_focused()

    drag(page, (0.1, 0.8), (0.3, 0.85))
    expect(page.locator("#fields li")).to_have_count(fields + 1)
    page.evaluate("window.keys = 0")
    page.keyboard.press("s")
    page.keyboard.press("1")
    assert page.evaluate("window.keys") == 2, "one drag and two keys"
    page.keyboard.press("Control+Enter")
    expect(page.locator("#empty")).to_be_visible()
    with sessions.begin() as session:
        kept = labels.latest(session, document_id)
    assert kept is not None and len(kept.fields) == fields + 1
    assert (kept.fields[-1]["kind"], kept.fields[-1]["value"]) == ("signature", "signature")
    assert kept.fields[-1]["box"] == pytest.approx([0.1, 0.8, 0.3, 0.85], abs=0.01)
    page.goto(f"{stage.desk.url}/labels")
    assert barriers(page) == []


def test_the_register_is_changed_after_a_look(stage: Stage) -> None:
    page = stage.page("/endorsers")
    page.get_by_label("CSV file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"name,employee_code\nAnita Desai,E-17\n"}
    )
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#preview")).to_contain_text("Anita Desai (new)")
    page.get_by_role("button", name="Import these changes").click()
    page.get_by_role("button", name="Retire Anita Desai").click()
    assert barriers(page) == []
    page.get_by_role("button", name="Retire", exact=True).click()
    expect(page.locator(".empty")).to_be_visible()
