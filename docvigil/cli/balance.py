"""Does everything add up? The conservation law (`docvigil balance`) and the audit trail (`docvigil audit`)."""

from __future__ import annotations

import hashlib
import json as json_text
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, actor, as_json, opened, screen
from records import anchors
from records import audit as trail
from records import balance as balance_of
from records.anchors import Forged
from records.audit import Verification
from records.balance import Balance

audit = typer.Typer(help="The audit trail: verify its chain, export it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Looking after it")(balance)


def balance(json: Annotated[bool, typer.Option("--json", help="One object on one line.")] = False) -> None:
    """Check that everything that arrived is somewhere. Exit code 1 where a sum doesn't come out."""
    with opened() as desk, desk.sessions.begin() as session:
        counted = balance_of.balance(session)
    if json:
        as_json(balance_form(counted))
    else:
        _show(counted)
    if not counted.adds_up:
        raise typer.Exit(1)


def balance_form(counted: Balance) -> dict[str, object]:
    """The JSON form of `docvigil balance`."""
    return {
        "at": counted.at,
        "adds_up": counted.adds_up,
        "differences": counted.differences,
        "arrivals": counted.arrivals,
        "refused": counted.refused,
        "duplicates": counted.duplicates,
        "documents": counted.documents,
        "clear": counted.clear,
        "flagged": counted.flagged,
        "quarantined": counted.quarantined,
        "in_flight": counted.in_flight,
        "oldest_in_flight_seconds": counted.oldest_in_flight_seconds,
        "sources": [
            {
                "source": one.source_id,
                "kind": one.kind,
                "location": one.location,
                "files": one.files,
                "arrived": one.arrived,
                "waiting": one.waiting,
                "listed_at": one.listed_at,
                "adds_up": one.adds_up,
            }
            for one in counted.sources
        ],
    }


def _show(counted: Balance) -> None:
    screen.print(
        f"{counted.arrivals} arrivals = {counted.refused} refused + {counted.duplicates} duplicates"
        f" + {counted.documents} documents\n"
        f"{counted.documents} documents = {counted.clear} clear + {counted.flagged} flagged"
        f" + {counted.quarantined} quarantined + {counted.in_flight} in flight",
        highlight=False,
    )
    if counted.oldest_in_flight_seconds is not None:
        screen.print(f"The oldest in flight came {age(counted.oldest_in_flight_seconds)} ago.", highlight=False)
    listed = [one for one in counted.sources if one.files is not None]
    if listed:
        table = Table("source", "files there now", "arrived", "waiting", box=None)
        for one in listed:
            table.add_row(f"{one.source_id} ({one.kind})", str(one.files), str(one.arrived), str(one.waiting))
        screen.print(table)
    for sentence in counted.differences:
        screen.print(f"[red]Difference:[/] {sentence}", highlight=False)
    if counted.adds_up:
        screen.print("[green]Everything adds up.[/]")


def age(seconds: float) -> str:
    """A length of time in the largest unit that makes sense, e.g. `12 s`, `5 min`, `3 h`, `2 days`."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


@audit.command()
def verify(json: Annotated[bool, typer.Option("--json", help="One object on one line.")] = False) -> None:
    """Recompute the whole chain and compare it with its signed heads. Exit code 1 where a link is broken."""
    with opened() as desk:
        key = desk.settings.audit_key_bytes
        try:
            known = anchors.anchors(desk.store, key)
        except Forged as wrong:
            if json:
                as_json({"ok": False, "first_broken": None, "reason": str(wrong)})
            else:
                screen.print(f"[red]Broken:[/] {wrong}", highlight=False)
            raise typer.Exit(1) from wrong
        with desk.sessions.begin() as session:
            found = trail.verify(session, anchors.heads(known))
    signed = sum(bool(one.signature) for one in known) if key else 0
    if json:
        as_json(verification_form(found, len(known), signed))
    else:
        _tell(found, len(known), signed)
    if not found.ok:
        raise typer.Exit(1)


def verification_form(found: Verification, anchored: int, signed: int) -> dict[str, object]:
    """The JSON form of `docvigil audit verify`. `signed` counts the anchors whose signature was verified."""
    return {
        "ok": found.ok,
        "links": found.links,
        "first_broken": found.first_broken,
        "reason": found.reason,
        "unchained": found.unchained,
        "head": None if found.head is None else {"sequence": found.head.sequence, "hash": found.head.hash.hex()},
        "anchors": anchored,
        "signed": signed,
    }


def _tell(found: Verification, anchored: int, signed: int) -> None:
    if found.ok:
        screen.print(f"[green]The chain is whole:[/] {found.links} links.", highlight=False)
    else:
        screen.print(f"[red]Broken at link {found.first_broken}:[/] {found.reason}.", highlight=False)
    screen.print(f"{found.unchained} events at its end are not chained yet.", highlight=False)
    if anchored:
        how = f"{signed} of them signed" if signed else "none verified by a key: set DOCVIGIL_AUDIT_KEY"
        screen.print(f"Compared with {anchored} anchored heads ({how}).", highlight=False)
    else:
        screen.print("No head was anchored so far, so a chain cut short could not be told from a whole one.")


@audit.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write it; - for standard output.")],
    after: Annotated[int, typer.Option(min=0, help="Only links after this one.")] = 0,
) -> None:
    """Write the chained events as JSON, one link a line. The export itself becomes an event."""
    with opened() as desk:
        digest, count = hashlib.sha256(), 0
        with desk.sessions.begin() as session, _written(file) as out:
            for link in trail.links(session, after):
                line = (json_text.dumps(link_form(link)) + "\n").encode()
                digest.update(line)
                out.write(line)
                count += 1
        with desk.sessions.begin() as session:
            trail.exported(session, actor(), "audit", count, digest.hexdigest())
    if str(file) != "-":
        screen.print(f"{count} links written to {file}", highlight=False, markup=False)


def link_form(link: trail.ChainedEvent) -> dict[str, object]:
    """One link as a line of the export: whoever has it can recompute the hashes."""
    return {
        "sequence": link.sequence,
        "event": link.event_id,
        "at": None if link.at is None else link.at.isoformat(),
        "body": link.body,
        "previous_hash": link.previous_hash.hex(),
        "hash": link.hash.hex(),
    }


@contextmanager
def _written(file: Path) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears only once it is whole."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = file.with_name(file.name + ".part")
    try:
        with partial.open("wb") as out:
            yield out
        partial.replace(file)
    except OSError as wrong:
        raise Refusal(f"{file} can't be written: {wrong.strerror}") from wrong
