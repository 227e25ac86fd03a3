"""Those who sign in at docvigil itself, where no other issuer does it: people and machines, and the links by which they
choose their secret.

A link is valid once and for a while; only its digest is kept. What a secret is hashed with is the web's business: here
it is a text that is stored and handed back. Each change is audited in its transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, insert, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, Session, mapped_column

from records.audit import event
from records.canonical import digest as digest_of
from records.tables import Base, Event, one_of
from records.words import Page, Refused

USER_KINDS = ("person", "machine")
#: Invited: the link has not been used. Locked: for a while, after failures. Disabled: by somebody, until enabled.
USER_STATES = ("ready", "invited", "locked", "disabled")
#: What a user is called: it goes into events as it is.
NAME = "[a-z0-9][a-z0-9._@-]{0,63}"
#: Two processes that look for the first user at once take their turns.
FIRST_USER_LOCK = 0x64766967_00000005
#: Two who take a role from each other at once take their turns, so that one is left.
LAST_ONE_LOCK = 0x64766967_00000006


class User(Base):
    """Somebody who signs in here. `secret` is None until the link was used."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"name ~ '^{NAME}$'", "name"),
        CheckConstraint(one_of("kind", USER_KINDS), "kind"),
        CheckConstraint("failures >= 0", "failures"),
        CheckConstraint("cardinality(roles) > 0", "roles"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(server_default=text("'person'"))
    roles: Mapped[list[str]]
    secret: Mapped[str | None]
    #: Failed attempts since the last good one.
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]


class Invitation(Base):
    """A link by which a secret is chosen. `name` is None on the very first one: whoever follows it chooses it."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", "digest"),
        Index("invitations_open", "name", postgresql_where=text("used_at IS NULL")),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(ForeignKey("users.name"))
    roles: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class UserView:
    """`locked` says whether attempts are refused for a while. `last_signin_at` is known of lists only."""

    name: str
    kind: str
    roles: tuple[str, ...]
    secret: str | None
    locked: bool
    created_at: datetime
    disabled_at: datetime | None
    last_signin_at: datetime | None = None

    @property
    def state(self) -> str:
        """One of USER_STATES."""
        if self.disabled_at is not None:
            return "disabled"
        if self.locked:
            return "locked"
        return "invited" if self.secret is None else "ready"

    @property
    def revision(self) -> str:
        """What the user's ETag says: it changes with what somebody else does, not with what the user does."""
        return digest_of([self.name, self.roles, self.disabled_at is not None])[:16]


def digest(secret: str) -> bytes:
    """What is kept of a random secret: it needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def add(session: Session, name: str, roles: Sequence[str], *, kind: str = "person", actor: str) -> None:
    """A new user, without a secret so far. Raises Refused where the name is taken."""
    held = sorted(set(roles))
    row = upsert(User).values(name=name, kind=kind, roles=held).on_conflict_do_nothing()
    if session.scalar(row.returning(User.name)) is None:
        raise Refused(f"there is a user {name} already; choose another name")
    event(session, "user.added", f"user:{name}", actor=actor, roles=held, as_a=kind)


def invite(session: Session, secret: str, valid: timedelta, *, name: str, actor: str) -> None:
    """A link for a user to choose the secret (again); links and the secret from before are void. Raises LookupError."""
    user = find(session, name)
    if user is None or user.disabled_at is not None:
        raise LookupError(f"there is no user {name} who may sign in")
    _void(session, name)
    session.execute(update(User).where(User.name == name).values(secret=None))
    _insert(session, secret, valid, name, user.roles)
    event(session, "user.invited", f"user:{name}", actor=actor)


def invite_first(session: Session, secret: str, valid: timedelta, roles: Sequence[str]) -> bool:
    """The link by which the first user comes in; False where there are users. One from before is void."""
    session.execute(select(func.pg_advisory_xact_lock(FIRST_USER_LOCK)))
    if not none(session):
        return False
    _void(session, None)
    _insert(session, secret, valid, None, roles)
    event(session, "user.invited", "user:first", roles=sorted(roles))
    return True


def invited(session: Session, secret: str) -> tuple[str | None, tuple[str, ...]] | None:
    """Name (None: to be chosen) and roles of a link that can be used now, else None."""
    row = session.scalars(
        select(Invitation).where(
            Invitation.digest == digest(secret), Invitation.used_at.is_(None), Invitation.expires_at > func.now()
        )
    ).one_or_none()
    return None if row is None else (row.name, tuple(row.roles))


def accept(session: Session, secret: str, hashed: str, *, name: str | None = None) -> UserView:
    """Use a link, once: the user's secret is set. `name` is chosen where the link has none. Raises Refused."""
    row = session.execute(
        update(Invitation)
        .where(Invitation.digest == digest(secret), Invitation.used_at.is_(None), Invitation.expires_at > func.now())
        .values(used_at=func.now())
        .returning(Invitation.name, Invitation.roles)
    ).one_or_none()
    if row is None:
        raise Refused("this link was used before or is too old; ask for a new one")
    chosen = row.name or name
    if chosen is None:
        raise Refused("choose a name to sign in with")
    if row.name is None:
        add(session, chosen, row.roles, actor=chosen)
    session.execute(update(User).where(User.name == chosen).values(secret=hashed, failures=0, locked_until=None))
    event(session, "user.secret_set", f"user:{chosen}", actor=chosen)
    user = find(session, chosen)
    if user is None or user.disabled_at is not None:
        raise Refused(f"the user {chosen} may not sign in any more; ask a supervisor")
    return user


