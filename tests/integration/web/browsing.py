"""A real browser for tests: Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

#: Where a browser may be, besides Playwright's own.
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: Milliseconds that anything may take to show, also on a machine that has other work.
PATIENCE = 60_000
#: WCAG 2.2, levels A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium; the test is skipped where there is none."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_executable(playwright), args=ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


def _executable(playwright: Playwright) -> str:
    found = os.environ.get("DOCVIGIL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    own = playwright.chromium.executable_path
    if found is None and not Path(own).exists():
        pytest.skip("there is no Chromium: install it, or run `playwright install chromium`")
    return found or own


def sign_in(page: Page, name: str, password: str) -> None:
    """Signs in by keyboard. A page that isn't drawn yet has not put the cursor into its first field: what is typed
    before that is lost, so the field is asked for."""
    page.locator("#name").press_sequentially(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def barriers(page: Page) -> list[str]:
    """What axe finds on a page that keeps people out, one line each; in the light and in the dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        told = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response
        for one in told["violations"]:
            places = ", ".join(node["html"][:120] for node in one["nodes"][:3])
            found.append(f"{page.url} ({scheme}): {one['id']}: {one['help']}: {places}")
    page.emulate_media(color_scheme="light")
    return found
