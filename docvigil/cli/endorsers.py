"""The register of those who may endorse."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, actor, as_json, opened, refusing, screen
from pipeline.register import read_csv
from records import endorsers as register_of

app = typer.Typer(help="Who may endorse: import, list, retire. Every change is audited.", no_args_is_help=True)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="CSV with a header line; see the README.")]) -> None:
    """Add or update endorsers from a CSV file. Nothing is changed unless every line is right."""
    try:
        endorsers = read_csv(file)
    except OSError as wrong:
        raise Refusal(f"{file} can't be opened ({wrong.strerror}); check its name and permissions") from wrong
    except ValueError as wrong:
        raise Refusal(str(wrong)) from wrong
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        result = register_of.import_all(session, endorsers, actor=actor())
    typer.echo(f"{result.added} added, {result.changed} changed, {result.unchanged} as they were")


@app.command("list")
def list_(
    everyone: Annotated[bool, typer.Option("--all", help="Retired ones too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Show the register.

    With --json one object a line: `id`, `name`, `designation`, `employee_code`, `participant`, `stamp_text`,
    `document_types` (none: all), `valid_from` and `valid_to` (YYYY-MM-DD or null, both included).
    """
    with opened() as desk, desk.sessions.begin() as session:
        found = register_of.listed(session, include_retired=everyone)
    if json:
        for one in found:
            as_json(one)
        return
    table = Table("id", "name", "designation", "code", "participant", "document types", "valid from", "to", box=None)
    for one in found:
        table.add_row(
            str(one.id),
            one.name,
            one.designation or "",
            one.employee_code or "",
            one.participant or "",
            ", ".join(one.document_types) or "all",
            _day(one.valid_from),
            _day(one.valid_to),
        )
    screen.print(table if found else "The register is empty: docvigil endorsers import FILE.csv")


@app.command()
def retire(
    endorser: Annotated[str, typer.Argument(help="Id or employee code.")],
    on: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD; today if not given.")] = None,
) -> None:
    """End an endorser's authority. Endorsements dated before stay good."""
    try:
        day = date.fromisoformat(on) if on else None
    except ValueError as wrong:
        raise typer.BadParameter(f"{on!r} is not a date; YYYY-MM-DD is needed") from wrong
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        retired = register_of.retire(session, endorser, day, actor=actor())
    typer.echo(f"{retired.name} may endorse up to {retired.valid_to}.")


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