def set_secret(session: Session, name: str, hashed: str, *, actor: str) -> None:
    """Give a user (a machine, mostly) a secret at once. Raises LookupError."""
    done = session.scalar(update(User).where(User.name == name).values(secret=hashed).returning(User.name))
    if done is None:
        raise LookupError(f"there is no user {name}")
    event(session, "user.secret_set", f"user:{name}", actor=actor)


def find(session: Session, name: str, *, lock: bool = False) -> UserView | None:
    """The user of this name, disabled ones too. `lock` keeps others from the row until the transaction ends."""
    query = (
        select(User, func.coalesce(User.locked_until > func.now(), False).label("locked"))
        .where(User.name == name)
        .execution_options(populate_existing=True)
    )
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _view(row.User, row.locked)


def get(session: Session, name: str, *, lock: bool = False) -> UserView:
    """The same; raises LookupError where there is none."""
    found = find(session, name, lock=lock)
    if found is None:
        raise LookupError(f"there is no user {name}")
    return found


def none(session: Session) -> bool:
    """Whether there are no users at all."""
    return session.scalar(select(User.name).limit(1)) is None


def listed(session: Session, *, after: str = "", limit: int | None = None) -> Page[UserView]:
    """Everybody in the order of names, with the last sign-in, which the audit trail knows."""
    last = (
        select(Event.at)
        .where(Event.subject == func.concat("user:", User.name), Event.kind == "signin")
        .order_by(Event.id.desc())
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(User, func.coalesce(User.locked_until > func.now(), False).label("locked"), last.c.at)
        .outerjoin(last, true())
        .where(User.name > after)
        .order_by(User.name)
        .limit(None if limit is None else limit + 1)
    ).all()
    found = tuple(_view(row.User, row.locked, row.at) for row in rows[:limit])
    return Page(found, found[-1].name if len(rows) > len(found) else None)


def failed(session: Session, name: str, most: int, locked_for: timedelta) -> None:
    """A wrong secret was given: after `most` in a row the name is locked for a while."""
    row = session.execute(
        update(User)
        .where(User.name == name, or_(User.locked_until.is_(None), User.locked_until <= func.now()))
        .values(failures=User.failures + 1)
        .returning(User.failures)
    ).one_or_none()
    event(session, "signin.failed", f"user:{name}" if row is not None else None)
    if row is not None and row.failures >= most:
        session.execute(update(User).where(User.name == name).values(failures=0, locked_until=func.now() + locked_for))
        event(session, "signin.locked", f"user:{name}")


def succeeded(session: Session, name: str) -> None:
    """The right secret was given: earlier failures are forgotten."""
    session.execute(update(User).where(User.name == name, User.failures > 0).values(failures=0, locked_until=None))


def change_roles(session: Session, name: str, roles: Sequence[str], *, actor: str, keep: str | None = None) -> None:
    """Give a user these roles and no others. Raises LookupError, and Refused where nobody would have `keep` then."""
    _in_turn(session, keep)
    before, held = get(session, name, lock=True).roles, sorted(set(roles))
    if held == sorted(before):
        return
    session.execute(update(User).where(User.name == name).values(roles=held))
    _kept(session, keep)
    event(session, "user.roles", f"user:{name}", actor=actor, before=sorted(before), roles=held)


def disable(session: Session, name: str, *, actor: str, keep: str | None = None) -> None:
    """Nobody signs in by this name any more. Raises LookupError, and Refused where nobody would have `keep` then."""
    _in_turn(session, keep)
    done = session.scalar(
        update(User)
        .where(User.name == name, User.disabled_at.is_(None))
        .values(disabled_at=func.now())
        .returning(User.name)
    )
    if done is None:
        raise LookupError(f"there is no user {name} who may sign in")
    _kept(session, keep)
    _void(session, name)
    event(session, "user.disabled", f"user:{name}", actor=actor)


def enable(session: Session, name: str, *, actor: str) -> None:
    """Let a user sign in again who was disabled, or locked after failures. Raises LookupError."""
    before = get(session, name, lock=True)
    if before.disabled_at is None and not before.locked:
        return
    session.execute(update(User).where(User.name == name).values(disabled_at=None, failures=0, locked_until=None))
    event(session, "user.enabled", f"user:{name}", actor=actor, was=before.state)


def _in_turn(session: Session, keep: str | None) -> None:
    if keep is not None:
        session.execute(select(func.pg_advisory_xact_lock(LAST_ONE_LOCK)))


def _kept(session: Session, keep: str | None) -> None:
    """Raises Refused where nobody is left who has the role `keep` and can sign in."""
    if keep is None:
        return
    holds = (User.roles.contains([keep]), User.kind == "person", User.disabled_at.is_(None), User.secret.is_not(None))
    if session.scalar(select(User.name).where(*holds).limit(1)) is None:
        raise Refused(f"nobody who can sign in would be a {keep} any more; make somebody else one first")


def _void(session: Session, name: str | None) -> None:
    whose = Invitation.name.is_(None) if name is None else Invitation.name == name
    session.execute(update(Invitation).where(whose, Invitation.used_at.is_(None)).values(used_at=func.now()))


def _insert(session: Session, secret: str, valid: timedelta, name: str | None, roles: Sequence[str]) -> None:
    session.execute(
        insert(Invitation).values(digest=digest(secret), name=name, roles=sorted(roles), expires_at=func.now() + valid)
    )


def _view(row: User, locked: bool, last: datetime | None = None) -> UserView:
    return UserView(row.name, row.kind, tuple(row.roles), row.secret, locked, row.created_at, row.disabled_at, last)
