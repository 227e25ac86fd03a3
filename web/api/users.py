"""Those who sign in at docvigil itself. Where another issuer signs in, users are managed there: all of this is 404."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from records import replies, signins, users
from records.replies import Asked
from records.users import NAME
from web.access import ADMINISTRATOR, Caller, Role
from web.api.bodies import Told
from web.api.reviews import Key, matches
from web.context import Context, Desk
from web.entrance import Entrance, give
from web.problems import RESPONSES, NotFound, Stale

router = APIRouter(prefix="/api/v1/users", tags=["users"], responses=RESPONSES)

Name = Annotated[str, Path(pattern=f"^{NAME}$", description="What the user signs in with.")]
IfMatch = Annotated[
    str | None, Header(max_length=200, description="The user's ETag: 412 where somebody has changed the user since.")
]
STALE = "Somebody else has changed this user since you looked. Load the page again."
#: At first; the rest follows by `after`.
SHOWN = 200


class User(Told):
    """Somebody, or a program, that signs in here. `invited`: the link has not been used; `locked`: for a while, after
    wrong passwords; `disabled`: by a supervisor."""

    name: str
    kind: Literal["person", "machine"]
    roles: list[str]
    state: Literal["ready", "invited", "locked", "disabled"]
    created_at: datetime


class ListedUser(User):
    last_signin_at: datetime | None = Field(description="Null where none is known.")


class Users(Told):
    items: list[ListedUser]
    after: str | None = Field(description="Leads to the next page; null at the end.")


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
    kind: Literal["person", "machine"] = "person"
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]


class Roles(BaseModel):
    model_config = ConfigDict(extra="forbid")

    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]


class WayIn(BaseModel):
    """A user and the way in, shown this once: a link by which a person chooses a password, or a machine's secret. Both
    are null where a request is answered again; `reset` gives new ones."""

    user: User
    link: str | None = None
    secret: str | None = None


@router.get("")
def list_users(
    desk: Desk,
    after: Annotated[str, Query(max_length=64, pattern=r"^[^\x00]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=SHOWN)] = SHOWN,
) -> Users:
    """Everybody in the order of names, with roles, state and last sign-in."""
    with own(desk).sessions.begin() as session:
        return Users.model_validate(users.listed(session, after=after, limit=limit))


@router.post("", status_code=201)
def add_user(desk: Desk, person: Caller, response: Response, new: NewUser, idempotency_key: Key = None) -> WayIn:
    """Adds a user; hand on the link, or the secret, that is answered. 409 where the name is taken."""
    asked = None
    with own(desk).sessions.begin() as session:
        if idempotency_key is not None:
            asked = Asked.of(person.subject, idempotency_key, new.model_dump(mode="json"))
            if (before := replies.known(session, asked)) is not None:
                return WayIn.model_validate(before)
        users.add(session, new.name, new.roles, kind=new.kind, actor=person.subject)
        made = _give(desk, session, new.name, actor=person.subject)
        told = _told(session, response, new.name)
        if asked is not None:
            # Without the way in, of which nothing but a digest is kept anywhere.
            replies.keep(session, asked, WayIn(user=told).model_dump(mode="json"))
    return WayIn(user=told, link=made.link, secret=made.secret)


@router.get("/{name}")
def show_user(desk: Desk, response: Response, name: Name) -> User:
    """One user. Send the `ETag` as `If-Match` with a change, so that it counts only if nobody was faster."""
    with own(desk).sessions.begin() as session:
        return _told(session, response, name)


@router.put("/{name}/roles")
def change_user_roles(
    desk: Desk, person: Caller, response: Response, name: Name, change: Roles, if_match: IfMatch = None
) -> User:
    """Gives a user these roles and no others; they count at once. 409 where no supervisor would be left."""
    with own(desk).sessions.begin() as session:
        _seen(session, name, if_match)
        users.change_roles(session, name, change.roles, actor=person.subject, keep=ADMINISTRATOR)
        signins.give(session, name, change.roles)
        return _told(session, response, name)


@router.post("/{name}/reset")
def reset_user(desk: Desk, person: Caller, response: Response, name: Name, if_match: IfMatch = None) -> WayIn:
    """A new link or secret. The password or secret from before is void, and what is signed in under the name ends; your
    own session goes on. 404 where the user is disabled."""
    with own(desk).sessions.begin() as session:
        _seen(session, name, if_match)
        made = _give(desk, session, name, actor=person.subject, besides=person.secret)
        told = _told(session, response, name)
    return WayIn(user=told, link=made.link, secret=made.secret)


@router.post("/{name}/disable")
def disable_user(desk: Desk, person: Caller, response: Response, name: Name, if_match: IfMatch = None) -> User:
    """Keeps a user out from now on, and ends what is signed in under the name. 409 where no supervisor would be left,
    404 where the user is disabled already."""
    with own(desk).sessions.begin() as session:
        _seen(session, name, if_match)
        users.disable(session, name, actor=person.subject, keep=ADMINISTRATOR)
        signins.end_all(session, name, actor=person.subject)
        return _told(session, response, name)


@router.post("/{name}/enable")
def enable_user(desk: Desk, person: Caller, response: Response, name: Name, if_match: IfMatch = None) -> User:
    """Lets a user sign in again who was disabled, or locked after wrong passwords."""
    with own(desk).sessions.begin() as session:
        _seen(session, name, if_match)
        users.enable(session, name, actor=person.subject)
        return _told(session, response, name)


def own(desk: Context) -> Context:
    """Raises NotFound where users are somebody else's to manage."""
    if desk.config.oidc is not None:
        raise NotFound(f"Users are kept by {desk.config.oidc.issuer} (DOCVIGIL_OIDC_ISSUER); manage them there.")
    return desk


def _seen(session: Session, name: str, if_match: str | None) -> None:
    """Raises Stale unless the user is as the caller has seen it, and keeps others from it until the end."""
    if not matches(if_match, users.get(session, name, lock=True).revision):
        raise Stale(STALE)


def _give(desk: Context, session: Session, name: str, *, actor: str, besides: str | None = None) -> Entrance:
    config = desk.config
    return give(session, name, public_url=config.public_url, valid=config.invitation, actor=actor, besides=besides)


def _told(session: Session, response: Response, name: str) -> User:
    one = users.get(session, name)
    response.headers["ETag"] = f'"{one.revision}"'
    return User.model_validate(one)
