"""The `docvigil` command. Each module holds the commands about one noun; this one puts them together.

Exit codes are part of the interface: 0 done (for `scan`: clear), 1 flagged or a difference found, 2 quarantined or an
error, 64 wrong usage.
"""

from __future__ import annotations

import sys

import typer
from typer.exceptions import Abort, TyperException

from docvigil.cli import balance, doctypes, documents, endorsers, models, processes, read, scan, synthesise, up
from docvigil.cli.common import Refusal, errors

#: sysexits.h: the command was used incorrectly.
USAGE = 64

app = typer.Typer(
    name="docvigil",
    help="Scans incoming documents and flags missing signatures, bad dates and unauthorised endorsements.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for commands in (up, scan, processes, documents, balance, read, synthesise):
    commands.register(app)
app.add_typer(endorsers.app, name="endorsers")
app.add_typer(balance.audit, name="audit")
app.add_typer(doctypes.app, name="doctypes")
app.add_typer(models.app, name="models")


def main() -> None:
    """Runs the command line and turns every expected failure into a sentence and an exit code."""
    try:
        code = app(standalone_mode=False)
    except TyperException as wrong:
        errors.print(f"[red]docvigil:[/] {wrong.format_message()}\nSee `docvigil --help`.", highlight=False)
        sys.exit(USAGE)
    except Refusal as refusal:
        errors.print(f"[red]docvigil:[/] {refusal}", highlight=False)
        sys.exit(2)
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
