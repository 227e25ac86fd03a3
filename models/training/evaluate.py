"""How well a checkpoint reads evidence that no training saw: `python -m models.training.evaluate [CHECKPOINT]`.

Drawn with the fonts, digits and signers of the test split. Half of its fonts and digits serve calibration
(`models.training.calibrate`), the other half is measured here, so that no confidence is judged on what shaped it.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from models.answers import STATES
from models.nanovlm.tokens import CHOICES
from models.reader import load_checked
from models.scores import expected_error, ranking, strict_share, wilson
from models.synthesis import wording
from models.synthesis.evidence import Drawn, make
from models.synthesis.faces import Materials, OutlineFace, materials
from models.synthesis.manners import ALL, MANNERS
from models.synthesis.pen import SHARES, Source
from models.synthesis.pictures import Pictures
from models.training.forms import evidence_of
from pipeline import amounts, dates, identifiers
from pipeline.evidence import narrowed
from pipeline.reading import STRINGS, Answer, AnswerState, Question, QuestionKind, Reader

Half: TypeAlias = Literal["calibration", "measurement"]

#: What is measured: the kind of question, and for strings whose letters. None: as they come.
TASKS: tuple[tuple[str, Source | None], ...] = (
    ("signature", None),
    ("date", "hand"),
    ("date", "mnist"),
    ("date", "writers"),
    ("date", "print"),
    ("date", None),
    ("identifier", "writers"),
    ("identifier", None),
    ("amount", None),
    ("text", None),
    ("checkbox", None),
    ("endorsement", None),
    ("mark", None),
)

#: Where what is not in a plain install is told to be.
VARIABLES: dict[Source | None, str] = {"mnist": "DOCVIGIL_DIGITS", "writers": "DOCVIGIL_WRITERS"}

#: Longest amount asked for, in characters.
LONGEST_AMOUNT = 16

#: Answers a request.
BATCH = 64

#: Seeds of evidence for calibration and for measurement lie apart.
FIRST_SEED: dict[Half, int] = {"calibration": 50_000_000, "measurement": 60_000_000}

#: Forms that one process draws before it takes up more.
SHARE = 10

#: Forms for measurement have numbers from here on.
FIRST_FORM = 6_000_000


@dataclass(frozen=True)
class Score:
    """`exact` is the share of answers that are right in state and value as written, with its 95 % interval (Wilson,
    1927); `presence` that of telling something from nothing, with `precision` and `recall` of telling that something is
    there; `character_error` edits a character of what is written;
    `calibration_error` and `ranking` (AUROC of confidence against correctness) judge the confidence; `strict_share`
    is the share of the most confident answers that is at least 99.5 % right."""

    kind: str
    letters: str
    count: int
    exact: float
    low: float
    high: float
    presence: float
    precision: float | None
    recall: float | None
    character_error: float | None
    calibration_error: float
    ranking: float | None
    strict_share: float


def half(which: Half) -> Materials:
    """Half of the test split: every second of its hands, and one side of its digits."""
    every, odd = materials("test"), which == "measurement"
    return replace(
        every,
        hands=_half(every.hands, odd),
        digits=None if every.digits is None else _side(every.digits, odd),
        writers=None if every.writers is None else every.writers.half(odd),
    )


def _half(faces: tuple[OutlineFace, ...], odd: bool) -> tuple[OutlineFace, ...]:
    return faces[odd::2] if len(faces) > 1 else faces


def _side(digits: Pictures, odd: bool) -> Pictures:
    places = {digit: p[len(p) // 2 :] if odd else p[: len(p) // 2] for digit, p in digits.places.items()}
    return replace(digits, places=places)


def question(drawn: Drawn) -> Question:
    """What the pipeline would ask about this evidence."""
    kind, cells = QuestionKind(drawn.kind), drawn.cells
    alphabet: str | None = None
    longest: int | None = None
    match kind:
        case QuestionKind.DATE:
            alphabet, longest = (dates.COMB_ALPHABET, cells) if cells else (dates.LINE_ALPHABET, dates.LONGEST)
        case QuestionKind.IDENTIFIER:
            alphabet, longest = identifiers.alphabet(None), cells or identifiers.length(None)
        case QuestionKind.AMOUNT:
            alphabet, longest = amounts.ALPHABET + "/-", cells or LONGEST_AMOUNT
    alternate = narrowed(drawn.cut) if drawn.whole is None else drawn.whole
    return Question(kind, drawn.cut, alphabet, longest, alternate, drawn.row)


def right(drawn: Drawn, answer: Answer) -> bool:
    """Whether state, choice and value are all as drawn."""
    if QuestionKind(drawn.kind) in CHOICES:
        return drawn.answer == (f"<{'empty' if answer.label == 'nothing' else answer.label}>",)
    if drawn.answer[0] in STATES:
        return answer.state is STATES[drawn.answer[0]]
    return answer.state is AnswerState.PRESENT and answer.value == "".join(drawn.answer).strip()


def answered(reader: Reader, drawn: Sequence[Drawn]) -> list[Answer]:
    """The reader's answers, a batch at a time."""
    answers: list[Answer] = []
    for start in range(0, len(drawn), BATCH):
        answers += reader.read([question(one) for one in drawn[start : start + BATCH]])
    return answers


