"""Fine-tunes a published nanoVLM checkpoint on conversations about pictures, through transformers' Trainer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from models.nanovlm.published.config import is_published
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor
from models.training.coach import Coach, Stopping, Teller, arguments, callbacks
from models.training.conversations import IGNORED, Conversations, Sample, parted, rows, together
from models.training.progress import Progress, Stopped
from models.training.recipe import Recipe


class PublishedLesson(nn.Module):
    """The loss: the next token of each answer, and of nothing else."""

    def __init__(self, model: PublishedNanoVLM, image_token: int | None) -> None:
        super().__init__()
        self.model, self.image_token = model, image_token

    def forward(self, views: Tensor, tokens: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.model(views, tokens, self.image_token)[:, :-1]
        return {"loss": functional.cross_entropy(logits.float().transpose(1, 2), labels[:, 1:], ignore_index=IGNORED)}


def train(
    recipe: Recipe,
    source: str,
    run: Path,
    start: Path,
    out: Path,
    report_to: str = "none",
    *,
    tell: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Trains from the checkpoint `start`, or goes on from the newest state in `run`, and writes the folder `out`, its
    tokenizer with it.

    `source` is what `conversations.rows` takes. Raises as `models.training.train.train` does.
    """
    # A reader of data is forked off once tokens have been made.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.manual_seed(recipe.seed)
    model = PublishedNanoVLM.from_folder(start).train()
    processor = Processor.from_folder(start, model.config)
    stream = rows(source)
    held: list[Sample] = []
    if recipe.evaluate_every:
        stream, held = parted(stream, processor, recipe.length)
        if not held:
            raise ValueError(f"{source} has too few rows to evaluate on some; set evaluate_every to 0")
    stopping = Stopping(stop)
    trainer = Coach(
        model=PublishedLesson(model, processor.image_token),
        args=arguments(recipe, run, report_to, dataloader_num_workers=1 if torch.cuda.is_available() else 0),
        train_dataset=Conversations(stream, processor, recipe.length, recipe.seed),
        eval_dataset=held or None,
        data_collator=partial(together, pad=int(processor.tokenizer.eos_token_id)),
        callbacks=[stopping, *callbacks(recipe)],
        optimizers=(optimizer(model, recipe), None),
    )
    if tell is not None:
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(Teller(tell, recipe.evidences_a_step))
    # What was seen before is gone through again and left: the order stays.
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(run)) if run.is_dir() else None)
    if stopping.stopped:
        raise Stopped(trainer.state.global_step, recipe.steps)
    model.cpu().save(out)
    processor.tokenizer.save_pretrained(out)


def optimizer(model: PublishedNanoVLM, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; the projection, which begins with no knowledge, may have a rate of its own. Biases and norms are not
    drawn to zero."""
    projection = set(model.projection.parameters())
    others = [one for one in model.parameters() if one not in projection]
    groups: list[dict[str, Any]] = [
        {"params": list(projection), "lr": recipe.projection_rate or recipe.rate},
        {"params": [one for one in others if one.ndim > 1]},
        {"params": [one for one in others if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, recipe.rate, (0.9, 0.98), weight_decay=recipe.weight_decay)


def can_learn(folder: Path) -> bool:
    """Whether a folder holds a published checkpoint."""
    path = folder / "config.json"
    return path.is_file() and is_published(json.loads(path.read_text(encoding="utf-8")))
