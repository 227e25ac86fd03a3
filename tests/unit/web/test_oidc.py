"""Tokens that somebody made up, changed, kept for too long or got for something else are refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from tests.unit.web.issuer import AUDIENCE, CLIENT, NAME, FakeIssuer, known
from web import oidc
from web.oidc import IssuerAway, NotVouched


def encoded(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def fake() -> FakeIssuer:
    return FakeIssuer()


def test_a_good_token_says_who_and_which_roles(fake: FakeIssuer) -> None:
    issuer = known(fake, role_names={"ops-l2": "supervisor"})
    who = issuer.bearer(fake.token(roles=["reviewer", "ops-l2", "else"], name="A Name"))
    assert (who.subject, who.name) == ("u-1", "A Name")
    assert who.roles == {"reviewer", "supervisor", "else"}


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.test"},
        {"iss": None},
        {"aud": "https://other.test"},
        {"aud": None},
        {"aud": []},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"nonce": "of an ID token"},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(fake: FakeIssuer, claims: dict[str, Any]) -> None:
    with pytest.raises(NotVouched):
        known(fake).bearer(fake.token(**claims))


def test_a_token_of_a_foreign_key_is_refused(fake: FakeIssuer) -> None:
    forged = fake.token(RSAKey.generate_key(2048, {"kid": "first"}))
    with pytest.raises(NotVouched):
        known(fake).bearer(forged)


def test_a_changed_token_is_refused(fake: FakeIssuer) -> None:
    head, body, signature = fake.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["roles"] = ["supervisor"]
    changed = encoded(json.dumps(claims).encode())
    with pytest.raises(NotVouched):
        known(fake).bearer(f"{head}.{changed}.{signature}")


def test_an_unsigned_token_is_refused(fake: FakeIssuer) -> None:
    for alg in ("none", "None", "NONE"):
        head = encoded(json.dumps({"alg": alg}).encode())
        with pytest.raises(NotVouched):
            known(fake).bearer(f"{head}.{fake.token().split('.')[1]}.")


def test_the_public_key_is_no_shared_secret(fake: FakeIssuer) -> None:
    body = {"iss": NAME, "aud": AUDIENCE, "sub": "u-1", "exp": int(time.time()) + 60, "roles": ["supervisor"]}
    unsigned = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "first"}, body))
    signature = hmac.new(fake.key.as_pem(private=False), unsigned.encode(), hashlib.sha256).digest()
    with pytest.raises(NotVouched):
        known(fake).bearer(f"{unsigned}.{encoded(signature)}")


@pytest.mark.parametrize("rubbish", ["", "a.b.c", "...", "é.é.é", "a" * 10_000])
def test_rubbish_is_refused(fake: FakeIssuer, rubbish: str) -> None:
    with pytest.raises(NotVouched):
        known(fake, client_secret=None).bearer(rubbish)


def test_new_keys_are_fetched_once_a_token_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeIssuer()
    issuer = known(fake)
    before = fake.token()
    issuer.bearer(before)
    fake.rotate()
    after = fake.token()
    with pytest.raises(NotVouched):
        # The keys were looked at a moment ago: nobody makes us ask the issuer all the time.
        issuer.bearer(after)
    assert fake.asked["/keys"] == 1
    monkeypatch.setattr(oidc, "KEYS_SECONDS", 0.0)
    assert issuer.bearer(after).subject == "u-1"
    with pytest.raises(NotVouched):
        issuer.bearer(before)


def test_without_an_audience_no_token_counts(fake: FakeIssuer) -> None:
    with pytest.raises(NotVouched):
        known(fake, audience=None).bearer(fake.token())


def test_an_issuer_that_calls_itself_otherwise_is_not_believed() -> None:
    fake = FakeIssuer(name="https://elsewhere.test")
    with pytest.raises(IssuerAway):
        known(fake).bearer(fake.token())


def test_tokens_that_only_the_issuer_reads_are_asked_about_each_time() -> None:
    fake = FakeIssuer()
    issuer = known(fake)
    fake.active = {"active": True, "sub": "m-1", "aud": AUDIENCE, "roles": "integrator"}
    assert issuer.bearer("opaque").roles == {"integrator"}
    fake.active = {"active": False}
    with pytest.raises(NotVouched):
        issuer.bearer("opaque")
    fake.active = {"active": True, "sub": "m-1", "aud": "https://other.test"}
    with pytest.raises(NotVouched):
        issuer.bearer("opaque")


def test_the_code_flow_proves_itself_and_checks_the_nonce(fake: FakeIssuer) -> None:
    issuer = known(fake)
    url = issuer.authorisation_url("https://desk.test/sign-in/callback", "state-1", "nonce-1", "verifier-1")
    sent = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    challenge = encoded(hashlib.sha256(b"verifier-1").digest())
    assert sent["code_challenge"] == challenge
    assert sent["code_challenge_method"] == "S256"
    fake.tokens = {"id_token": fake.token(aud=CLIENT, nonce="nonce-1"), "refresh_token": "r-1", "expires_in": 60}
    who = issuer.exchange("code-1", "verifier-1", "nonce-1", "https://desk.test/sign-in/callback")
    assert (who.subject, who.refresh_token, who.seconds) == ("u-1", "r-1", 60.0)
    assert fake.forms[-1]["code_verifier"] == "verifier-1"
    with pytest.raises(NotVouched):
        issuer.exchange("code-1", "verifier-1", "nonce-2", "https://desk.test/sign-in/callback")
    fake.tokens = {"id_token": fake.token(aud=[CLIENT, "https://other.test"], azp="other", nonce="nonce-1")}
    with pytest.raises(NotVouched):
        issuer.exchange("code-1", "verifier-1", "nonce-1", "https://desk.test/sign-in/callback")


def test_a_refresh_that_is_refused_or_somebody_elses_does_not_count(fake: FakeIssuer) -> None:
    issuer = known(fake)
    fake.tokens = {"id_token": fake.token(aud=CLIENT), "expires_in": 60}
    assert issuer.refresh("r-1", "u-1").roles == {"reviewer"}
    with pytest.raises(NotVouched):
        issuer.refresh("r-1", "u-2")
    fake.tokens = 400
    with pytest.raises(NotVouched):
        issuer.refresh("r-1", "u-1")
    fake.tokens = 503
    with pytest.raises(IssuerAway):
        issuer.refresh("r-1", "u-1")


def test_roles_are_found_in_objects_and_under_names_with_dots(fake: FakeIssuer) -> None:
    nested = known(fake, roles_claim="realm_access.roles")
    assert nested.bearer(fake.token(realm_access={"roles": ["auditor"]})).roles == {"auditor"}
    named = known(fake, roles_claim="https://docvigil.test/roles")
    assert named.bearer(fake.token(**{"https://docvigil.test/roles": ["auditor"]})).roles == {"auditor"}
    assert nested.bearer(fake.token(realm_access="none")).roles == frozenset()
