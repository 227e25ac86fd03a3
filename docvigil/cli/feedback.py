"""The commands about what reviewers decided, as examples to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, actor, as_json, opened, refusing, screen
from records import audit, examples, gathering

app = typer.Typer(help="What reviewers decided, as examples to learn from: gather, list, export.", no_args_is_help=True)


@app.command("gather")
def gather() -> None:
    """Turn decisions and labels that are new into examples; every training does so by itself."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        counts = gathering.gather(session, desk.store, keep_days=desk.settings.identifier_example_days)
        doubts = gathering.reviewers(session)
    screen.print(f"{counts.pop('kept', 0)} examples")
    for reason, count in counts.most_common():
        screen.print(f"  {count} taught nothing: {reason}")
    for one in doubts:
        screen.print(f"  set aside: {one}", highlight=False)


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """Count the examples by defect class: to learn from, golden, held out besides, set aside, and labels that wait
    until the golden set holds their class.

    With --json one object a line: `check`, `train`, `golden`, `fresh`, `set_aside`, `waiting`.
    """
    with opened() as desk, desk.sessions.begin() as session:
        counted = examples.counted(session)
    kinds = ("train", "golden", "fresh", "set_aside", "waiting")
    if json:
        for check, each in counted.items():
            as_json({"check": check, **{kind: each.get(kind, 0) for kind in kinds}})
        return
    table = Table("check", "to learn from", "golden", "held out", "set aside", "waiting", box=None)
    for check, each in counted.items():
        table.add_row(check, *(str(each.get(kind, 0)) for kind in kinds))
    screen.print(table)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    side: Annotated[examples.Side, typer.Option(help="Which examples.")] = "train",
) -> None:
    """Write examples as a folder that `docvigil train --feedback` takes (docs/feedback.md)."""
    if folder.exists():
        raise Refusal(f"{folder} is there already; name a folder that is not.")
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        count = examples.write_folder(session, desk.store, folder, side)
        audit.exported(session, actor(), f"examples-{side}", count)
    if not count:
        raise Refusal(f"There are no examples of the side {side} yet: docvigil feedback gather.")
    screen.print(f"{count} examples in {folder}")
