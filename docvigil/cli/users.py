"""The commands about users: those who sign in at docvigil itself, where no other issuer does it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from docvigil.cli.common import Refusal, actor, as_json, opened, refusing, screen
from docvigil.desk import Desk
from docvigil.settings import Settings
from records import signins, users
from web.access import Role
from web.entrance import address, fresh, give

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
        _give(desk, session, name)


@app.command()
def link(name: Name) -> None:
    """Print a new link by which a user chooses a password (for a machine, a new secret); link and password from before
    no longer work, and what is signed in under the name ends."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        _own(desk)
        _give(desk, session, name.lower())


@app.command()
def roles(name: Name, role: Annotated[list[Role], typer.Option(help="May be given several times.")]) -> None:
    """Give a user these roles and no others; they count at once, wherever signed in."""
    name = name.lower()
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        _own(desk)
        users.change_roles(session, name, role, actor=actor())
        signins.give(session, name, role)
    typer.echo(f"{name}: {', '.join(sorted(set(role)))}.")


@app.command()
def disable(name: Name) -> None:
    """Keep a user out from now on, and end what is signed in under the name."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        users.disable(session, name.lower(), actor=actor())
        ended = signins.end_all(session, name.lower(), actor=actor())
    typer.echo(f"{name} is disabled; {ended} sign-ins ended.")


@app.command()
def enable(name: Name) -> None:
    """Let a user sign in again who was disabled, or locked after failures."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        users.enable(session, name.lower(), actor=actor())
        state = users.get(session, name.lower()).state
    typer.echo(f"{name} is {state}.")


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List everybody. With --json: `name`, `kind` (`person`, `machine`), `roles`, `state` (`ready`, `invited`,
    `locked`, `disabled`), `created_at`, `last_signin_at` (null where none is known)."""
    with opened() as desk, desk.sessions.begin() as session:
        found = users.listed(session).items
    if json:
        for one in found:
            values = {"name": one.name, "kind": one.kind, "roles": one.roles, "state": one.state}
            as_json({**values, "created_at": one.created_at, "last_signin_at": one.last_signin_at})
        return
    table = Table("name", "kind", "roles", "state", box=None)
    for one in found:
        table.add_row(one.name, one.kind, ", ".join(one.roles), one.state)
    screen.print(table if found else "Nobody so far; `docvigil users first` prints the first link.")


def first_link(desk: Desk) -> str | None:
    """A link for the first user; None where there are users, or another issuer signs in."""
    if desk.settings.oidc_issuer is not None:
        return None
    secret = fresh()
    held = [role for role in Role if role is not Role.INTEGRATOR]
    with desk.sessions.begin() as session:
        if not users.invite_first(session, secret, _valid(desk.settings), held):
            return None
    return address(desk.settings.web_url, secret)


def _give(desk: Desk, session: Session, name: str) -> None:
    chosen = desk.settings
    made = give(session, name, public_url=chosen.web_url, valid=_valid(chosen), actor=actor())
    if made.secret is not None:
        screen.print("The secret, shown this once; tokens are given at /oauth/token:")
    typer.echo(made.secret or made.link)


def _valid(chosen: Settings) -> timedelta:
    return timedelta(hours=chosen.invitation_hours)


def _own(desk: Desk) -> None:
    if desk.settings.oidc_issuer is not None:
        raise Refusal(f"Users are kept by {desk.settings.oidc_issuer} (DOCVIGIL_OIDC_ISSUER); manage them there.")
