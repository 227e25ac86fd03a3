"""How somebody who was added, or whose secret was lost, comes in: a person by a link that works once, a machine by a
secret. Both are shown once, and only their digests are kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from records import signins, users
from web.passwords import hashed


@dataclass(frozen=True, slots=True)
class Entrance:
    """`link` for a person, `secret` for a machine."""

    link: str | None = None
    secret: str | None = None


def give(
    session: Session, name: str, *, public_url: str, valid: timedelta, actor: str, besides: str | None = None
) -> Entrance:
    """A new way in for a user; the one from before is void, and what is signed in under the name ends, except by the
    cookie `besides`. Raises LookupError where there is no such user who may sign in."""
    user = users.find(session, name, lock=True)
    if user is None or user.disabled_at is not None:
        raise LookupError(f"there is no user {name} who may sign in")
    signins.end_all(session, name, actor=actor, besides=besides)
    if user.kind == "machine":
        secret = secrets.token_urlsafe(32)
        users.set_secret(session, name, hashed(secret), actor=actor)
        return Entrance(secret=secret)
    secret = fresh()
    users.invite(session, secret, valid, name=name, actor=actor)
    return Entrance(link=address(public_url, secret))


def fresh() -> str:
    """What a link is known by."""
    return secrets.token_urlsafe(24)


def address(public_url: str, secret: str) -> str:
    """The link itself."""
    return f"{public_url.rstrip('/')}/welcome?link={secret}"
