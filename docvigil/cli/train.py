"""`docvigil train`: trains the model that ships, goes on from a checkpoint, or learns from reviewers."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import structlog
import typer
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from docvigil import logging
from docvigil.cli.common import Refusal, errors, screen
from docvigil.settings import settings
from models.training.progress import Progress, Stopped, drop_torn, noted

if TYPE_CHECKING:
    from models.training.recipe import Recipe

log = structlog.get_logger(__name__)

#: A training was stopped by Ctrl-C, as shells count it.
STOPPED = 130

#: Recipes by what is learned from, where none is named.
BUNDLED, FEEDBACK, CONVERSATIONS = "bundled", "feedback", "conversations"

#: Lines where there is no terminal: one after so many steps.
LINE_STEPS = 50


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Models")(train)


def train(
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="A YAML file, or a recipe that ships: bundled; further, onward, words, people, deeper, mended and "
            "near, each of which goes on from the one before; feedback; conversations.",
            show_default="as the data asks for",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="States of the training; it goes on from the newest.", show_default="runs/NAME"),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="CHECKPOINT", help="Weights to begin with; random ones if not given.")
    ] = None,
    feedback: Annotated[
        Path | None, typer.Option(help="Reviewers' examples (docs/feedback.md), mixed among drawn evidence.")
    ] = None,
    conversations: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Data in The Cauldron's form for a published nanoVLM: Parquet, its folder, or owner/name:config.",
        ),
    ] = None,
    evidence: Annotated[Path, typer.Option(help="Where drawn evidence is kept.")] = Path("runs/evidence"),
    out: Annotated[
        Path | None, typer.Option(help="Where the checkpoint is written.", show_default="checkpoint in the folder")
    ] = None,
    drawers: Annotated[
        int, typer.Option(min=0, help="Processes that draw evidence meanwhile; 0 where others do.")
    ] = max(1, (os.cpu_count() or 2) - 1),
    report_to: Annotated[
        Literal["none", "tensorboard", "wandb", "mlflow"], typer.Option(help="Where to send the numbers besides here.")
    ] = "none",
) -> None:
    """Train a model from its recipe; Ctrl-C saves the state, and the same command goes on.

    Without options the checkpoint that ships is trained anew, which takes hours. With --feedback a checkpoint learns
    from reviewers; with --conversations a published nanoVLM is fine-tuned.
    """
    logging.set_up(settings(), least="warning")
    for package in ("accelerate", "datasets"):
        if find_spec(package) is None:
            raise Refusal(f"training needs {package}: pip install 'docvigil[train]'")
    if feedback is not None and conversations is not None:
        raise typer.BadParameter("a model learns from --feedback or from --conversations, not from both at once")
    if start is None and (feedback is not None or conversations is not None):
        raise typer.BadParameter("give the checkpoint to go on from, for example --start models/bundled")
    name = recipe or (FEEDBACK if feedback else CONVERSATIONS if conversations else BUNDLED)
    run = folder or Path("runs") / Path(name).stem
    written = out or run / "checkpoint"
    try:
        numbers = _recipe(name)
        with alone(run), asking() as stop, telling() as tell:
            for state in drop_torn(run):
                log.warning("training.state_torn", state=state)
            course = Course(numbers, run, report_to, noted(run, tell), stop)
            if conversations is not None:
                _published(course, conversations, str(start), written)
            else:
                _evidence(course, evidence, start, feedback, written, drawers)
    except (ValueError, FileNotFoundError, TimeoutError) as wrong:
        raise Refusal(f"{wrong}.") from wrong
    except Stopped as stopped:
        again = shlex.join(["docvigil", *sys.argv[1:]])
        said = f"Stopped after {stopped.step} of {stopped.steps} steps; the state is in {run}. Go on with:\n  {again}"
        errors.print(said, highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(STOPPED) from stopped
    screen.print(f"The checkpoint is in {written}.", highlight=False, soft_wrap=True, markup=False)


@dataclass(frozen=True)
class Course:
    """What every training is given."""

    recipe: Recipe
    run: Path
    report_to: str
    tell: Callable[[Progress], None]
    stop: Callable[[], bool]


def _recipe(name: str) -> Recipe:
    """Imports torch."""
    from models.training.recipe import Recipe, shipped

    path = Path(name)
    return Recipe.load(path if path.suffix in (".yaml", ".yml") or path.exists() else shipped(f"{name}.yaml"))


def _evidence(
    course: Course, evidence: Path, start: str | None, feedback: Path | None, out: Path, drawers: int
) -> None:
    from models.source import folder_of
    from models.training.train import drawing
    from models.training.train import train as trained

    _quiet()
    checkpoint = folder_of(start) if start is not None else None
    evidence.mkdir(parents=True, exist_ok=True)
    with drawing(evidence, course.recipe, drawers, course.run / "drawing.log"):
        model = trained(
            course.recipe,
            evidence,
            course.run,
            course.report_to,
            checkpoint,
            feedback=feedback,
            tell=course.tell,
            stop=course.stop,
        )
    model.save(out)


def _published(course: Course, source: str, start: str, out: Path) -> None:
    from models.source import folder_of
    from models.training.published import can_learn
    from models.training.published import train as trained

    _quiet()
    checkpoint = folder_of(start)
    if not can_learn(checkpoint):
        raise Refusal(f"{start} is no published nanoVLM; conversations are for those")
    trained(course.recipe, source, course.run, checkpoint, out, course.report_to, tell=course.tell, stop=course.stop)


def _quiet() -> None:
    """What libraries say of their own accord is for those who write programs with them."""
    import torch
    from datasets import disable_progress_bars
    from datasets.utils import logging as of_data
    from transformers.utils import logging as of_models

    of_models.set_verbosity_error()
    of_data.set_verbosity(of_data.CRITICAL)
    disable_progress_bars()
    if (threads := settings().model_threads) is not None:
        torch.set_num_threads(threads)


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """The folder of states for this process alone. Raises Refusal where another trains into it."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            raise Refusal(f"another training runs in {run}; wait for it, or give another --folder") from taken
        yield


