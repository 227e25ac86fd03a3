"""The commands about document types: list, show, new, check."""

from __future__ import annotations

import typer

app = typer.Typer(help="The forms that docvigil knows: list, show, new, check.", no_args_is_help=True)
