"""`docvigil synthesise`: labelled documents for pilots and load tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from docvigil.cli.common import Refusal, screen
from docvigil.settings import settings
from docvigil.wiring import document_types


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Trying it out")(synthesise)


def synthesise(
    folder: Annotated[Path, typer.Argument(help="Where the files, labels.jsonl and endorsers.csv are written.")],
    count: Annotated[int, typer.Option(min=1, help="How many documents.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only these document types.")] = None,
    defects: Annotated[float, typer.Option(min=0, max=1, help="Share of documents with one planted defect.")] = 0.5,
    split: Annotated[str, typer.Option(help="Fonts, digits and signers: train or test.")] = "test",
    manners: Annotated[
        str,
        typer.Option(
            help="How paper reaches us: all, or some of scan, photograph, fold, fax, photocopy, correction, security."
        ),
    ] = "scan",
) -> None:
    """Draw labelled, scanned-looking documents with and without defects."""
    from models.synthesis.documents import synthesise as draw
    from models.synthesis.manners import mixed

    if split not in ("train", "test"):
        raise typer.BadParameter(f"--split is train or test, not {split!r}")
    try:
        ways = mixed(tuple(one.strip() for one in manners.split(",") if one.strip()))
    except ValueError as wrong:
        raise typer.BadParameter(f"--manners: {wrong}") from wrong
    known = {one.name: one for one in document_types(settings())}
    for name in types or ():
        if name not in known:
            raise Refusal(f"there is no document type {name!r}; known are {', '.join(sorted(known))}")
    wanted = [known[name] for name in types] if types else None
    drawn = draw(folder, count, seed=seed, types=wanted, defects=defects, split=split, ways=ways)
    planted = sum(bool(label.defects) for label in track(drawn, "drawing", total=count, console=screen))
    screen.print(f"{count} documents in {folder}, {planted} of them with a planted defect (labels.jsonl)")
