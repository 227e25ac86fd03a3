"""The commands about what is learned from: examples and the golden set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, actor, as_json, opened, refusing, screen
from records import audit, examples
from records import golden as sets

golden = typer.Typer(help="The golden set, by which versions of the model are compared.", no_args_is_help=True)
feedback = typer.Typer(help="What reviewers decided, as examples to learn from.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


@feedback.command("gather")
def gather() -> None:
    """Turn decisions that are new into examples; every training does so by itself."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        counts = examples.gather(session, desk.store)
        doubts = examples.reviewers(session)
    screen.print(f"{counts.pop('kept', 0)} examples")
    for reason, count in counts.most_common():
        screen.print(f"  {count} decisions taught nothing: {reason}")
    for one in doubts:
        screen.print(f"  set aside: {one}", highlight=False)


@feedback.command("list")
def list_(json: Json = False) -> None:
    """Count the examples by defect class: to learn from, golden, held out besides, set aside.

    With --json one object a line: `check`, `train`, `golden`, `fresh`, `set_aside`.
    """
    with opened() as desk, desk.sessions.begin() as session:
        counted = examples.counted(session)
    kinds = ("train", "golden", "fresh", "set_aside")
    if json:
        for check, each in counted.items():
            as_json({"check": check, **{kind: each.get(kind, 0) for kind in kinds}})
        return
    table = Table("check", "to learn from", "golden", "held out", "set aside", box=None)
    for check, each in counted.items():
        table.add_row(check, *(str(each.get(kind, 0)) for kind in kinds))
    screen.print(table)


@feedback.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    side: Annotated[Literal["train", "golden", "fresh"], typer.Option(help="Which examples.")] = "train",
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


@golden.command("freeze")
def freeze() -> None:
    """Freeze a new set: the former one and the examples that two people agreed on since."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        examples.gather(session, desk.store)
        frozen = sets.freeze(session, by=actor())
        screen.print(f"golden set {frozen.id}: {frozen.examples} examples, digest {frozen.digest[:12]}")


@golden.command("show")
def show(json: Json = False) -> None:
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
