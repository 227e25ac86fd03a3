"""transformers' Trainer as it is used here: arguments from a recipe, saving, stopping, telling how far it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from models.training.progress import Progress
from models.training.recipe import Recipe

#: Where numbers may be sent besides the terminal, and the packages of which one must be there.
REPORTERS = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "mlflow": ("mlflow",)}

#: Steps between two reports, and the last steps from which the pace is taken.
REPORT_STEPS, PACE_STEPS = 50, 50


class Coach(Trainer):  # type: ignore[misc]
    """The Trainer, saving weights in plain order and each once: safetensors takes no other."""

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        state = self.model.state_dict() if state_dict is None else state_dict
        written: dict[str, Tensor] = {}
        for name, tensor in state.items():
            shared = any(tensor.data_ptr() == other.data_ptr() for other in written.values())
            written[name] = tensor.clone() if shared else tensor.contiguous()
        super()._save(output_dir, written)

    def evaluate(self, *given: Any, **named: Any) -> dict[str, float]:
        """The loss on the answers alone: the auxiliary ones change their weight from step to step."""
        with answers_alone(self.model):
            measured: dict[str, float] = super().evaluate(*given, **named)
        return measured


@contextmanager
def answers_alone(lesson: Any) -> Iterator[None]:
    """The auxiliary losses of a lesson, where it has any, without weight."""
    before = {name: getattr(lesson, name) for name in ("columns_weight", "contrast_weight") if hasattr(lesson, name)}
    for name in before:
        setattr(lesson, name, 0.0)
    try:
        yield
    finally:
        for name, weight in before.items():
            setattr(lesson, name, weight)


class Teller(TrainerCallback):  # type: ignore[misc]
    """Tells somebody after each step how far the training is."""

    def __init__(self, tell: Callable[[Progress], None], examples_a_step: int) -> None:
        self._tell, self._examples = tell, examples_a_step
        self._times: deque[tuple[float, int]] = deque(maxlen=PACE_STEPS + 1)
        self._loss: float | None = None
        self._evaluation: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._times.append((time.monotonic(), state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        self._loss = (logs or {}).get("loss", self._loss)
        self._evaluation = (logs or {}).get("eval_loss", self._evaluation)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        began, first = self._times[0]
        now, step = time.monotonic(), state.global_step
        self._times.append((now, step))
        pace = (step - first) / max(now - began, 1e-9)
        remaining = (state.max_steps - step) / pace if pace else None
        self._tell(Progress(step, state.max_steps, self._loss, self._evaluation, pace * self._examples, remaining))


class Stopping(TrainerCallback):  # type: ignore[misc]
    """Saves the state and ends the training after the step in which somebody wants it to stop."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._wanted() and state.global_step < state.max_steps:
            self.stopped = True
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False


def callbacks(recipe: Recipe) -> list[TrainerCallback]:
    """Those that follow from the recipe alone."""
    return [EarlyStoppingCallback(recipe.patience)] if recipe.evaluate_every else []


def arguments(recipe: Recipe, run: Path, report_to: str, **more: Any) -> TrainingArguments:
    """The Trainer's arguments. Raises ValueError for a precision that this machine hasn't, and for a place to report
    to whose package is not installed."""
    reported(report_to)
    card = torch.cuda.is_available()
    kept: dict[str, Any] = {}
    if recipe.evaluate_every:
        kept = {
            "eval_strategy": "steps",
            "eval_steps": recipe.evaluate_every,
            "per_device_eval_batch_size": recipe.batch,
            # Without a label the Trainer would measure no loss.
            "label_names": ["tokens"],
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
            "restore_callback_states_from_checkpoint": True,
        }
    return TrainingArguments(
        output_dir=str(run),
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulation,
        learning_rate=recipe.rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=recipe.clip,
        warmup_steps=max(1, round(recipe.warm_up * recipe.steps)),
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": recipe.descent, "decay_type": "cosine"},
        logging_steps=REPORT_STEPS,
        save_steps=recipe.save_every,
        save_total_limit=2,
        seed=recipe.seed,
        dataloader_pin_memory=card,
        remove_unused_columns=False,
        report_to=report_to,
        disable_tqdm=True,
        **precision(recipe.precision),
        **kept,
        **more,
    )


def precision(wanted: str) -> dict[str, bool]:
    """The Trainer's arguments for a precision of a recipe."""
    card = torch.cuda.is_available()
    bf16 = card and torch.cuda.is_bf16_supported()
    match wanted:
        case "auto":
            return {"bf16": bf16, "fp16": card and not bf16}
        case "fp16" if not card:
            raise ValueError("fp16 needs a GPU, and there is none here; use precision auto, fp32 or bf16")
        case "bf16" if card and not bf16:
            raise ValueError("the GPU here has no bf16; use precision auto, fp32 or fp16")
        case "bf16":
            return {"bf16": True, "use_cpu": not card}
        case _:
            return {"fp16": wanted == "fp16"}


def reported(to: str) -> None:
    """Raises ValueError where nothing can be reported there."""
    if to != "none" and not any(find_spec(package) for package in REPORTERS[to]):
        raise ValueError(f"{to} is not installed: pip install {REPORTERS[to][0]}")