def score(drawn: Sequence[Drawn], answers: Sequence[Answer], letters: str = "all") -> Score:
    """The score of answers to one kind of question. Raises ValueError without any."""
    if not drawn:
        raise ValueError("nothing was asked, so nothing can be scored")
    hits = [right(one, answer) for one, answer in zip(drawn, answers, strict=True)]
    sure = [answer.confidence for answer in answers]
    there = [one.answer != ("<empty>",) for one in drawn]
    told = [answer.state is not AnswerState.EMPTY for answer in answers]
    both = sum(a and b for a, b in zip(there, told, strict=True))
    low, high = wilson(sum(hits), len(hits))
    return Score(
        kind=drawn[0].kind,
        letters=letters,
        count=len(drawn),
        exact=float(np.mean(hits)),
        low=low,
        high=high,
        presence=float(np.mean([a == b for a, b in zip(there, told, strict=True)])),
        precision=both / sum(told) if any(told) else None,
        recall=both / sum(there) if any(there) else None,
        character_error=_character_error(drawn, answers),
        calibration_error=expected_error(sure, hits),
        ranking=ranking(sure, hits),
        strict_share=strict_share(sure, hits),
    )


def _character_error(drawn: Sequence[Drawn], answers: Sequence[Answer]) -> float | None:
    from rapidfuzz.distance import Levenshtein

    pairs = [
        ("".join(one.answer).strip(), answer.value or "")
        for one, answer in zip(drawn, answers, strict=True)
        if not one.answer[0].startswith("<")
    ]
    letters = sum(len(written) for written, _ in pairs)
    return sum(Levenshtein.distance(*pair) for pair in pairs) / letters if letters else None


def drawn_for(which: Half, kind: str, letters: Source | None, count: int, processes: int = 1) -> list[Drawn]:
    """Evidence of one half of the test split; the same arguments and fonts give the same evidence."""
    stock = half(which)
    if not _there(stock, letters):
        raise ValueError(f"there are no {letters} to draw with: set {VARIABLES[letters]}")
    task = functools.partial(_one, which, kind, letters)
    seeds = range(FIRST_SEED[which], FIRST_SEED[which] + count)
    if processes == 1:
        return [task(seed) for seed in seeds]
    with get_context("spawn").Pool(processes) as pool:
        return pool.map(task, seeds, chunksize=64)


def _there(stock: Materials, letters: Source | None) -> bool:
    return not ((letters == "mnist" and stock.digits is None) or (letters == "writers" and stock.writers is None))


def _one(which: Half, kind: str, letters: Source | None, seed: int) -> Drawn:
    # Of letters somebody wrote, only those that are to be read are measured by whose they are.
    state = "ok" if letters is not None else None
    return make(seed, "test", kind, letters, state, using=_stock(which))


@functools.cache
def _stock(which: Half) -> Materials:
    return half(which)


