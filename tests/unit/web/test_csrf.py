"""Tokens against forms of other sites, and where a sign-in may lead."""

from __future__ import annotations

import pytest

from web import csrf
from web.pages.signin import local


def test_a_token_is_of_one_cookie() -> None:
    assert csrf.same(csrf.token("one"), "one")
    assert not csrf.same(csrf.token("one"), "two")
    assert not csrf.same("", "one")
    assert not csrf.same("é", "one")


@pytest.mark.parametrize("place", ["/", "/documents/abc?after=1~2", "/a//b", "/क"])
def test_places_of_ours_are_kept(place: str) -> None:
    assert local(place) == place


@pytest.mark.parametrize(
    "place",
    [
        "",
        "//evil.test",
        "/\\evil.test",
        "https://evil.test",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "evil",
        "/\t/e",
    ],
)
def test_nobody_is_led_elsewhere(place: str) -> None:
    assert local(place) == "/"
