"""Trains a checkpoint from its recipe: `python -m models.training.train [--recipe FILE --folder RUN --out FOLDER]`.

Through transformers' Trainer. It goes on where it stopped, on whatever device there is; the evidence is drawn by other
processes meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog
import torch
from safetensors.torch import load_file
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from models.nanovlm.model import WEIGHTS, NanoVLM
from models.training.coach import REPORTERS, Coach, Stopping, Teller, arguments, callbacks
from models.training.feedback import Held, Mixed, loaded
from models.training.growth import grown
from models.training.lesson import Lesson, Lessons, shards_needed, together
from models.training.progress import Progress, Stopped
from models.training.recipe import Recipe
from models.training.shards import draw, load

log = structlog.get_logger(__name__)

#: The shard that is evaluated on; no training comes so far.
HELD_OUT = 999_999


class Fading(TrainerCallback):  # type: ignore[misc]
    """Takes the weight from the labels of columns, evenly, until they are dropped; and drops the contrastive loss."""

    def __init__(self, lesson: Lesson, recipe: Recipe) -> None:
        self._lesson, self._recipe = lesson, recipe

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        done = state.global_step / (self._recipe.steps * self._recipe.columns_until)
        self._lesson.columns_weight = self._recipe.columns_weight * max(0.0, 1.0 - done)
        early = state.global_step < self._recipe.steps * self._recipe.contrast_until
        self._lesson.contrast_weight = self._recipe.contrast_weight if early else 0.0


def train(
    recipe: Recipe,
    evidence: Path,
    run: Path,
    report_to: str = "none",
    start: Path | None = None,
    *,
    feedback: Path | None = None,
    tell: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> NanoVLM:
    """Trains from random weights or those of the checkpoint `start`, or goes on from the newest state in `run`; returns
    the model at the end, the best one where the recipe has evaluations.

    `feedback` is a folder of reviewers' examples, which take the share of the evidences that the recipe says. After
    each step `tell` is told how far it is. Raises Stopped once `stop` wants it, with the state saved, and ValueError
    with a sentence for what doesn't fit together.
    """
    if (feedback is not None) != (recipe.feedback > 0):
        raise ValueError("a folder of feedback and a recipe with a share of it belong together; one of them is missing")
    torch.manual_seed(recipe.seed)
    model = begun(recipe, start)
    # Small channels convolve a fifth faster this way on a CPU.
    model.vision.stem.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lesson = Lesson(model)
    before = get_last_checkpoint(str(run)) if run.is_dir() else None
    steps_done = json.loads((Path(before) / "trainer_state.json").read_text())["global_step"] if before else 0
    learned, kept = loaded(feedback) if feedback else (None, None)
    for reason, count in learned.left_out.items() if learned else ():
        log.warning("feedback.left_out", reason=reason, examples=count)
    lessons = Mixed(evidence, learned, recipe, steps_done) if learned else Lessons(evidence, recipe, steps_done)
    stopping = Stopping(stop)
    trainer = Coach(
        model=lesson,
        args=arguments(
            recipe,
            run,
            report_to,
            # The lessons begin where the last state ended by themselves.
            ignore_data_skip=True,
            dataloader_num_workers=1,
            dataloader_persistent_workers=False,
        ),
        train_dataset=lessons,
        eval_dataset=Held(load(draw(evidence, HELD_OUT)), kept) if recipe.evaluate_every else None,
        data_collator=together,
        callbacks=[Fading(lesson, recipe), stopping, *callbacks(recipe)],
    )
    if tell is not None:
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(Teller(tell, recipe.evidences_a_step))
    log.info("training", steps=recipe.steps, done=steps_done, parameters=sum(p.numel() for p in model.parameters()))
    trainer.train(resume_from_checkpoint=before)
    if stopping.stopped:
        raise Stopped(trainer.state.global_step, recipe.steps)
    model.cpu()
    return model


def begun(recipe: Recipe, start: Path | None) -> NanoVLM:
    """The model before the first step; a recipe of more layers than `start` has lets it grow. Raises ValueError with a
    sentence where it can't."""
    if start is None:
        return NanoVLM(recipe.config)
    model = NanoVLM.from_folder(start)
    if recipe.architecture and recipe.config != model.config:
        try:
            model = grown(model, recipe.config)
        except ValueError as unlike:
            raise ValueError(f"{start} can't begin a training of the recipe's architecture: {unlike}") from unlike
    return model.train()


def taken(state: Path, recipe: Recipe) -> NanoVLM:
    """The model of a saved state, for a look at a training under way."""
    lesson = Lesson(NanoVLM(recipe.config))
    lesson.load_state_dict(load_file(state / WEIGHTS))
    return lesson.model.eval()


@contextmanager
def drawing(evidence: Path, recipe: Recipe, processes: int, said: Path | None = None) -> Iterator[None]:
    """What the training needs is drawn beside the block, by so many processes a kind; by none it is drawn elsewhere.
    What the drawers say goes to the file `said`, or to the terminal."""
    counts = zip(("models.training.shards", "models.training.forms"), shards_needed(recipe), strict=True)
    first = recipe.first_shard
    options = ["--first", str(first), "--processes", str(processes)]
    with ExitStack() as files:
        out = files.enter_context(said.open("ab")) if said else None
        drawers = [
            subprocess.Popen(
                [sys.executable, "-m", module, str(evidence), *options, "--count", str(first + count)],
                stdout=out,
                stderr=out,
                # A group of their own: Ctrl-C is for the training, and at its end they end with those they started.
                process_group=0,
            )
            for module, count in counts
            if count and processes
        ]
        try:
            yield
        finally:
            for drawer in drawers:
                if drawer.poll() is None:
                    os.killpg(drawer.pid, signal.SIGTERM)
                drawer.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, help="the bundled checkpoint's if not given")
    parser.add_argument("--folder", type=Path, default=Path("runs/bundled"), help="states of the training")
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with; random ones if not given")
    parser.add_argument("--evidence", type=Path, default=Path("runs/evidence"), help="shards of drawn evidence")
    parser.add_argument("--out", type=Path, help="where the checkpoint is written; FOLDER/checkpoint if not given")
    parser.add_argument("--drawers", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="0: drawn elsewhere")
    parser.add_argument("--take", type=Path, help="don't train: write the checkpoint of this saved state")
    parser.add_argument("--report-to", default="none", choices=["none", *REPORTERS])
    given = parser.parse_args()
    recipe = Recipe.load(given.recipe)
    if given.take:
        taken(given.take, recipe).save(given.out or given.folder / "checkpoint")
        return
    with drawing(given.evidence, recipe, given.drawers):
        model = train(recipe, given.evidence, given.folder, given.report_to, given.start)
    model.save(given.out or given.folder / "checkpoint")


if __name__ == "__main__":
    main()
