"""Streams take turns, and a document is chosen once."""

from __future__ import annotations

from pipeline.findings import CHECKS, Outcome
from pipeline.lessons import TEACHING, lesson
from pipeline.reading import QuestionKind
from pipeline.selection import Candidate, Why, in_turn


def stream(why: Why, *documents: str) -> list[Candidate]:
    return [Candidate(one, number, number, why) for number, one in enumerate(documents)]


def chosen(most: int, *streams: list[Candidate]) -> list[tuple[str, str]]:
    return [(one.document_id, one.why) for one in in_turn(streams, most)]


def test_each_stream_has_its_turn() -> None:
    differing, drifted, doubtful = stream("disagreement", "a"), stream("drift"), stream("doubt", "b", "c", "d")
    assert chosen(3, differing, drifted, doubtful) == [("a", "disagreement"), ("b", "doubt"), ("c", "doubt")]
    assert chosen(1, differing, drifted, doubtful) == [("a", "disagreement")]
    assert chosen(0, differing, doubtful) == []
    assert len(chosen(9, differing, drifted, doubtful)) == 4, "no more than there are"


def test_a_document_is_chosen_once() -> None:
    assert chosen(9, stream("disagreement", "a", "b"), stream("doubt", "a", "b", "c", "c")) == [
        ("a", "disagreement"),
        ("b", "doubt"),
        ("c", "doubt"),
    ]


def test_what_is_asked_about_teaches() -> None:
    assert set(TEACHING) <= set(CHECKS)
    for check in TEACHING:
        kinds = [kind for kind in QuestionKind if lesson(kind, check, Outcome.PASS, "dismissed", read="x") is not None]
        assert kinds, f"nobody learns from a pass of {check} that stands"
