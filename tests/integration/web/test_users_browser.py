"""The users' page in a real browser, by keyboard alone: somebody is added and comes in, is changed and kept out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.web.browsing import PATIENCE, barriers, browser, sign_in
from tests.integration.web.serving import PASSWORD, Desk, serving
from tests.services import Services


@pytest.fixture(scope="module")
def desk(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with serving(postgres, tmp_path_factory.mktemp("users")) as desk:
        desk.user("chitra", "supervisor")
        yield desk


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What goes wrong in scripts of pages, and what the content security policy refuses."""
    found: list[str] = []
    yield found
    assert found == []


def opened(chromium: Browser, errors: list[str], address: str) -> Page:
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-IN").new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(address)
    return page


def reach(page: Page, selector: str, most: int = 80) -> None:
    """Tabs on until what is meant has the focus."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard doesn't reach {selector}")


def test_somebody_is_added_changed_and_kept_out_by_keyboard_alone(
    desk: Desk, chromium: Browser, errors: list[str]
) -> None:
    page = opened(chromium, errors, desk.url + "/users")
    sign_in(page, "chitra", PASSWORD)
    page.wait_for_url(lambda url: url.endswith("/users"))
    expect(page.locator("nav [aria-current=page]")).to_have_text("Users")
    assert barriers(page) == []

    reach(page, "#name")
    page.keyboard.type("Binod")
    reach(page, "#add button")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_have_text("Choose at least one role.")
    reach(page, "#add input[value=reviewer]")
    page.keyboard.press("Space")
    reach(page, "#add button")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#way")).to_be_visible()
    assert barriers(page) == []
    link = page.locator("#handed").input_value()
    assert link.startswith(f"{desk.url}/welcome?link=")
    page.keyboard.press("Escape")
    row = page.locator("tr[data-name=binod]")
    expect(row).to_contain_text("invited")

    binod = opened(chromium, errors, link)
    binod.locator("#password").fill(PASSWORD)
    binod.locator("#again").fill(PASSWORD)
    binod.keyboard.press("Enter")
    expect(binod.locator(".who")).to_have_text("binod")

    reach(page, "tr[data-name=binod] [data-act=roles]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#roles")).to_be_visible()
    assert barriers(page) == []
    reach(page, "dialog#roles input[value=auditor]")
    page.keyboard.press("Space")
    reach(page, "dialog#roles button[value=yes]")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("auditor, reviewer")
    binod.reload()
    expect(binod.locator("nav")).to_contain_text("Users")

    reach(page, "tr[data-name=binod] [data-act=disable]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#sure")).to_contain_text("Disable binod")
    assert barriers(page) == []
    reach(page, "dialog#sure [data-part=yes]")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("disabled")
    binod.reload()
    expect(binod.locator("main")).to_contain_text("Your session has ended.")
    reach(page, "tr[data-name=binod] [data-act=enable]")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("ready")
    binod.context.close()

    reach(page, "tr[data-name=chitra] [data-act=disable]")
    page.keyboard.press("Enter")
    reach(page, "dialog#sure [data-part=yes]")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("Nobody who can sign in would be a supervisor any more")
    page.locator(".tools button[lang=hi]").click()
    expect(page.locator("h1")).to_have_text("उपयोगकर्ता")
    assert barriers(page) == []
    page.context.close()
