"""Who asks: by the cookie of a browser that signed in, or by the bearer token of a program."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import structlog
from fastapi import Request
from sqlalchemy.orm import Session, sessionmaker

from records import signins
from records.signins import SigninView
from web import cookies
from web.access import Person, Role
from web.config import WebConfig
from web.oidc import Issuer, IssuerAway, NotVouched, Vouched
from web.problems import NotSignedIn, Unavailable
from web.sealing import seal, unseal

log = structlog.get_logger(__name__)

#: What tokens of the built-in issuer begin with.
OWN = "dv_"
#: When the issuer is away, it is asked again after so long.
AGAIN = timedelta(seconds=60)
#: It is asked so long before its answer runs out, and not more often than that.
MARGIN_SECONDS = 30.0


class Identity:
    """May be shared by threads. `issuer` is None where users sign in here."""

    def __init__(self, config: WebConfig, sessions: sessionmaker[Session], issuer: Issuer | None) -> None:
        self._config, self._sessions, self.issuer = config, sessions, issuer

    def of(self, request: Request) -> Person | None:
        """Who asks, None for nobody. Raises NotSignedIn for a token that doesn't count."""
        given = request.headers.get("authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise NotSignedIn("Only bearer tokens are accepted here.", error="invalid_request")
            return self._by_token(token.strip())
        return self.by_cookie(request)

    def by_cookie(self, request: Request) -> Person | None:
        """Whose browser asks."""
        secret = cookies.read(request, cookies.SESSION)
        if secret is None:
            return None
        with self._sessions.begin() as session:
            one = signins.find(session, secret, "browser", self._config.idle)
        if one is not None and one.refresh_due:
            one = self._refreshed(secret)
        return None if one is None else _person(one, secret, by_cookie=True)

    def begin(self, subject: str, name: str, roles: Iterable[str], vouched: Vouched | None = None) -> str:
        """Signs somebody in; the cookie to give. Roles that we don't know are left out."""
        secret = cookies.fresh()
        refresh = None if vouched is None else vouched.refresh_token
        with self._sessions.begin() as session:
            signins.begin(
                session,
                secret,
                kind="browser",
                subject=subject,
                name=name,
                roles=sorted(known(roles)),
                lasts=self._config.session,
                refresh_after=None if vouched is None or refresh is None else _until(vouched),
                sealed=None if refresh is None else seal(secret, refresh),
            )
        return secret

    def end(self, secret: str) -> None:
        """Signs the owner of a cookie or token out."""
        with self._sessions.begin() as session:
            for kind in signins.SIGNIN_KINDS:
                if one := signins.find(session, secret, kind, self._config.idle):
                    signins.end(session, one, "signout")

    def _refreshed(self, secret: str) -> SigninView | None:
        """Asks the issuer again, one request at a time: a refresh token may count only once."""
        with self._sessions.begin() as session:
            one = signins.find(session, secret, "browser", self._config.idle, lock=True)
            if one is None or not one.refresh_due or one.sealed is None or self.issuer is None:
                return one
            try:
                vouched = self.issuer.refresh(unseal(secret, one.sealed), one.subject)
            except NotVouched as why:
                log.info("signin.refused", why=str(why))
                signins.end(session, one, "refused")
                return None
            except IssuerAway as error:
                # Reviewers go on for as long as the session lasts anyway.
                log.warning("signin.issuer_away", error=str(error))
                signins.refreshed(session, one, roles=one.roles, after=AGAIN)
                return one
            sealed = None if vouched.refresh_token is None else seal(secret, vouched.refresh_token)
            signins.refreshed(session, one, roles=sorted(known(vouched.roles)), after=_until(vouched), sealed=sealed)
            return signins.find(session, secret, "browser", self._config.idle)

    def _by_token(self, token: str) -> Person:
        if token.startswith(OWN):
            with self._sessions.begin() as session:
                one = signins.find(session, token, "token", self._config.idle)
            if one is None:
                raise NotSignedIn("This token is not valid, or no longer.", error="invalid_token")
            return _person(one, token, by_cookie=False)
        if self.issuer is None:
            raise NotSignedIn("This token is not valid, or no longer.", error="invalid_token")
        try:
            vouched = self.issuer.bearer(token)
        except NotVouched as why:
            log.info("token.refused", why=str(why))
            raise NotSignedIn("This token is not valid, or no longer.", error="invalid_token") from why
        except IssuerAway as error:
            log.warning("signin.issuer_away", error=str(error))
            raise Unavailable("The issuer of this token can't be asked at the moment.") from error
        return Person(vouched.subject, vouched.name, known(vouched.roles), token, by_cookie=False)


def known(roles: Iterable[str]) -> frozenset[Role]:
    """Those of these roles that are ours."""
    ours = {role.value: role for role in Role}
    return frozenset(ours[one] for one in roles if one in ours)


def _until(vouched: Vouched) -> timedelta:
    return timedelta(seconds=max(MARGIN_SECONDS, vouched.seconds - MARGIN_SECONDS))


def _person(one: SigninView, secret: str, *, by_cookie: bool) -> Person:
    return Person(one.subject, one.name, known(one.roles), secret, by_cookie)
