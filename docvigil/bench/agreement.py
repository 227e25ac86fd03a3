"""Does the engine say what the published one-by-one way says? Counted on as many answers as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from docvigil.bench.stand import Stand
from models.engine import Engine
from models.scores import wilson
from models.synthesis.evidence import make
from pipeline.geometry import Box
from pipeline.questions import questions
from pipeline.reading import Answer, Evidence, Question, QuestionKind

#: The first drawing: of the test split, and drawn for nothing else.
FIRST = 60_000_000

#: Questions put to the engine at once, by so many callers as a worker has.
AT_ONCE = 256

#: Differences that are told one by one.
TOLD = 20

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Difference:
    """Two answers to one question about the drawing of that number: what each says, and how surely."""

    drawing: int
    kind: str
    plain: str
    engine: str
    plain_confidence: float
    engine_confidence: float


@dataclass
class Agreement:
    """`identical` answers have the same state, value and label; `low` and `high` bound their share (95 %, Wilson).
    Confidences are the model's own, before calibration."""

    model: str
    precision: str
    answers: int = 0
    identical: int = 0
    low: float = 0.0
    high: float = 1.0
    largest_difference: float = 0.0
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)
    different: list[Difference] = field(default_factory=list)


def measured(stand: Stand, answers: int, say: Callable[[str], None] = lambda _: None) -> Agreement:
    """Asks both ways at least so many questions, two about each drawing: the one its field asks, and whether anything
    is there at all."""
    result, engine = Agreement(stand.name, stand.precision), Engine(stand.fast)
    asked, alike = Counter[str](), Counter[str]()
    try:
        for drawings in _drawn():
            every = [(number, question) for number, several in drawings for question in several]
            # The engine's batches mix drawings, as those of many documents do.
            fast = engine.read([question for _, question in every])
            for (number, question), given in zip(every, fast, strict=True):
                (plain,) = stand.plain.read([question])
                kind = question.kind.value
                asked[kind] += 1
                alike[kind] += _said(plain) == _said(given)
                result.largest_difference = max(result.largest_difference, abs(plain.confidence - given.confidence))
                if _said(plain) != _said(given) and len(result.different) < TOLD:
                    result.different.append(
                        Difference(number, kind, _said(plain), _said(given), plain.confidence, given.confidence)
                    )
            say(f"{stand.name}: {asked.total()} of {answers} answers, {alike.total()} identical")
            if asked.total() >= answers:
                break
    finally:
        engine.close()
    result.answers, result.identical = asked.total(), alike.total()
    result.low, result.high = wilson(result.identical, result.answers)
    result.by_kind = {kind: (asked[kind], alike[kind]) for kind in sorted(asked)}
    return result


def _drawn() -> Iterator[list[tuple[int, Sequence[Question]]]]:
    """Drawings by their numbers, with what is asked about each."""
    start = FIRST
    while True:
        numbers = range(start, start + AT_ONCE // 2)
        yield [(number, _about(number)) for number in numbers]
        start = numbers.stop


def _about(number: int) -> Sequence[Question]:
    drawn = make(number, "test")
    kind = QuestionKind(drawn.kind)
    (asked, *_) = questions(Evidence("", kind, 1, WHOLE, drawn.image, cells=drawn.cells), None)
    # The published way looks once.
    own = replace(asked, alternate=None)
    other = QuestionKind.TEXT if kind is not QuestionKind.TEXT else QuestionKind.CHECKBOX
    return own, Question(other, own.image)


def _said(answer: Answer) -> str:
    return f"{answer.state.value} {answer.label or answer.value or ''}".strip()
