"""What goes out: messages to webhooks, CSV of the queue and of decisions, the memo of a document."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, actor, as_json, day_of, opened, screen
from records import deliveries, exports, memos
from records.desk_filters import Filters
from records.queue import resolve_prefix
from records.tables import DELIVERY_STATUSES
from records.words import Refused

webhooks = typer.Typer(help="Messages to webhooks: what became of them, and sending them again.", no_args_is_help=True)
export = typer.Typer(help="CSV of the queue and of decisions.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="Where to write it; - for standard output.")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Documents")(memo)


@webhooks.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help=f"One of {', '.join(DELIVERY_STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Messages to webhooks, newest first."""
    if status is not None and status not in DELIVERY_STATUSES:
        raise typer.BadParameter(f"{status!r} is no status; one is {', '.join(DELIVERY_STATUSES)}")
    with opened() as desk, desk.sessions.begin() as session:
        found = deliveries.listed(session, status, limit)
    if json:
        for one in found:
            as_json(asdict(one))
        return
    if not found:
        screen.print("There are no messages." if status is None else f"No message is {status}.")
        return
    table = Table("id", "kind", "document", "status", "attempts", "webhook", "trouble", box=None)
    for one in found:
        cells = (str(one.id), one.kind, one.document_id[:12], one.status, str(one.attempts))
        table.add_row(*cells, one.url.replace("[", r"\["), one.error or "")
    screen.print(table)


@webhooks.command()
def replay(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Ids of `webhooks list`.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
) -> None:
    """Send messages again: those given, or all that were given up."""
    if dead == bool(numbers):
        raise typer.BadParameter("give the ids of messages, or --dead")
    with opened() as desk, desk.sessions.begin() as session:
        done = deliveries.replay(session, None if dead else numbers, actor=actor())
    screen.print(f"{done} messages are sent again.")
    if numbers and done < len(set(numbers)):
        raise Refusal("The others are waiting already, or are not there.")


@export.command()
def queue(
    file: File,
    check: Annotated[str | None, typer.Option(help="Only with a finding of this check.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only this document type.")] = None,
) -> None:
    """Write the documents that wait for a decision as CSV."""
    with opened() as desk, desk.sessions.begin() as session:
        chosen = Filters(check=check, doctype=type_)
        _write(file, exports.queue_csv(session, actor=actor(), filters=chosen))


@export.command()
def decisions(
    file: File, since: Annotated[str | None, typer.Option(help="Only those since this day, YYYY-MM-DD.")] = None
) -> None:
    """Write the decisions of reviewers as CSV, those taken back too."""
    with opened() as desk, desk.sessions.begin() as session:
        first = None if since is None else day_of(since, desk.settings.timezone)
        _write(file, exports.decisions_csv(session, actor=actor(), since=first))


def memo(
    document: Annotated[str, typer.Argument(metavar="ID", help="The document's id, or its beginning.")],
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; MEMO-ID.pdf if not given.")
    ] = None,
) -> None:
    """Write a document's deficiency memo: what is to be put right, and under which clause."""
    from pipeline.memo import render

    with opened() as desk, desk.sessions.begin() as session:
        zone = desk.settings.timezone
        try:
            one = resolve_prefix(session, document)
            told = memos.memo(session, one, actor=actor(), written=datetime.now(ZoneInfo(zone)).date(), timezone=zone)
        except (LookupError, Refused) as wrong:
            raise Refusal(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong
        target = file or Path(f"MEMO-{one[:12]}.pdf")
        try:
            target.write_bytes(render(told))
        except OSError as wrong:
            raise Refusal(f"{target} can't be written: {wrong.strerror}") from wrong
    screen.print(f"{len(told.deficiencies)} to put right, written to {target}", highlight=False, markup=False)


def _write(file: Path, lines: Iterable[str]) -> None:
    if str(file) == "-":
        sys.stdout.writelines(lines)
        return
    partial = file.with_name(file.name + ".part")
    try:
        # With a mark of UTF-8 at the beginning, which spreadsheets look for.
        with partial.open("w", encoding="utf-8-sig", newline="") as out:
            out.writelines(lines)
        partial.replace(file)
    except OSError as wrong:
        raise Refusal(f"{file} can't be written: {wrong.strerror}") from wrong
    screen.print(f"Written to {file}", highlight=False, markup=False)
