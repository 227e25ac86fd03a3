"""Signing in at docvigil itself: the first link, passwords, the lock, the end of a session, tokens for machines."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from starlette.testclient import TestClient

from records import signins, users
from records.signins import Signin
from tests.integration.web.conftest import Visit
from web.access import Role
from web.app import create
from web.config import WebConfig
from web.context import Context
from web.passwords import hashed

PASSWORD = "correct horse battery"


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def first_link(desk: Context) -> str:
    with desk.sessions.begin() as session:
        assert users.invite_first(session, "first-secret", timedelta(hours=1), ["supervisor", "reviewer"])
    return "first-secret"


def choose(client: TestClient, link: str, **form: str) -> int:
    page = client.get("/welcome", params={"link": link})
    if page.status_code != 200:
        return page.status_code
    sent = {"csrf": csrf_of(page.text), "link": link, "name": "asha", "password": PASSWORD, "again": PASSWORD, **form}
    return client.post("/welcome", data=sent).status_code


def sign_in(client: TestClient, name: str = "asha", password: str = PASSWORD) -> int:
    page = client.get("/sign-in").text
    return client.post("/sign-in", data={"csrf": csrf_of(page), "name": name, "password": password}).status_code


def user(desk: Context, name: str = "asha", kind: str = "person") -> None:
    with desk.sessions.begin() as session:
        users.add(session, name, ["reviewer"], kind=kind, actor="test")
        users.set_secret(session, name, hashed(PASSWORD), actor="test")


def test_the_first_link_makes_one_user_and_is_then_void(
    desk: Context, visit: Visit, events: Callable[[], list[str]]
) -> None:
    link = first_link(desk)
    client = visit()
    assert choose(client, "another") == 404
    assert choose(client, link, again="something else") == 422
    assert choose(client, link, password="short", again="short") == 422
    assert choose(client, link, name="Not A Name") == 422
    assert choose(client, link) == 303
    assert client.get("/").status_code == 200
    assert choose(visit(), link, name="another") == 404
    with desk.sessions.begin() as session:
        assert [one.name for one in users.listed(session).items] == ["asha"]
        assert not users.invite_first(session, "second", timedelta(hours=1), ["supervisor"])
    assert events() == ["user.invited", "user.added", "user.secret_set", "signin"]


def test_an_old_link_and_one_that_was_replaced_are_void(desk: Context, visit: Visit) -> None:
    with desk.sessions.begin() as session:
        users.invite_first(session, "old", timedelta(seconds=-1), ["supervisor"])
    assert choose(visit(), "old") == 404
    with desk.sessions.begin() as session:
        users.invite_first(session, "replaced", timedelta(hours=1), ["supervisor"])
    first_link(desk)
    assert choose(visit(), "replaced") == 404
    assert choose(visit(), "first-secret") == 303


def test_signing_in_leads_to_where_one_wanted_and_out_again(desk: Context, visit: Visit) -> None:
    user(desk)
    client = visit()
    led = client.get("/?after=x")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=%2F%3Fafter%3Dx")
    page = client.get(led.headers["location"]).text
    sent = {"csrf": csrf_of(page), "name": " Asha ", "password": PASSWORD, "next": "/?after=x"}
    entered = client.post("/sign-in", data=sent)
    assert (entered.status_code, entered.headers["location"]) == (303, "/?after=x")
    cookie = next(one for one in entered.headers.get_list("set-cookie") if one.startswith("docvigil="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    page = client.get("/").text
    copied = dict(client.cookies)
    assert client.post("/sign-out", data={"csrf": csrf_of(page)}).headers["location"] == "/sign-in?why=out"
    again = visit()
    again.cookies.update(copied)
    assert again.get("/").headers["location"] == "/sign-in?next=%2F&why=ended"


def test_a_form_of_another_browser_does_not_sign_in(desk: Context, visit: Visit) -> None:
    user(desk)
    foreign = csrf_of(visit().get("/sign-in").text)
    client = visit()
    client.get("/sign-in")
    sent = {"csrf": foreign, "name": "asha", "password": PASSWORD}
    assert client.post("/sign-in", data=sent).status_code == 403
    assert visit().post("/sign-in", data=sent).status_code == 403


def test_failures_lock_the_name_for_a_while_and_tell_nobody(
    desk: Context, visit: Visit, events: Callable[[], list[str]]
) -> None:
    user(desk)
    client = visit()
    told = set()
    for name in ("asha",) * desk.config.lockout_failures + ("nobody",):
        page = client.get("/sign-in").text
        sent = {"csrf": csrf_of(page), "name": name, "password": "wrong"}
        answer = client.post("/sign-in", data=sent)
        assert answer.status_code == 401
        found = re.search(r'role="alert">(.*?)<', answer.text)
        assert found is not None
        told.add(found[1])
    assert len(told) == 1, "the sentence is the same for known and unknown names"
    assert sign_in(client) == 401, "the right password doesn't open a locked name"
    assert events().count("signin.failed") == desk.config.lockout_failures + 2
    assert events().count("signin.locked") == 1
    with desk.sessions.begin() as session:
        session.execute(text("UPDATE users SET locked_until = now()"))
    assert sign_in(client) == 303


def test_too_many_attempts_from_one_address_are_put_off(desk: Context, visit: Visit) -> None:
    user(desk)
    client = visit()
    page = client.get("/sign-in").text
    sent = {"csrf": csrf_of(page), "name": "a", "password": "wrong"}
    for _ in range(desk.config.signin_rate):
        desk.limits.spend("signin", "testclient", 10**6)
    answer = client.post("/sign-in", data=sent)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_session_ends_by_itself(desk: Context, visit: Visit) -> None:
    for what in ({"expires_at": text("now()")}, {"seen_at": text("now() - interval '61 minutes'")}):
        client = visit(Role.REVIEWER)
        assert client.get("/").status_code == 200
        with desk.sessions.begin() as session:
            session.execute(update(Signin).values(what))
        assert client.get("/").status_code == 303
        assert client.get("/api/v1/me").status_code == 401


def test_who_is_disabled_is_out_at_once(desk: Context, visit: Visit) -> None:
    user(desk)
    client = visit()
    assert sign_in(client) == 303
    assert client.get("/").status_code == 200
    with desk.sessions.begin() as session:
        users.disable(session, "asha", actor="test")
        assert signins.end_all(session, "asha", actor="test") == 1
    assert client.get("/").status_code == 303
    assert sign_in(client) == 401


def test_a_machine_gets_a_token_that_ends(desk: Context, visit: Visit) -> None:
    user(desk, "feed", "machine")
    client = visit()
    form = {"grant_type": "client_credentials"}
    assert client.post("/oauth/token", data=form, auth=("feed", "wrong")).status_code == 401
    assert client.post("/oauth/token", data=form, auth=("asha", PASSWORD)).status_code == 401
    given = client.post("/oauth/token", data=form, auth=("feed", PASSWORD)).json()
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    assert client.get("/api/v1/me", headers=bearer).json() == {"subject": "feed", "name": "feed", "roles": ["reviewer"]}
    # No browser sends it by itself, so no token against forms is needed.
    assert client.post("/api/v1/reviews", headers=bearer, json={}).status_code == 422
    assert client.get("/api/v1/me", headers={"Authorization": bearer["Authorization"] + "x"}).status_code == 401
    assert client.get("/api/v1/me", headers={"Authorization": "Basic YTpi"}).status_code == 401
    # A token is no cookie, and a cookie no token.
    client.cookies.set("docvigil", given["access_token"])
    assert client.get("/api/v1/me").status_code == 401
    with desk.sessions.begin() as session:
        session.execute(update(Signin).values(expires_at=text("now()")))
    assert client.get("/api/v1/me", headers=bearer).status_code == 401


def test_behind_tls_cookies_are_bound_to_it(config: WebConfig) -> None:
    secure = create(dataclasses.replace(config, public_url="https://desk.test", hosts=("desk.test",)))
    try:
        with TestClient(secure, base_url="https://desk.test") as client:
            answer = client.get("/sign-in")
            assert answer.headers["strict-transport-security"]
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-docvigil-form=") and "Secure" in cookie
            assert client.get("/sign-in", headers={"Host": "evil.test"}).status_code == 421
            assert client.get("/healthz", headers={"Host": "10.0.0.7:8321"}).status_code == 200
    finally:
        secure.state.context.close()


@pytest.mark.parametrize(("accept", "language"), [("hi-IN,en;q=0.5", "hi"), ("fr", "en"), ("", "en")])
def test_the_language_is_the_browsers_until_one_is_chosen(visit: Visit, accept: str, language: str) -> None:
    client = visit()
    assert client.get("/sign-in", headers={"Accept-Language": accept}).headers["content-language"] == language
    assert client.post("/language", data={"language": "hi", "next": "//evil.test"}).headers["location"] == "/"
    assert client.get("/sign-in").headers["content-language"] == "hi"
