"""The commands about the golden set."""

from __future__ import annotations

from typing import Annotated

import typer

from docvigil.cli.common import actor, as_json, opened, refusing, screen
from records import gathering
from records import golden as sets

app = typer.Typer(help="The golden set, by which versions are compared: freeze, show.", no_args_is_help=True)


@app.command("freeze")
def freeze() -> None:
    """Freeze a new set: the former one and the examples that two people agreed on since."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        gathering.gather(session, desk.store, keep_days=desk.settings.identifier_example_days)
        frozen = sets.freeze(session, by=actor())
        screen.print(f"golden set {frozen.id}: {frozen.examples} examples, digest {frozen.digest[:12]}")


@app.command("show")
def show(json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """Show the sets that were frozen, the newest first.

    With --json one object a line: `id`, `digest`, `examples`, `frozen_by`, `frozen_at`.
    """
    with opened() as desk, desk.sessions.begin() as session:
        found = sets.sets(session)
        rows = [
            {
                "id": one.id,
                "digest": one.digest,
                "examples": one.examples,
                "frozen_by": one.frozen_by,
                "frozen_at": one.frozen_at,
            }
            for one in found
        ]
    for row in rows:
        if json:
            as_json(row)
        else:
            screen.print(
                f"set {row['id']}: {row['examples']} examples, by {row['frozen_by']}, {row['frozen_at']:%d %b %Y}"
            )
    if not rows and not json:
        screen.print("No set was frozen yet: docvigil golden freeze.")
