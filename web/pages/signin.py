"""Signing in: by name and password here, or at the issuer of somebody else (authorisation code with PKCE); the link by
which a password is chosen; signing out; the language."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from records import users
from records.words import Refused
from web import cookies, csrf, passwords
from web.access import Caller
from web.context import Context, Desk
from web.identity import known
from web.labels import LANGUAGES
from web.oidc import Issuer, IssuerAway, NotVouched
from web.problems import BadRequest, Forbidden, NotFound, sentence
from web.rendering import render

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=512)]

#: What `why` in the address of the sign-in page says.
TOLD = {
    "ended": "Your session has ended. Sign in again to go on where you were.",
    "out": "You are signed out.",
    "again": "The sign-in was not finished. Try again.",
    "away": "The sign-in service of your organisation can't be reached. Try again in a minute.",
}
#: One sentence for every failure: it doesn't tell which names exist.
WRONG = (
    "This name and password don't belong together, or the name is locked: after several failures in a row that lasts"
    " {minutes} minutes."
)
USED = (
    "This link was used before or is too old. A supervisor gives a new one, under Users; `docvigil users first` prints"
    " the very first."
)
#: Somebody may take so long at the issuer.
JOURNEY_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Journey:
    """What must be the same when a browser comes back from the issuer. `browser` is the digest of its cookie."""

    nonce: str
    verifier: str
    next: str
    browser: str


@router.get("/sign-in")
def sign_in_page(request: Request, desk: Desk, next: str = "/", why: str = "") -> Response:
    """Where people sign in; those whom an issuer signs in find the way there."""
    return _form(request, desk, next=local(next), told=TOLD.get(why))


@router.post("/sign-in")
def sign_in(request: Request, desk: Desk, name: Text, password: Text, csrf: Text = "", next: Text = "/") -> Response:
    """Name and password are right, or it says no more than that they aren't."""
    if desk.identity.issuer is not None:
        raise NotFound("Sign in at your organisation.")
    _own_form(request, csrf)
    name = name.strip().lower()
    desk.limits.spend("signin", _address(request), desk.config.signin_rate)
    user = _checked(desk, name, password)
    if user is None:
        return _form(request, desk, next=local(next), told=WRONG, name=name, status=HTTPStatus.UNAUTHORIZED)
    return _entered(request, desk.identity.begin(user.name, user.name, user.roles), next)


@router.get("/sign-in/start")
def sign_in_start(request: Request, desk: Desk, next: str = "/") -> Response:
    """To the issuer."""
    issuer = _issuer(desk)
    desk.limits.spend("signin", _address(request), desk.config.signin_rate)
    state, browser = cookies.fresh(), cookies.fresh()
    journey = Journey(cookies.fresh(), cookies.fresh(), local(next), _digest(browser))
    try:
        url = issuer.authorisation_url(_callback(desk), state, journey.nonce, journey.verifier)
    except IssuerAway as error:
        log.warning("signin.issuer_away", error=str(error))
        return _back(request, "away")
    desk.redis.set(_key(state), json.dumps(asdict(journey)), ex=JOURNEY_SECONDS)
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    cookies.put(request, response, cookies.JOURNEY, browser, JOURNEY_SECONDS)
    return response


@router.get("/sign-in/callback")
def sign_in_callback(request: Request, desk: Desk, state: str = "", code: str = "", iss: str | None = None) -> Response:
    """Back from the issuer, with a code that it gives tokens for. A journey ends once."""
    issuer = _issuer(desk)
    kept = desk.redis.getdel(_key(state))
    browser = cookies.read(request, cookies.JOURNEY)
    if kept is None or browser is None or not code or iss not in (None, issuer.config.issuer):
        return _back(request, "again")
    journey = Journey(**json.loads(kept))
    if journey.browser != _digest(browser):
        return _back(request, "again")
    try:
        who = issuer.exchange(code, journey.verifier, journey.nonce, _callback(desk))
    except NotVouched as why:
        log.warning("signin.not_vouched", why=str(why))
        return _back(request, "again")
    except IssuerAway as error:
        log.warning("signin.issuer_away", error=str(error))
        return _back(request, "away")
    if not known(who.roles):
        raise Forbidden("You are known, but have no role here. Ask whoever keeps your organisation's accounts for one.")
    return _entered(request, desk.identity.begin(who.subject, who.name, who.roles, who), journey.next)


@router.get("/welcome")
def welcome_page(request: Request, desk: Desk, link: str = "") -> Response:
    """Where a link leads by which a password is chosen."""
    return _welcome(request, desk, link)


