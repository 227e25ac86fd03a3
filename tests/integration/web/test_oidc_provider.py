"""Against an OpenID Connect issuer that isn't ours (npm `oidc-provider`, certified): the code flow with PKCE, asking
again, roles from claims, and tokens of programs."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from web.config import OidcConfig, WebConfig
from web.context import Context
from web.sealing import unseal

FOLDER = Path(__file__).parents[2] / "oidc"
API = "https://docvigil.test/api"
SCOPES = ("openid", "profile", "offline_access")

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules" / "oidc-provider").is_dir(),
    reason="needs Node.js and `npm install --prefix tests/oidc`",
)


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """The issuer: its address, and the file with the roles of its people."""

    url: str
    people: Path

    def know(self, **roles: list[str]) -> None:
        self.people.write_text(json.dumps(roles))

    def token(self, client: str, **more: str) -> str:
        """An access token of a program."""
        form = {"grant_type": "client_credentials", "resource": API, **more}
        answer = httpx2.post(f"{self.url}/token", data=form, auth=(client, f"secret-of-{client}"))
        return str(answer.raise_for_status().json()["access_token"])

    def revoke(self, client: str, token: str) -> None:
        auth = (client, f"secret-of-{client}")
        httpx2.post(f"{self.url}/token/revocation", data={"token": token}, auth=auth).raise_for_status()

    def sign_in(self, start: str, name: str) -> str:
        """What a person does there, from the address that docvigil gave to the one that leads back."""
        with httpx2.Client() as browser:
            place, form = start, None
            for _ in range(12):
                answer = browser.get(place) if form is None else browser.post(place, data=form)
                form = None
                if answer.is_redirect:
                    place = str(answer.next_request.url) if answer.next_request else ""
                    if place.startswith("http://testserver/"):
                        return place
                    continue
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert prompt is not None, answer.text
                place = re.findall(r'action="([^"]+)"', answer.text)[0]
                form = {"prompt": prompt[1], **({"login": name, "password": "any"} if prompt[1] == "login" else {})}
        raise AssertionError(f"the issuer led to {place} and not back")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    issuer = Elsewhere(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("issuer") / "people.json")
    issuer.know()
    node = shutil.which("node") or ""
    command = [node, str(FOLDER / "server.mjs"), str(port), str(issuer.people)]
    environment = {"PATH": os.environ["PATH"]}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=quiet, stderr=quiet) as one:
        try:
            until = time.monotonic() + 60
            while not _answers(issuer.url):
                assert time.monotonic() < until and one.poll() is None, "the issuer doesn't start"
                time.sleep(0.2)
            yield issuer
        finally:
            one.kill()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/.well-known/openid-configuration").is_success
    except httpx2.ConnectError:
        return False


@pytest.fixture
def config(config: WebConfig, elsewhere: Elsewhere) -> WebConfig:
    return dataclasses.replace(
        config, oidc=OidcConfig(elsewhere.url, "docvigil", "secret-of-docvigil", audience=API, scopes=SCOPES)
    )


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, follow_redirects=False)


def enter(client: TestClient, elsewhere: Elsewhere, name: str = "asha") -> httpx2.Response:
    """From our sign-in page to the issuer and back."""
    page = client.get("/sign-in?next=/%3Fafter%3Dx").text
    link = re.search(r'href="(/sign-in/start[^"]*)"', page)
    assert link is not None
    to = client.get(link[1].replace("&amp;", "&")).headers["location"]
    assert to.startswith(elsewhere.url)
    back = urlsplit(elsewhere.sign_in(to, name))
    return client.get(f"{back.path}?{back.query}")


def test_a_person_comes_back_with_the_roles_that_the_issuer_tells(
    client: TestClient, elsewhere: Elsewhere, events: Callable[[], list[str]]
) -> None:
    elsewhere.know(asha=["reviewer", "their-own"], binod=["their-own"])
    entered = enter(client, elsewhere)
    assert (entered.status_code, entered.headers["location"]) == (303, "/?after=x")
    told = {"subject": "asha", "name": "asha of the desk", "roles": ["reviewer"]}
    assert client.get("/api/v1/me").json() == told
    assert events() == ["signin"]
    again = client.get(entered.request.url.raw_path.decode())
    assert again.headers["location"] == "/sign-in?why=again", "a journey ends once"
    assert enter(client, elsewhere, "binod").status_code == 403, "known there, but without a role of ours"


def test_a_way_back_that_another_browser_began_leads_nowhere(client: TestClient, elsewhere: Elsewhere) -> None:
    elsewhere.know(asha=["reviewer"])
    to = client.get("/sign-in/start").headers["location"]
    back = urlsplit(elsewhere.sign_in(to, "asha"))
    other = TestClient(client.app, follow_redirects=False)
    other.get("/sign-in/start")
    assert other.get(f"{back.path}?{back.query}").headers["location"] == "/sign-in?why=again"
    assert other.get("/api/v1/me").status_code == 401


def test_roles_are_asked_for_again_and_end_with_the_grant(
    client: TestClient, elsewhere: Elsewhere, desk: Context, events: Callable[[], list[str]]
) -> None:
    elsewhere.know(asha=["reviewer"])
    enter(client, elsewhere)
    elsewhere.know(asha=["auditor"])
    assert client.get("/api/v1/me").json()["roles"] == ["reviewer"]
    _due(desk)
    assert client.get("/api/v1/me").json()["roles"] == ["auditor"]
    secret = client.cookies["docvigil"]
    with desk.sessions.begin() as session:
        sealed = session.scalar(text("SELECT sealed FROM signins"))
    assert secret.encode() not in bytes(sealed)
    elsewhere.revoke("docvigil", unseal(secret, bytes(sealed)))
    _due(desk)
    assert client.get("/").headers["location"] == "/sign-in?next=%2F&why=ended"
    assert events() == ["signin", "signin.roles", "signin.ended"]


def _due(desk: Context) -> None:
    with desk.sessions.begin() as session:
        session.execute(text("UPDATE signins SET refresh_at = now()"))


def test_programs_come_with_tokens_of_the_issuer(client: TestClient, elsewhere: Elsewhere) -> None:
    def status(token: str) -> int:
        return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code

    signed = elsewhere.token("feed")
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {signed}"}).json()["roles"] == ["integrator"]
    assert status(elsewhere.token("feed", resource="https://other.test/api")) == 401
    head, body, signature = signed.split(".")
    assert status(f"{head}.{body}.{signature[::-1]}") == 401
    assert status(f"{head}.{body}.") == 401
    opaque = elsewhere.token("opaque-feed")
    assert status(opaque) == 200
    elsewhere.revoke("opaque-feed", opaque)
    assert status(opaque) == 401


def test_the_own_sign_in_is_off(client: TestClient) -> None:
    assert client.post("/sign-in", data={"name": "a", "password": "b"}).status_code == 404
    form = {"grant_type": "client_credentials"}
    assert client.post("/oauth/token", data=form, auth=("a", "b")).status_code == 404
