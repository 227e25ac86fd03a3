"""The `docvigil` command. Each module holds the commands about one noun; this one puts them together.

Exit codes are part of the interface: 0 done (for `scan`: clear), 1 flagged or a difference found, 2 quarantined or an
error, 64 wrong usage.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer
from rich.text import Text
from typer.exceptions import Abort, TyperException

from docvigil.cli import (
    balance,
    bench,
    compare,
    doctypes,
    documents,
    endorsers,
    feedback,
    golden,
    models,
    outgoing,
    processes,
    read,
    scan,
    synthesise,
    train,
    trainings,
    up,
    users,
)
from docvigil.cli.common import Refusal, errors
from docvigil.embedded.supervisor import StartFailed
from docvigil.instance import InstanceBusy
from docvigil.settings import BadSettings
from pipeline.desk import BadDeskFile
from records.database import WrongServer

#: The command was used incorrectly (sysexits.h); it failed; it was interrupted; nobody reads what it says any more.
USAGE, FAILED, INTERRUPTED, UNREAD = 64, 2, 130, 141

app = typer.Typer(
    name="docvigil",
    help="Scans incoming documents and flags missing signatures, bad dates and unauthorised endorsements.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
for commands in (up, scan, processes, documents, outgoing, balance, read, synthesise, compare, train, trainings):
    commands.register(app)
app.add_typer(endorsers.app, name="endorsers")
app.add_typer(balance.audit, name="audit")
app.add_typer(doctypes.app, name="doctypes")
app.add_typer(models.app, name="models")
app.add_typer(trainings.app, name="trainings")
app.add_typer(bench.app, name="bench")
app.add_typer(feedback.app, name="feedback")
app.add_typer(golden.app, name="golden")
app.add_typer(users.app, name="users")
app.add_typer(outgoing.webhooks, name="webhooks")
app.add_typer(outgoing.export, name="export")


def main() -> None:
    """Runs the command line and turns every expected failure into a sentence and an exit code."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except TyperException as wrong:
        # Without a command help was shown already.
        if wrong.format_message():
            _tell(f"{wrong.format_message()}\nSee `docvigil --help`.")
        sys.exit(USAGE)
    except (BadSettings, BadDeskFile) as wrong:
        _tell(str(wrong))
        sys.exit(USAGE)
    except (Refusal, InstanceBusy, StartFailed, WrongServer) as refusal:
        _tell(str(refusal))
        sys.exit(FAILED)
    except (Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)
    except Exception as error:  # noqa: BLE001 - 1 would mean that a document was flagged.
        _tell(_sentence(error))
        sys.exit(FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _sentence(error: Exception) -> str:
    """An error that no command expects: a service that is away in a sentence, anything else with its traceback."""
    from workers.outages import outage

    if isinstance(error, OSError) and error.errno is None:
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} can't be used: {error.strerror}."
    first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    if outage(error):
        return f"a service that is needed can't be used: {first}. Check that it runs, then try again."
    return "".join(traceback.format_exception(error))


def _tell(sentence: str) -> None:
    # A path may hold what Rich takes for markup.
    errors.print(Text.assemble(("docvigil: ", "red"), sentence), soft_wrap=True)
