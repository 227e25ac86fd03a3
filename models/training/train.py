"""Trains a checkpoint from its recipe: `python -m models.training.train [--recipe FILE --folder RUN --out FOLDER]`.

Through transformers' Trainer. It goes on where it stopped, on whatever device there is; the evidence is drawn by other
processes meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from models.nanovlm.model import WEIGHTS, NanoVLM
from models.training.lesson import Lesson, Lessons, shards_needed, together
from models.training.recipe import Recipe

log = structlog.get_logger(__name__)


class Coach(Trainer):  # type: ignore[misc]
    """The Trainer, saving weights in plain order: safetensors takes no other."""

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        state = self.model.state_dict() if state_dict is None else state_dict
        super()._save(output_dir, {name: tensor.contiguous() for name, tensor in state.items()})


class ColumnsFade(TrainerCallback):  # type: ignore[misc]
    """Takes the weight from the labels of columns, evenly, until they are dropped."""

    def __init__(self, lesson: Lesson, recipe: Recipe) -> None:
        self._lesson, self._recipe = lesson, recipe

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        done = state.global_step / (self._recipe.steps * self._recipe.columns_until)
        self._lesson.columns_weight = self._recipe.columns_weight * max(0.0, 1.0 - done)


def train(recipe: Recipe, evidence: Path, run: Path, report_to: str = "none", start: Path | None = None) -> NanoVLM:
    """Trains from random weights or those of the checkpoint `start`, or goes on from the newest state in `run`; returns
    the model at the end."""
    torch.manual_seed(recipe.seed)
    model = NanoVLM.from_folder(start).train() if start else NanoVLM(recipe.config)
    # Small channels convolve a fifth faster this way on a CPU.
    model.vision.stem.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lesson = Lesson(model)
    before = get_last_checkpoint(str(run)) if run.is_dir() else None
    steps_done = json.loads((Path(before) / "trainer_state.json").read_text())["global_step"] if before else 0
    arguments = TrainingArguments(
        output_dir=str(run),
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=recipe.clip,
        warmup_steps=max(1, round(recipe.warm_up * recipe.steps)),
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": recipe.descent, "decay_type": "cosine"},
        logging_steps=50,
        save_steps=recipe.save_every,
        save_total_limit=2,
        seed=recipe.seed,
        bf16=torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        # The lessons begin where the last state ended by themselves.
        ignore_data_skip=True,
        remove_unused_columns=False,
        dataloader_num_workers=1,
        dataloader_persistent_workers=False,
        report_to=report_to,
        disable_tqdm=True,
    )
    trainer = Coach(
        model=lesson,
        args=arguments,
        train_dataset=Lessons(evidence, recipe, start=steps_done),
        data_collator=together,
        callbacks=[ColumnsFade(lesson, recipe)],
    )
    log.info("training", steps=recipe.steps, done=steps_done, parameters=sum(p.numel() for p in model.parameters()))
    trainer.train(resume_from_checkpoint=before)
    model.cpu()
    return model


def taken(state: Path, recipe: Recipe) -> NanoVLM:
    """The model of a saved state, for a look at a training under way."""
    lesson = Lesson(NanoVLM(recipe.config))
    lesson.load_state_dict(load_file(state / WEIGHTS))
    return lesson.model.eval()


@contextmanager
def drawing(evidence: Path, recipe: Recipe, processes: int) -> Iterator[None]:
    """What the training needs is drawn beside the block, by so many processes a kind; by none it is drawn elsewhere."""
    counts = zip(("models.training.shards", "models.training.forms"), shards_needed(recipe), strict=True)
    first = recipe.first_shard
    options = ["--first", str(first), "--processes", str(processes)]
    drawers = [
        subprocess.Popen([sys.executable, "-m", module, str(evidence), *options, "--count", str(first + count)])
        for module, count in counts
        if count and processes
    ]
    try:
        yield
    finally:
        for drawer in drawers:
            drawer.terminate()
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
    parser.add_argument("--report-to", default="none", choices=["none", "tensorboard", "wandb", "mlflow"])
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
