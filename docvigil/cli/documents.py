"""The commands about documents: the queue, one document and its picture, reviews, and scanning again."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds the commands about documents."""