@router.post("/welcome")
def welcome(
    request: Request, desk: Desk, link: Text, password: Text, again: Text, name: Text = "", csrf: Text = ""
) -> Response:
    """The password is set, and its owner signed in; the link is void from then on."""
    _own_form(request, csrf)
    desk.limits.spend("signin", _address(request), desk.config.signin_rate)
    chosen = name.strip().lower()
    wrong = passwords.fault(password, chosen)
    if password != again:
        wrong = "The two passwords differ."
    elif re.fullmatch(users.NAME, chosen) is None:
        wrong = "A name has small letters, digits and . _ @ - and begins with a letter or digit."
    if wrong is not None:
        return _welcome(request, desk, link, told=wrong, name=chosen)
    try:
        with desk.sessions.begin() as session:
            user = users.accept(session, link, passwords.hashed(password), name=chosen)
    except Refused as why:
        return _welcome(request, desk, link, told=sentence(why), name=chosen)
    return _entered(request, desk.identity.begin(user.name, user.name, user.roles), "/")


@router.post("/sign-out")
def sign_out(request: Request, desk: Desk, person: Caller) -> Response:
    """The session is over, here and for this cookie anywhere."""
    desk.identity.end(person.secret)
    response = _back(request, "out")
    cookies.drop(request, response, cookies.SESSION)
    return response


@router.post("/language")
def choose_language(request: Request, language: Text, next: Text = "/") -> Response:
    """The language of the pages, for this browser. It changes nothing else, so it asks for nothing else."""
    if language not in LANGUAGES:
        raise BadRequest(f"Pages are in {' and '.join(LANGUAGES.values())}.")
    response = RedirectResponse(local(next), HTTPStatus.SEE_OTHER)
    cookies.put(request, response, cookies.LANGUAGE, language, 365 * 86400)
    return response


def local(place: str) -> str:
    """The place where it is one of ours, else the start: nobody is led elsewhere by a link to the sign-in page."""
    return place if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", place) else "/"


def _checked(desk: Context, name: str, password: str) -> users.UserView | None:
    """The user, where the password is right and nothing speaks against it."""
    config = desk.config
    with desk.sessions.begin() as session:
        user = users.find(session, name)
    usable = user is not None and user.kind == "person" and user.disabled_at is None and not user.locked
    # The same work for every name, known or not.
    right = passwords.matches(password, user.secret if user is not None and usable else None)
    with desk.sessions.begin() as session:
        if right:
            users.succeeded(session, name)
        else:
            users.failed(session, name, config.lockout_failures, config.lockout)
    return user if right else None


def _form(
    request: Request, desk: Context, *, next: str, told: str | None, name: str = "", status: int = HTTPStatus.OK
) -> Response:
    secret = cookies.read(request, cookies.FORM) or cookies.fresh()
    with desk.sessions.begin() as session:
        empty = desk.identity.issuer is None and users.none(session)
    elsewhere = None
    if desk.identity.issuer is not None:
        elsewhere = f"{request.app.url_path_for('sign_in_start')}?{urlencode({'next': next})}"
    response = render(
        request,
        "sign_in.html",
        status=status,
        csrf=csrf.token(secret),
        next=next,
        told=told,
        minutes=round(desk.config.lockout.total_seconds() / 60),
        name=name,
        elsewhere=elsewhere,
        empty=empty,
    )
    cookies.put(request, response, cookies.FORM, secret)
    return response


def _welcome(request: Request, desk: Context, link: str, *, told: str | None = None, name: str = "") -> Response:
    with desk.sessions.begin() as session:
        found = users.invited(session, link)
    if found is None:
        raise NotFound(USED)
    secret = cookies.read(request, cookies.FORM) or cookies.fresh()
    response = render(
        request,
        "welcome.html",
        status=HTTPStatus.OK if told is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        csrf=csrf.token(secret),
        link=link,
        first=found[0] is None,
        name=found[0] or name,
        told=told,
        shortest=passwords.SHORTEST,
    )
    cookies.put(request, response, cookies.FORM, secret)
    return response


def _own_form(request: Request, shown: str) -> None:
    """Raises Forbidden unless the form was ours, sent by the browser that we gave it to."""
    secret = cookies.read(request, cookies.FORM)
    if secret is None or not csrf.same(shown, secret):
        raise Forbidden(
            "This page was open for too long, or came from elsewhere. Load it again and repeat what you did."
        )


def _entered(request: Request, secret: str, next: str) -> Response:
    response = RedirectResponse(local(next), HTTPStatus.SEE_OTHER)
    cookies.put(request, response, cookies.SESSION, secret)
    cookies.drop(request, response, cookies.FORM)
    cookies.drop(request, response, cookies.JOURNEY)
    return response


def _back(request: Request, why: str) -> Response:
    place = request.app.url_path_for("sign_in_page")
    return RedirectResponse(f"{place}?{urlencode({'why': why})}", HTTPStatus.SEE_OTHER)


def _issuer(desk: Context) -> Issuer:
    if desk.identity.issuer is None:
        raise NotFound("Sign in with name and password.")
    return desk.identity.issuer


def _callback(desk: Context) -> str:
    return desk.config.public_url.rstrip("/") + "/sign-in/callback"


def _key(state: str) -> str:
    return f"docvigil:journey:{_digest(state)}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"
