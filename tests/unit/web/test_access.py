"""The table covers every route, and nothing is let in that it doesn't let in."""

from __future__ import annotations

import re

import pytest
from fastapi import APIRouter

from web import app as application
from web.access import ACCESS, PUBLIC, Person, Role
from web.config import WebConfig
from web.rendering import NAVIGATION

#: What everybody may see before signing in; a longer list is a decision.
OPEN = {
    "healthz",
    "readyz",
    "static_file",
    "sign_in_page",
    "sign_in",
    "sign_in_start",
    "sign_in_callback",
    "welcome_page",
    "welcome",
    "choose_language",
    "token",
}


def test_nothing_but_health_and_sign_in_is_public() -> None:
    assert {name for name, roles in ACCESS.items() if roles is PUBLIC} == OPEN


def test_no_row_is_empty_by_mistake() -> None:
    # An intersection that comes out empty is no decision that everybody may.
    assert all(roles or roles is PUBLIC for roles in ACCESS.values())


def test_a_route_without_a_row_keeps_the_application_from_starting(
    config: WebConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = APIRouter()

    @forgotten.get("/forgotten")
    def forgotten_page() -> str:
        return "open"

    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, forgotten))
    with pytest.raises(LookupError, match="forgotten_page"):
        application.create(config)


def test_the_menu_leads_to_routes_that_are_there() -> None:
    nobody = Person("p", "P", frozenset(), "secret", by_cookie=True)
    everybody = Person("p", "P", frozenset(Role), "secret", by_cookie=True)
    for route in NAVIGATION:
        assert everybody.may(route)
        assert not nobody.may(route)


def test_the_description_says_who_may(config: WebConfig) -> None:
    described = application.create(config).openapi()
    seen = 0
    for path, methods in described["paths"].items():
        for method in methods.values():
            assert "x-roles" in method, path
            assert method["security"] == ([] if not method["x-roles"] else [{"oauth2": []}]), path
            assert re.search(r"\w", method.get("description", "")), f"{path} says nothing about itself"
            seen += 1
    assert seen > 10
