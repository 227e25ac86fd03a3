"""Every route with every role, and with none: only what the table allows gets past the door."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.integration.web.conftest import Visit
from web.access import ACCESS, PUBLIC, Role, routes

#: What stands in the places of a path.
PARTS = {"document_id": "0" * 64, "number": "1", "finding_id": "1", "digest": "0", "name": "page.js"}
#: Something that is nothing special, for every other place.
ANYTHING = "1"


def calls(app: FastAPI) -> list[tuple[str, str, str]]:
    """(name, method, path) of every route."""
    found = []
    for route in routes(app):
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: PARTS.get(part[1], ANYTHING), route.path or "")
        methods = sorted((getattr(route.original_route, "methods", None) or set()) - {"HEAD"})
        assert methods, f"{route.name} is no ordinary route; say here how it is tested"
        found += [(route.name or "", method, path) for method in methods]
    return found


def refused(client: TestClient, method: str, path: str) -> bool:
    """Whether the door stays shut: a program is told 401 or 403, a person is led to the sign-in or told 403."""
    answer = client.request(method, path)
    assert answer.status_code < 500, f"{method} {path} {answer.text}"
    to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
    return answer.status_code in (401, 403) or to_sign_in


def test_who_is_not_signed_in_gets_health_and_sign_in_only(app: FastAPI, visit: Visit) -> None:
    client = visit()
    assert {name for name, _, _ in calls(app)} == ACCESS.keys()
    for name, method, path in calls(app):
        if ACCESS[name] is not PUBLIC:
            assert refused(client, method, path), f"anybody may {method} {path}"


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_the_table_says_and_nothing_else(app: FastAPI, visit: Visit, role: Role) -> None:
    for name, method, path in calls(app):
        if ACCESS[name] is PUBLIC:
            continue
        # Signing out would end it for the routes behind.
        client = visit(role)
        expected = role not in ACCESS[name]
        assert refused(client, method, path) is expected, f"{role}: {method} {path}"


def test_users_are_supervisors_to_manage_and_auditors_to_look_at(app: FastAPI) -> None:
    of_users = {name for name, _, path in calls(app) if path.startswith(("/users", "/api/v1/users"))}
    looking, changing = {"users_page", "list_users", "show_user"}, {"add_user", "change_user_roles", "reset_user"}
    assert of_users == {*looking, *changing, "disable_user", "enable_user"}
    assert all(ACCESS[name] == {Role.SUPERVISOR, Role.AUDITOR} for name in looking)
    assert all(ACCESS[name] == {Role.SUPERVISOR} for name in of_users - looking)


def test_a_role_that_is_not_ours_opens_nothing(visit: Visit) -> None:
    answer = visit("admin").get("/")
    assert answer.status_code == 403
    assert "Your roles" in answer.text


def test_what_changes_something_needs_the_token_of_the_cookie(app: FastAPI, visit: Visit) -> None:
    client = visit(*Role)
    token = client.headers.pop("X-CSRF-Token")
    changing = [call for call in calls(app) if call[1] != "GET" and ACCESS[call[0]] is not PUBLIC]
    assert changing
    for _, method, path in changing:
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": token, "Sec-Fetch-Site": "cross-site"}):
            assert client.request(method, path, headers=headers).status_code == 403, f"{method} {path} {headers}"
    assert client.post("/sign-out", data={"csrf": "wrong"}).status_code == 403
    assert client.post("/sign-out", data={"csrf": token}).status_code == 303


def test_answers_tell_browsers_what_to_refuse(visit: Visit) -> None:
    for path in ("/sign-in", "/api/v1/queue", "/nowhere"):
        headers = visit().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


def test_no_script_or_style_stands_in_a_page(visit: Visit) -> None:
    for page in (visit().get("/sign-in").text, *(visit(*Role).get(path).text for path in ("/", "/users", "/nowhere"))):
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=\"|https?://", page)
