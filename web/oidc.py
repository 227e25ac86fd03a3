"""An OpenID Connect issuer: what it says of itself, its keys, the code flow with PKCE, and tokens it has signed.

Signatures are accepted under the configured algorithms only, never `none`. Keys are fetched again when a token names
one that is not known, so that an issuer may change them at any time. What an issuer is asked never follows redirects.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from web.config import OidcConfig

log = structlog.get_logger(__name__)

#: How long what the issuer says of itself counts; how long to wait at least between two looks at its keys.
METADATA_SECONDS, KEYS_SECONDS = 3600.0, 10.0
#: Clocks may differ by so much.
LEEWAY_SECONDS = 30


class IssuerAway(OSError):
    """The issuer can't be reached or answers nonsense; nothing is known about who asks."""


class NotVouched(Exception):
    """The issuer doesn't vouch for this token, code or refresh token; the message is for the log, not for callers."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the issuer vouches for. `roles` are ours already; `seconds` is how long until it must be asked again."""

    subject: str
    name: str
    roles: frozenset[str]
    refresh_token: str | None
    seconds: float


class Issuer:
    """May be shared by threads."""

    def __init__(self, config: OidcConfig, client: httpx2.Client | None = None) -> None:
        self.config = config
        self._client = client or httpx2.Client(timeout=config.seconds, follow_redirects=False)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_at = self._keys_at = float("-inf")
        self._keys = KeySet([])

    def close(self) -> None:
        """Ends its connections."""
        self._client.close()

    def authorisation_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.config.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if "offline_access" in self.config.scopes:
            # Without it no refresh token is given (OpenID Connect Core, 11).
            query["prompt"] = "consent"
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def exchange(self, code: str, verifier: str, nonce: str, redirect_uri: str) -> Vouched:
        """Who came back with this code. Raises NotVouched, IssuerAway."""
        tokens = self._token(
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
            }
        )
        claims = self._identity(tokens)
        if claims.get("nonce") != nonce:
            raise NotVouched("the ID token is of another sign-in")
        return self._vouched(claims, tokens)

    def refresh(self, refresh_token: str, subject: str) -> Vouched:
        """Whether the issuer still vouches for somebody. Raises NotVouched, IssuerAway."""
        tokens = self._token({"grant_type": "refresh_token", "refresh_token": refresh_token})
        # An ID token need not come with it; then the issuer is asked who it is.
        claims = self._identity(tokens) if "id_token" in tokens else self._userinfo(tokens)
        if claims.get("sub") != subject:
            raise NotVouched("the refresh token is somebody else's")
        return self._vouched(claims, tokens)

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a signed token that is meant for `audience` and valid now. Raises NotVouched, IssuerAway."""
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.config.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = self._decoded(token)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotVouched(f"{type(error).__name__}: {error}") from error
        # A token for several parties names the one it was given to.
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if several and audience == self.config.client_id != claims.get("azp"):
            raise NotVouched("the token was given to another party")
        return claims

    def bearer(self, token: str) -> Vouched:
        """Whose access token this is. Raises NotVouched, IssuerAway."""
        if self.config.audience is None:
            raise NotVouched("no audience is configured: access tokens are not accepted")
        signed = token.count(".") == 2
        claims = self.verify(token, self.config.audience) if signed else self._introspected(token)
        if "nonce" in claims or "at_hash" in claims:
            raise NotVouched("this is an ID token; it is not for calling programs")
        return self._vouched(claims, {})

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._key_set(), algorithms=self.config.algorithms).claims
        except (InvalidKeyIdError, ValueError):
            # The issuer may have a new key.
            if not self._look_for_keys():
                raise
            return jwt.decode(token, self._key_set(), algorithms=self.config.algorithms).claims

    def _identity(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the ID token, and of the user where the token has no roles."""
        claims = self.verify(str(tokens.get("id_token", "")), self.config.client_id)
        if _at(claims, self.config.roles_claim) is None and "userinfo_endpoint" in self._about():
            known = self._userinfo(tokens)
            if known.get("sub") != claims["sub"]:
                raise NotVouched("the user is not that of the ID token")
            claims = {**known, **claims}
        return claims

    def _vouched(self, claims: Mapping[str, Any], tokens: Mapping[str, Any]) -> Vouched:
        given = _at(claims, self.config.roles_claim) or []
        words = given.split() if isinstance(given, str) else [str(one) for one in given]
        subject = str(claims["sub"])
        return Vouched(
            subject,
            str(claims.get("name") or claims.get("preferred_username") or claims.get("email") or subject),
            frozenset(self.config.role_names.get(word, word) for word in words),
            tokens.get("refresh_token"),
            float(tokens.get("expires_in", METADATA_SECONDS)),
        )

    def _token(self, form: dict[str, str]) -> dict[str, Any]:
        return self._post(self._endpoint("token_endpoint"), form)

    def _introspected(self, token: str) -> dict[str, Any]:
        """The claims of a token that only its issuer can read (RFC 7662)."""
        if "introspection_endpoint" not in self._about() or self.config.client_secret is None:
            raise NotVouched("a token that isn't signed, and the issuer can't be asked about it")
        claims = self._post(self._endpoint("introspection_endpoint"), {"token": token})
        if claims.get("active") is not True:
            raise NotVouched("the issuer says that this token is not active")
        aud = claims.get("aud")
        if self.config.audience not in (aud if isinstance(aud, list) else [aud]):
            raise NotVouched("the token is meant for somebody else")
        # A program that came as itself may be named as the client alone.
        subject = claims.get("sub") or claims.get("client_id")
        if claims.get("iss", self.config.issuer) != self.config.issuer or not subject:
            raise NotVouched("the token is of another issuer, or nobody's")
        return {**claims, "sub": subject}

    def _userinfo(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask(
            "GET",
            self._endpoint("userinfo_endpoint"),
            headers={"Authorization": f"Bearer {tokens.get('access_token', '')}"},
        )

    def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        if self.config.client_secret is None:
            return self._ask("POST", url, data={**form, "client_id": self.config.client_id})
        return self._ask("POST", url, data=form, auth=(self.config.client_id, self.config.client_secret))

    def _ask(self, method: str, url: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, url, **what)
            body = answer.json() if answer.content else {}
        except (httpx2.HTTPError, ValueError) as error:
            raise IssuerAway(f"the issuer can't be asked: {type(error).__name__}") from error
        if 400 <= answer.status_code < 500 and answer.status_code != 429:
            raise NotVouched(f"the issuer says {answer.status_code} {body.get('error', '')}")
        if answer.status_code != 200 or not isinstance(body, dict):
            raise IssuerAway(f"the issuer answers {answer.status_code}")
        return body

    def _about(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._metadata_at < METADATA_SECONDS:
                return self._metadata
        try:
            found = self._ask("GET", self.config.issuer.rstrip("/") + "/.well-known/openid-configuration")
        except NotVouched as error:
            raise IssuerAway(f"{self.config.issuer} tells nothing about itself ({error})") from error
        if found.get("issuer") != self.config.issuer:
            raise IssuerAway(f"the issuer calls itself {found.get('issuer')!r}, not {self.config.issuer!r}")
        with self._lock:
            self._metadata, self._metadata_at = found, time.monotonic()
        return found

    def _endpoint(self, name: str) -> str:
        try:
            return str(self._about()[name])
        except KeyError:
            raise IssuerAway(f"the issuer names no {name}") from None

    def _key_set(self) -> KeySet:
        if not self._keys.keys:
            self._look_for_keys()
        return self._keys

    def _look_for_keys(self) -> bool:
        """Fetches the issuer's keys; False where that was done a moment ago."""
        url = self._endpoint("jwks_uri")
        with self._lock:
            if time.monotonic() - self._keys_at < KEYS_SECONDS:
                return False
            self._keys_at = time.monotonic()
        try:
            found = KeySet.import_key_set(self._ask("GET", url))  # type: ignore[arg-type]
        except (NotVouched, JoseError, ValueError, KeyError, TypeError) as error:
            raise IssuerAway(f"the issuer's keys can't be read: {type(error).__name__}") from error
        self._keys = found
        return True


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a dotted path, or under the whole path as its name (`https://example.org/roles`)."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found