def evaluate(reader: Reader, count: int, processes: int = 1) -> list[Score]:
    """The score of each task that can be drawn here."""
    scores = []
    for kind, letters in TASKS:
        if not _there(half("measurement"), letters):
            continue
        drawn = drawn_for("measurement", kind, letters, count, processes)
        answers = answered(reader, drawn)
        scores.append(score(drawn, answers, letters or "all"))
        odd = [number for number, one in enumerate(drawn) if _misshapen(one)]
        if odd and letters is None:
            scores.append(score([drawn[at] for at in odd], [answers[at] for at in odd], "all, misshapen"))
    return scores


def _misshapen(drawn: Drawn) -> bool:
    """Whether an identifier stands there in a shape that none has: a model that knows shapes must still read it."""
    return drawn.kind == "identifier" and drawn.answer[0] not in STATES and not wording.shaped("".join(drawn.answer))


def cut_from_forms(documents: int, first: int, processes: int = 1, manner: str = "scan") -> list[Drawn]:
    """All evidence of so many forms of the test split, those of numbers `first` on, that reached us in that manner."""
    if processes == 1:
        return evidence_of("test", documents, first, manner)
    shares = [("test", min(SHARE, documents - start), first + start, manner) for start in range(0, documents, SHARE)]
    with get_context("spawn").Pool(processes) as pool:
        return [one for share in pool.starmap(evidence_of, shares, chunksize=1) for one in share]


def evaluate_forms(reader: Reader, documents: int, processes: int = 1, manner: str = "scan") -> list[Score]:
    """The score of each kind on the evidence of so many whole forms, filled, scanned, located and cut, none of which
    calibration saw. Of strings those that stand there, all of them and by whose letters they are in; empty ones are
    counted as a kind of their own."""
    every = cut_from_forms(documents, FIRST_FORM, processes, manner)
    scores = []
    for kind in sorted({one.kind for one in every}):
        own = [one for one in every if one.kind == kind]
        if kind not in STRINGS:
            scores.append(score(own, answered(reader, own), "on forms"))
            continue
        answers = answered(reader, own)
        parts = {"on forms": [at for at, one in enumerate(own) if one.answer != ("<empty>",)]}
        for letters in SHARES:
            parts[f"{letters}, on forms"] = [at for at in parts["on forms"] if own[at].letters == letters]
        parts["empty, on forms"] = [at for at, one in enumerate(own) if one.answer == ("<empty>",)]
        for name, part in parts.items():
            if part:
                scores.append(score([own[at] for at in part], [answers[at] for at in part], name))
    return scores


def table(scores: Sequence[Score]) -> str:
    """The scores as a Markdown table."""
    lines = [
        "| question | letters | evidences | exact | 95 % interval | presence | precision | recall | character error |"
        " calibration error | AUROC | share at 99.5 % |",
        "|" + "---|" * 12,
    ]
    for s in scores:
        shares = (s.precision, s.recall, s.character_error)
        precision, recall, error = ("" if one is None else f"{one:.2%}" for one in shares)
        ranking = "" if s.ranking is None else f"{s.ranking:.3f}"
        lines.append(
            f"| {s.kind} | {s.letters} | {s.count:,} | {s.exact:.2%} | {s.low:.2%} to {s.high:.2%} | {s.presence:.2%} |"
            f" {precision} | {recall} | {error} | {s.calibration_error:.4f} | {ranking} | {s.strict_share:.1%} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, nargs="?", help="the bundled one if not given")
    parser.add_argument("--count", type=int, default=2000, help="evidences a task")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw")
    parser.add_argument("--forms", type=int, help="measure on the evidence of so many whole forms instead")
    parser.add_argument("--manner", choices=(*MANNERS, ALL), default="scan", help="how the forms reached us")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    reader = load_checked(given.checkpoint)
    many = given.processes
    if given.forms:
        scores = evaluate_forms(reader, given.forms, many, given.manner)
    else:
        scores = evaluate(reader, given.count, many)
    sys.stdout.write(json.dumps([asdict(one) for one in scores]) if given.json else table(scores))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
