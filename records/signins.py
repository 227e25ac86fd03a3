"""Who is signed in: browsers by a cookie, programs by a token. Only the digest of either is kept.

A sign-in ends by itself (`expires_at`; a browser's also when it was idle), or is ended: by its owner, by a supervisor,
or when the issuer that vouched for it no longer does. Beginning and end are audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Index, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from records.audit import event
from records.canonical import as_id
from records.tables import Base, one_of
from records.users import digest

SIGNIN_KINDS = ("browser", "token")
#: How exactly it is known when somebody was last there; a write for each request would be too many.
SEEN_SECONDS = 60
#: Ended sign-ins are kept so long; what happened stands in the audit trail for good.
KEPT = timedelta(days=1)


class Signin(Base):
    """`sealed` is the issuer's refresh token, encrypted under the cookie that is not kept here."""

    __tablename__ = "signins"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", "digest"),
        CheckConstraint(one_of("kind", SIGNIN_KINDS), "kind"),
        CheckConstraint("(sealed IS NULL) = (refresh_at IS NULL)", "sealed_is_refreshed"),
        Index("signins_expired", "expires_at"),
        Index("signins_subject", "subject", postgresql_where=text("ended_at IS NULL")),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    #: The user's name here, or the issuer's `sub`; it stands in reviews and events.
    subject: Mapped[str]
    #: For people to read.
    name: Mapped[str]
    roles: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    refresh_at: Mapped[datetime | None]
    sealed: Mapped[bytes | None]


@dataclass(frozen=True, slots=True)
class SigninView:
    """`refresh_due` says that the issuer must be asked again before this counts."""

    digest: bytes
    kind: str
    subject: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    refresh_due: bool
    sealed: bytes | None


def begin(
    session: Session,
    secret: str,
    *,
    kind: str,
    subject: str,
    name: str,
    roles: Sequence[str],
    lasts: timedelta,
    refresh_after: timedelta | None = None,
    sealed: bytes | None = None,
) -> None:
    """Somebody has signed in, and shows `secret` from now on."""
    session.execute(delete(Signin).where(Signin.expires_at < func.now() - KEPT))
    session.execute(
        insert(Signin).values(
            digest=digest(secret),
            kind=kind,
            subject=subject,
            name=name,
            roles=sorted(roles),
            expires_at=func.now() + lasts,
            refresh_at=None if refresh_after is None else func.now() + refresh_after,
            sealed=sealed,
        )
    )
    event(session, "signin", as_id(f"user:{subject}"), actor=subject, by=kind, roles=sorted(roles))


def find(session: Session, secret: str, kind: str, idle: timedelta, *, lock: bool = False) -> SigninView | None:
    """Who shows this secret, unless that sign-in has ended; that somebody was there is noted. `lock` keeps others from
    the row until the transaction ends."""
    query = (
        select(
            Signin,
            (Signin.seen_at < func.now() - timedelta(seconds=SEEN_SECONDS)).label("stale"),
            func.coalesce(Signin.refresh_at <= func.now(), False).label("due"),
        )
        .where(
            Signin.digest == digest(secret),
            Signin.kind == kind,
            Signin.ended_at.is_(None),
            Signin.expires_at > func.now(),
            or_(Signin.kind == "token", Signin.seen_at > func.now() - idle),
        )
        .execution_options(populate_existing=True)
    )
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    one = row.Signin
    if row.stale:
        session.execute(update(Signin).where(Signin.digest == one.digest).values(seen_at=func.now()))
    return SigninView(
        one.digest,
        one.kind,
        one.subject,
        one.name,
        tuple(one.roles),
        one.created_at,
        one.expires_at,
        row.due,
        one.sealed,
    )


def refreshed(
    session: Session, one: SigninView, *, roles: Sequence[str], after: timedelta, sealed: bytes | None = None
) -> None:
    """The issuer vouches for it again; `sealed` where it gave a new refresh token."""
    session.execute(
        update(Signin)
        .where(Signin.digest == one.digest)
        .values(roles=sorted(roles), refresh_at=func.now() + after, sealed=sealed or one.sealed)
    )
    if set(roles) != set(one.roles):
        event(session, "signin.roles", actor=one.subject, roles=sorted(roles))


def end(session: Session, one: SigninView, why: str) -> None:
    """Sign out: `why` is `signout` or `refused` (by the issuer)."""
    done = update(Signin).where(Signin.digest == one.digest, Signin.ended_at.is_(None)).values(ended_at=func.now())
    if session.scalar(done.returning(Signin.subject)) is not None:
        event(session, "signin.ended", actor=one.subject, why=why)


def give(session: Session, subject: str, roles: Sequence[str]) -> None:
    """Somebody's roles were changed: they count at once, wherever signed in."""
    session.execute(
        update(Signin).where(Signin.subject == subject, Signin.ended_at.is_(None)).values(roles=sorted(set(roles)))
    )


def end_all(session: Session, subject: str, *, actor: str, besides: str | None = None) -> int:
    """End every sign-in of somebody, all but the one that shows the secret `besides`; how many it was."""
    kept = () if besides is None else (Signin.digest != digest(besides),)
    ended = session.scalars(
        update(Signin)
        .where(Signin.subject == subject, Signin.ended_at.is_(None), Signin.expires_at > func.now(), *kept)
        .values(ended_at=func.now())
        .returning(Signin.digest)
    ).all()
    if ended:
        event(session, "signin.ended_all", actor=actor, count=len(ended), of=subject)
    return len(ended)
