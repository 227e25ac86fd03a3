"""An issuer in memory: answers what `web.oidc` asks, with keys that a test may change."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

import httpx2
from joserfc import jwt
from joserfc.jwk import Key, KeySet, RSAKey

from web.config import OidcConfig
from web.oidc import Issuer

NAME = "https://issuer.test"
CLIENT, AUDIENCE = "docvigil", "https://docvigil.test/api"


class FakeIssuer:
    """`asked` counts requests by path; `tokens` is what the token endpoint gives, or a status to refuse with."""

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.asked: dict[str, int] = {}
        self.forms: list[dict[str, str]] = []
        self.tokens: dict[str, Any] | int = {}
        self.active: dict[str, Any] = {"active": False}

    def rotate(self, kid: str = "second") -> None:
        self.key = RSAKey.generate_key(2048, {"kid": kid})

    def token(self, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that is good, but for the claims that are given."""
        now = int(time.time())
        told = {
            "iss": NAME,
            "aud": AUDIENCE,
            "sub": "u-1",
            "exp": now + 60,
            "iat": now,
            "roles": ["reviewer"],
            **claims,
        }
        chosen = key or self.key
        kid = chosen.as_dict().get("kid")
        head = header or {"alg": "RS256", **({"kid": kid} if kid else {})}
        return jwt.encode(head, {k: v for k, v in told.items() if v is not None}, chosen)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked[path] = self.asked.get(path, 0) + 1
        if request.method == "POST":
            self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        match path:
            case "/.well-known/openid-configuration":
                return httpx2.Response(200, json=self._about())
            case "/keys":
                return httpx2.Response(200, content=json.dumps(KeySet([self.key]).as_dict(private=False)))
            case "/token" if isinstance(self.tokens, int):
                return httpx2.Response(self.tokens, json={"error": "invalid_grant"})
            case "/token":
                return httpx2.Response(200, json=self.tokens)
            case "/introspect":
                return httpx2.Response(200, json=self.active)
        return httpx2.Response(404)

    def _about(self) -> dict[str, str]:
        paths = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "introspection_endpoint": "/introspect",
        }
        return {"issuer": self.name, **{name: NAME + path for name, path in paths.items()}}


def known(fake: FakeIssuer, **options: Any) -> Issuer:
    """What docvigil knows of it."""
    config = OidcConfig(NAME, CLIENT, **{"client_secret": "hush", "audience": AUDIENCE, **options})
    return Issuer(config, httpx2.Client(transport=httpx2.MockTransport(fake.answer)))
