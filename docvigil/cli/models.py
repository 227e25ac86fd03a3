"""The commands about models: list."""

from __future__ import annotations

import typer

app = typer.Typer(help="The models that read: list.", no_args_is_help=True)