#: What somebody who wants a training to stop is told at once.
STOPPING = b"\nStopping after this step; Ctrl-C again ends at once, without saving.\n"


@contextmanager
def asking() -> Iterator[Callable[[], bool]]:
    """Whether somebody wants the training to stop: Ctrl-C or SIGTERM. A second Ctrl-C ends it at once, unsaved."""
    asked, here = [False], os.getpid()

    def heard(number: int, _: object) -> None:
        if os.getpid() != here:
            # A reader of data, forked off: the training still needs it, unless it is told to end it.
            if number == signal.SIGTERM:
                os._exit(1)
            return
        if asked[0] and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked[0] = True
        # The signal may have come in the middle of a line: what buffers lines can't be entered twice.
        os.write(2, STOPPING)

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def telling() -> Iterator[Callable[[Progress], None]]:
    """Shows how far a training is: a bar on a terminal, lines elsewhere."""
    if not errors.is_terminal:
        lines = 0

        def line(now: Progress) -> None:
            nonlocal lines
            # The first one at once: whoever waits sees that it runs.
            if not lines or now.step % LINE_STEPS == 0 or now.step == now.steps:
                errors.print(_line(now), highlight=False, soft_wrap=True)
                lines += 1

        yield line
        return
    with Bar(BarColumn(), TextColumn("{task.description}"), console=errors) as bar:
        task = bar.add_task("waiting for the first evidence", total=None)
        yield lambda now: bar.update(task, description=_line(now), completed=now.step, total=now.steps)


def _line(now: Progress) -> str:
    parts = [f"step {now.step:,} of {now.steps:,}"]
    if now.loss is not None:
        parts.append(f"loss {now.loss:.3f}")
    if now.evaluation is not None:
        parts.append(f"evaluated {now.evaluation:.3f}")
    if now.per_second is not None:
        parts.append(f"{now.per_second:.0f} examples/s")
    if now.remaining is not None:
        hours, minutes = divmod(round(now.remaining / 60), 60)
        parts.append(f"{hours} h {minutes:02d} min remain" if hours else f"{minutes} min remain")
    return " · ".join(parts)
