"""The cookies: who is signed in, a form before that, the way to an issuer and back, and the language.

Behind TLS their names begin with `__Host-`: browsers then take them from this host alone, and send them encrypted only.
"""

from __future__ import annotations

import secrets

from fastapi import Request, Response

from web.config import WebConfig

SESSION, FORM, JOURNEY, LANGUAGE = "docvigil", "docvigil-form", "docvigil-journey", "docvigil-language"


def fresh() -> str:
    """A secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def read(request: Request, name: str) -> str | None:
    return request.cookies.get(_called(request.app.state.context.config, name))


def put(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Lax, so that a link from a mail leads to the page and not to the sign-in; what changes something asks for more
    (`web.csrf`)."""
    config: WebConfig = request.app.state.context.config
    response.set_cookie(
        _called(config, name), value, max_age=seconds, path="/", secure=config.secure, httponly=True, samesite="lax"
    )


def drop(request: Request, response: Response, name: str) -> None:
    config: WebConfig = request.app.state.context.config
    response.delete_cookie(_called(config, name), path="/", secure=config.secure, httponly=True, samesite="lax")


def _called(config: WebConfig, name: str) -> str:
    return f"__Host-{name}" if config.secure else name
