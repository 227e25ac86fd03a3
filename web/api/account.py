"""Who asks, tokens for machines where docvigil itself signs in, and the description of this API."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from records import signins, users
from web import cookies, passwords
from web.access import Caller
from web.api import bodies
from web.context import Context, Desk
from web.identity import OWN
from web.problems import RESPONSES, NotFound

router = APIRouter(tags=["account"], responses=RESPONSES)

Text = Annotated[str, Form(max_length=512)]


@router.get("/api/v1/me")
def me(person: Caller) -> bodies.Me:
    """Who asks, with which roles."""
    return bodies.Me(subject=person.subject, name=person.name, roles=sorted(person.roles))


@router.post("/oauth/token", response_model=bodies.Token)
def token(
    request: Request,
    desk: Desk,
    grant_type: Annotated[Literal["client_credentials"], Form()],
    client_id: Text = "",
    client_secret: Text = "",
) -> Response:
    """A token for a machine (`docvigil users add NAME --machine`), by client credentials (RFC 6749, 4.4). With another
    issuer configured, that one gives tokens."""
    if desk.identity.issuer is not None:
        raise NotFound("Tokens are given by your organisation's issuer.")
    address = request.client.host if request.client is not None else "unknown"
    desk.limits.spend("signin", address, desk.config.signin_rate)
    name, secret = _basic(request) or (client_id, client_secret)
    made = _token(desk, name.strip().lower(), secret)
    if made is None:
        wrong = {
            "error": "invalid_client",
            "error_description": "This id and secret don't belong together, or are locked.",
        }
        return JSONResponse(wrong, 401, {"WWW-Authenticate": 'Basic realm="docvigil"'})
    return JSONResponse(made.model_dump(), headers={"Cache-Control": "no-store"})


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """This API as OpenAPI."""
    described: dict[str, Any] = request.app.openapi()
    return described


def _token(desk: Context, name: str, secret: str) -> bodies.Token | None:
    with desk.sessions.begin() as session:
        user = users.find(session, name)
    usable = user is not None and user.kind == "machine" and user.disabled_at is None and not user.locked
    right = passwords.matches(secret, user.secret if user is not None and usable else None)
    made = OWN + cookies.fresh()
    with desk.sessions.begin() as session:
        if user is None or not right:
            users.failed(session, name, desk.config.lockout_failures, desk.config.lockout)
            return None
        users.succeeded(session, name)
        signins.begin(session, made, kind="token", subject=name, name=name, roles=user.roles, lasts=desk.config.token)
    seconds = int(desk.config.token.total_seconds())
    return bodies.Token(access_token=made, expires_in=seconds, scope=" ".join(user.roles))


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
