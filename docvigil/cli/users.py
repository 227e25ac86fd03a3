"""The commands about users: those who sign in at docvigil itself, where no other issuer does it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from docvigil.cli.common import Refusal, actor, as_json, opened, refusing, screen
from docvigil.desk import Desk
from docvigil.settings import Settings
from records import signins, users
from records.users import UserView
from web.access import Role
from web.passwords import hashed

app = typer.Typer(help="Who signs in at docvigil itself, and with which roles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the user signs in with.")]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


@app.command()
def first() -> None:
    """Print the link by which the very first user comes in; it works once, and one from before no longer."""
    with opened() as desk:
        link = first_link(desk)
    if link is None:
        raise Refusal("There are users already; `docvigil users add` adds another.")
    typer.echo(link)


@app.command()
def add(
    name: Name,
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    machine: Annotated[bool, typer.Option("--machine", help="A program: prints its secret.")] = False,
) -> None:
    """Add a user, and print the link by which the password is chosen (for a machine, its secret)."""
    name = name.lower()
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        _own(desk)
        users.add(session, name, role, kind="machine" if machine else "person", actor=actor())
        if machine:
            secret = secrets.token_urlsafe(32)
            users.set_secret(session, name, hashed(secret), actor=actor())
            screen.print("The secret, shown this once; tokens are given at /oauth/token:")
            typer.echo(secret)
            return
        typer.echo(_link(desk, name, session))


@app.command()
def link(name: Name) -> None:
    """Print a new link by which a user chooses a password; one from before no longer works."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        _own(desk)
        typer.echo(_link(desk, name.lower(), session))


@app.command()
def disable(name: Name) -> None:
    """Keep a user out from now on, and end what is signed in under the name."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        users.disable(session, name.lower(), actor=actor())
        ended = signins.end_all(session, name.lower(), actor=actor())
    typer.echo(f"{name} is disabled; {ended} sign-ins ended.")


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List everybody. With --json: `name`, `kind` (`person`, `machine`), `roles`, `state` (`ready`, `invited`,
    `locked`, `disabled`), `created_at`."""
    with opened() as desk, desk.sessions.begin() as session:
        found = users.listed(session)
    if json:
        for one in found:
            values = {"name": one.name, "kind": one.kind, "roles": one.roles, "state": _state(one)}
            as_json({**values, "created_at": one.created_at})
        return
    table = Table("name", "kind", "roles", "state", box=None)
    for one in found:
        table.add_row(one.name, one.kind, ", ".join(one.roles), _state(one))
    screen.print(table if found else "Nobody so far; `docvigil users first` prints the first link.")


def first_link(desk: Desk) -> str | None:
    """A link for the first user; None where there are users, or another issuer signs in."""
    if desk.settings.oidc_issuer is not None:
        return None
    secret = secrets.token_urlsafe(24)
    roles = [role for role in Role if role is not Role.INTEGRATOR]
    with desk.sessions.begin() as session:
        if not users.invite_first(session, secret, _valid(desk.settings), roles):
            return None
    return _address(desk.settings, secret)


def _link(desk: Desk, name: str, session: Session) -> str:
    secret = secrets.token_urlsafe(24)
    users.invite(session, secret, _valid(desk.settings), name=name, actor=actor())
    return _address(desk.settings, secret)


def _address(chosen: Settings, secret: str) -> str:
    return f"{chosen.web_url}/welcome?link={secret}"


def _valid(chosen: Settings) -> timedelta:
    return timedelta(hours=chosen.invitation_hours)


def _own(desk: Desk) -> None:
    if desk.settings.oidc_issuer is not None:
        raise Refusal(f"Users are kept by {desk.settings.oidc_issuer} (DOCVIGIL_OIDC_ISSUER); add them there.")


def _state(one: UserView) -> str:
    if one.disabled_at is not None:
        return "disabled"
    if one.locked:
        return "locked"
    return "invited" if one.secret is None else "ready"
