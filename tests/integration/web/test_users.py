"""Users managed over HTTP: added with a way in, given other roles, kept out and let in again; a supervisor is left."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from records import users
from tests.integration.web.conftest import Visit
from tests.integration.web.test_signin import choose, sign_in
from web import csrf
from web.access import Role
from web.app import create
from web.config import OidcConfig, WebConfig
from web.context import Context

API = "/api/v1/users"
LAST = "Nobody who can sign in would be a supervisor any more; make somebody else one first."


@pytest.fixture
def chitra(desk: Context, visit: Visit) -> TestClient:
    """The one supervisor so far, signed in."""
    with desk.sessions.begin() as session:
        users.add(session, "chitra", ["supervisor", "auditor"], actor="test")
        users.set_secret(session, "chitra", "of no password", actor="test")
    return visit(Role.SUPERVISOR, Role.AUDITOR, subject="chitra")


def add(client: TestClient, name: str, *roles: str, **more: Any) -> dict[str, Any]:
    answer = client.post(API, json={"name": name, "roles": roles, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def link_of(made: dict[str, Any]) -> str:
    return str(made["link"]).rpartition("=")[2]


def listed(client: TestClient) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in client.get(API).json()["items"]}


def test_who_is_added_chooses_a_password_once_and_signs_in(
    chitra: TestClient, visit: Visit, events: Callable[[], list[str]]
) -> None:
    before = len(events())
    made = add(chitra, "binod", "reviewer")
    assert made["link"].startswith("http://testserver/welcome?link=") and made["secret"] is None
    assert (listed(chitra)["binod"]["state"], listed(chitra)["binod"]["last_signin_at"]) == ("invited", None)
    assert chitra.post(API, json={"name": "binod", "roles": ["auditor"]}).status_code == 409
    assert choose(visit(), link_of(made)) == 303
    assert choose(visit(), link_of(made)) == 404
    binod = listed(chitra)["binod"]
    assert (binod["state"], binod["roles"], binod["kind"]) == ("ready", ["reviewer"], "person")
    assert binod["last_signin_at"] is not None
    assert events()[before:] == ["user.added", "user.invited", "user.secret_set", "signin"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Binod Rao", "roles": ["reviewer"]},
        {"name": "binod", "roles": []},
        {"name": "binod", "roles": ["admin"]},
        {"name": "binod", "roles": ["reviewer"], "password": "chosen by somebody else"},
    ],
)
def test_what_makes_no_user_is_refused_as_a_problem(chitra: TestClient, body: dict[str, Any]) -> None:
    answer = chitra.post(API, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert listed(chitra).keys() == {"chitra"}


def test_the_same_request_again_adds_nobody_and_repeats_no_link(chitra: TestClient, desk: Context) -> None:
    asked = {"json": {"name": "binod", "roles": ["reviewer"]}, "headers": {"Idempotency-Key": "one"}}
    first, again = chitra.post(API, **asked), chitra.post(API, **asked)  # type: ignore[arg-type]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["link"] and again.json() == {**first.json(), "link": None}
    with desk.sessions.begin() as session:
        assert link_of(first.json()) not in str(session.scalar(text("SELECT body FROM replies")))
    other = {**asked, "json": {"name": "dina", "roles": ["reviewer"]}}
    assert chitra.post(API, **other).status_code == 409  # type: ignore[arg-type]


def test_other_roles_count_at_once_wherever_signed_in(
    chitra: TestClient, visit: Visit, events: Callable[[], list[str]]
) -> None:
    binod = visit()
    assert choose(binod, link_of(add(chitra, "binod", "reviewer"))) == 303
    assert binod.get("/oversight").status_code == 403
    before = len(events())
    changed = chitra.put(f"{API}/binod/roles", json={"roles": ["supervisor", "reviewer", "reviewer"]})
    assert changed.json()["roles"] == ["reviewer", "supervisor"]
    assert binod.get("/oversight").status_code == 200
    assert chitra.put(f"{API}/binod/roles", json={"roles": ["reviewer", "supervisor"]}).status_code == 200
    assert events()[before:] == ["user.roles"], "what changes nothing is no event"
    assert chitra.put(f"{API}/nobody/roles", json={"roles": ["reviewer"]}).status_code == 404


def test_a_change_counts_only_if_nobody_else_was_first(chitra: TestClient) -> None:
    add(chitra, "binod", "reviewer")
    seen = chitra.get(f"{API}/binod").headers["etag"]
    change = {"json": {"roles": ["auditor"]}, "headers": {"If-Match": seen}}
    done = chitra.put(f"{API}/binod/roles", **change)  # type: ignore[arg-type]
    assert done.status_code == 200
    assert chitra.put(f"{API}/binod/roles", **change).status_code == 412  # type: ignore[arg-type]
    for what in ("reset", "disable", "enable"):
        assert chitra.post(f"{API}/binod/{what}", headers={"If-Match": seen}).status_code == 412
    now = {"If-Match": done.headers["etag"]}
    assert chitra.post(f"{API}/binod/disable", headers=now).json()["state"] == "disabled"


def test_who_is_disabled_is_out_until_enabled(
    chitra: TestClient, visit: Visit, events: Callable[[], list[str]]
) -> None:
    binod = visit()
    choose(binod, link_of(add(chitra, "binod", "reviewer")))
    assert binod.get("/").status_code == 200
    before = len(events())
    assert chitra.post(f"{API}/binod/disable").json()["state"] == "disabled"
    assert binod.get("/").status_code == 303
    assert sign_in(visit(), "binod") == 401
    assert chitra.post(f"{API}/binod/disable").status_code == 404
    assert chitra.post(f"{API}/binod/reset").status_code == 404
    assert chitra.post(f"{API}/binod/enable").json()["state"] == "ready"
    assert sign_in(visit(), "binod") == 303
    assert chitra.post(f"{API}/binod/enable").status_code == 200
    told = [one for one in events()[before:] if one.startswith("user.") or one == "signin.ended_all"]
    assert told == ["user.disabled", "signin.ended_all", "user.enabled"]


def test_a_name_that_failures_locked_is_unlocked(chitra: TestClient, visit: Visit, desk: Context) -> None:
    choose(visit(), link_of(add(chitra, "binod", "reviewer")))
    client = visit()
    for _ in range(desk.config.lockout_failures):
        sign_in(client, "binod", "wrong")
    assert (listed(chitra)["binod"]["state"], sign_in(client, "binod")) == ("locked", 401)
    assert chitra.post(f"{API}/binod/enable").json()["state"] == "ready"
    assert sign_in(client, "binod") == 303


def test_a_reset_voids_the_password_and_what_is_signed_in(chitra: TestClient, visit: Visit) -> None:
    binod = visit()
    made = add(chitra, "binod", "reviewer")
    again = chitra.post(f"{API}/binod/reset").json()
    assert choose(visit(), link_of(made)) == 404, "the link from before is void"
    assert choose(binod, link_of(again)) == 303
    third = chitra.post(f"{API}/binod/reset").json()
    assert (third["user"]["state"], binod.get("/").status_code) == ("invited", 303)
    assert sign_in(visit(), "binod") == 401
    assert choose(visit(), link_of(third), password="another good one", again="another good one") == 303
    assert sign_in(visit(), "binod", "another good one") == 303
    # One's own session goes on, so that a link that was lost can be made again.
    assert chitra.post(f"{API}/chitra/reset").json()["link"]
    assert chitra.get("/users").status_code == 200


def test_a_program_gets_a_secret_and_another_at_a_reset(chitra: TestClient, visit: Visit) -> None:
    made = add(chitra, "feed", "integrator", kind="machine")
    assert made["link"] is None

    def token(secret: str) -> tuple[int, str]:
        form = {"grant_type": "client_credentials"}
        answer = visit().post("/oauth/token", data=form, auth=("feed", secret))
        return answer.status_code, answer.json().get("access_token", "")

    status, bearer = token(made["secret"])
    assert status == 200
    other = chitra.post(f"{API}/feed/reset").json()["secret"]
    assert (token(made["secret"])[0], token(other)[0]) == (401, 200)
    assert visit().get("/api/v1/me", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401


def test_the_last_supervisor_stays_one(chitra: TestClient, visit: Visit, events: Callable[[], list[str]]) -> None:
    add(chitra, "binod", "supervisor")
    add(chitra, "feed", "supervisor", kind="machine")
    before = events()
    # Neither somebody who was never there nor a program could manage users.
    for answer in (
        chitra.put(f"{API}/chitra/roles", json={"roles": ["auditor"]}),
        chitra.post(f"{API}/chitra/disable"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (409, LAST)
    hindi = chitra.post(f"{API}/chitra/disable", headers={"Accept-Language": "hi"}).json()["detail"]
    assert "पर्यवेक्षक" in hindi
    assert (events(), listed(chitra)["chitra"]["state"]) == (before, "ready")
    assert chitra.put(f"{API}/chitra/roles", json={"roles": ["supervisor"]}).status_code == 200
    choose(visit(), link_of(chitra.post(f"{API}/binod/reset").json()))
    assert chitra.put(f"{API}/chitra/roles", json={"roles": ["reviewer"]}).status_code == 200
    assert chitra.get(API).status_code == 403


def test_the_list_is_read_page_by_page(chitra: TestClient) -> None:
    for name in ("asha", "dina"):
        add(chitra, name, "reviewer")
    names, after = [], ""
    while after is not None:
        page = chitra.get(API, params={"limit": 2, "after": after}).json()
        names.append([one["name"] for one in page["items"]])
        after = page["after"]
    assert names == [["asha", "chitra"], ["dina"]]


def test_auditors_look_on_and_reviewers_see_neither_page_nor_entry(chitra: TestClient, visit: Visit) -> None:
    add(chitra, "binod", "reviewer")
    assert 'data-act="disable"' in chitra.get("/users").text
    looked = visit(Role.AUDITOR).get("/users").text
    assert "binod" in looked and "data-act" not in looked and 'id="add"' not in looked
    assert 'href="/users"' in visit(Role.AUDITOR).get("/").text
    reviewer = visit(Role.REVIEWER)
    assert 'href="/users"' not in reviewer.get("/").text
    assert reviewer.get("/users").status_code == 403


@pytest.fixture
def elsewhere(config: WebConfig) -> Iterator[TestClient]:
    """A supervisor's browser where another issuer signs in."""
    app = create(dataclasses.replace(config, oidc=OidcConfig("https://issuer.test/realms/ops", "docvigil")))
    secret = app.state.context.identity.begin("chitra", "chitra", ["supervisor"])
    client = TestClient(app, headers={"X-CSRF-Token": csrf.token(secret)})
    client.cookies.set("docvigil", secret)
    yield client
    app.state.context.close()


def test_with_another_issuer_users_are_managed_there(elsewhere: TestClient) -> None:
    page = elsewhere.get("/users")
    assert page.status_code == 200
    assert "https://issuer.test/realms/ops" in page.text and "data-act" not in page.text and 'id="add"' not in page.text
    calls = [("GET", ""), ("POST", ""), ("GET", "/asha"), ("PUT", "/asha/roles"), ("POST", "/asha/reset")]
    for method, path in (*calls, ("POST", "/asha/disable"), ("POST", "/asha/enable")):
        body = {"roles": ["reviewer"], **({"name": "asha"} if path == "" else {})}
        answer = elsewhere.request(method, API + path, json=body if method != "GET" else None)
        assert answer.status_code == 404
        assert "https://issuer.test/realms/ops" in answer.json()["detail"]
