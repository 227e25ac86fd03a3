"""How fast the engine answers, against the published way of generating, in one run and by turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

from docvigil.bench.stand import ASKED, Stand, about
from models.engine import Engine
from models.precision import Precision
from pipeline.reading import Answer, Pixels, Question

T = TypeVar("T")

#: Side of the square matrices that the machine's peak is measured with.
SIDE = 2048


@dataclass(frozen=True)
class Result:
    """Questions a second of the three ways, and what the engine made of the machine: `matmul_peak_gflops` is that of a
    large product in the engine's precision, `peak_fraction` counts the operations that the engine's own way needs,
    `vision_peak_fraction` those of the vision tower alone. `agreement` is the share of `answers` that the plain
    way gives too."""

    model: str
    precision: Precision
    single_per_s: float
    batched_per_s: float
    engine_per_s: float
    engine_over_single: float
    engine_over_batched: float
    matmul_peak_gflops: float
    gflop_per_evidence: float
    peak_fraction: float
    vision_peak_fraction: float
    agreement: float
    answers: int
    threads: int


def measured(
    stand: Stand, images: Sequence[Pixels], rounds: int, singles: int, say: Callable[[str], None] = lambda _: None
) -> Result:
    """Each round asks `singles` questions one by one, and all questions about all images batched and by the engine;
    the medians of the rounds count. What was asked one by one is compared."""
    questions = [question for image in images for question in about(image)]
    kinds = [[one for one in questions if one.kind is kind] for kind, *_ in ASKED]
    engine = Engine(stand.fast, max_batch=len(questions))
    single, batched, fast, peaks, towers = ([] for _ in range(5))
    alike = answers = 0
    try:
        engine.warm_up()
        for number in range(rounds):
            say(f"{stand.name}: round {number + 1} of {rounds}")
            peaks.append(_peak(stand.precision))
            start = number * singles % len(questions)
            some = (questions + questions)[start : start + singles]
            plain, seconds = _timed(partial(_one_by_one, stand, some))
            single.append(len(some) / seconds)
            _, seconds = _timed(lambda: [stand.plain.read(each) for each in kinds])
            batched.append(len(questions) / seconds)
            given, seconds = _timed(lambda: engine.read(questions))
            fast.append(len(questions) / seconds)
            by_question = dict(zip(map(id, questions), given, strict=True))
            alike += sum(_same(one, by_question[id(asked)]) for one, asked in zip(plain, some, strict=True))
            answers += len(some)
            _, seconds = _timed(lambda: stand.see(images))
            towers.append(seconds)
        needed, tower = _operations(lambda: stand.fast.read(questions)), _operations(lambda: stand.see(images))
    finally:
        engine.close()
    peak, rate = statistics.median(peaks), statistics.median(fast)
    each = needed / len(images)
    return Result(
        model=stand.name,
        precision=stand.precision,
        single_per_s=statistics.median(single),
        batched_per_s=statistics.median(batched),
        engine_per_s=rate,
        engine_over_single=statistics.median(a / b for a, b in zip(fast, single, strict=True)),
        engine_over_batched=statistics.median(a / b for a, b in zip(fast, batched, strict=True)),
        matmul_peak_gflops=peak,
        gflop_per_evidence=each,
        peak_fraction=rate / len(ASKED) * each / peak,
        vision_peak_fraction=tower / statistics.median(towers) / peak,
        agreement=alike / answers,
        answers=answers,
        threads=torch.get_num_threads(),
    )


def _one_by_one(stand: Stand, questions: Sequence[Question]) -> list[Answer]:
    return [stand.plain.read([one])[0] for one in questions]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _peak(precision: Precision) -> float:
    """Billions of operations a second of one large product in those numbers: the best of three."""
    a = torch.randn(SIDE, SIDE)
    match precision:
        case "fp32":
            product = partial(torch.mm, a, a)
        case "bf16":
            product = partial(torch.mm, a.bfloat16(), a.bfloat16())
        case "int8":
            product = partial(torch._int_mm, a.to(torch.int8), a.to(torch.int8))
    return max(2 * SIDE**3 / _timed(product)[1] for _ in range(3)) / 1e9


def _operations(work: Callable[[], object]) -> float:
    """Billions of operations of matrix products, convolutions and attention."""
    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten._int_mm: _of_product}) as counter:
        work()
    return float(counter.get_total_flops()) / 1e9


def _of_product(first: tuple[int, int], second: tuple[int, int], **_: object) -> int:
    """Operations of a product of whole numbers, which torch doesn't count by itself."""
    return 2 * first[0] * first[1] * second[1]


def _same(one: Answer, other: Answer) -> bool:
    return (one.state, one.value, one.label) == (other.state, other.value, other.label)
