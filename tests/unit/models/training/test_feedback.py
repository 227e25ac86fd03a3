"""Reviewers' examples as a training takes them: answers, pictures, sides, shares."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.nanovlm.model import NanoVLM
from models.nanovlm.processor import fitted
from models.nanovlm.tokens import EOS, PAD, VOCABULARY
from models.training import lesson, train
from models.training.coach import answers_alone
from models.training.feedback import Held, Mixed, Reviewed, answer, loaded, shown, turned
from models.training.lesson import Lesson, together
from models.training.progress import Progress, Stopped
from models.training.shards import UNKNOWN, load, place
from pipeline import closeup
from pipeline.feedback import add, examples, held_out, picture
from pipeline.reading import QuestionKind
from tests.unit.models.training.test_training import tiny
from tests.unit.pipeline.test_closeup import line
from tests.unit.pipeline.test_feedback import DATA, document, example

#: The number of a document that is not held out.
LEARNED = next(number for number in range(100) if not held_out(document(number)))


def ink(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A box of its own grey, with a bar where the seed says."""
    image = np.full((40, 200), 250, np.uint8)
    image[8:32, 10 + seed % 30 * 6 : 20 + seed % 30 * 6] = 20 + seed // 30
    return image


def fill(folder: Path, count: int, **given: Any) -> None:
    for number in range(count):
        name, data = picture(ink(number))
        known = {"kind": "checkbox", "value": None, "label": "ticked", **given}
        add(folder, example(file_name=name, document=document(number), review=str(number), **known), data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "feedback", 60)
    return tmp_path / "feedback"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"value": "31/02/2016"}, tuple("31/02/2016")),
        ({"value": "31/02/2016", "cells": 8}, tuple("31022016")),
        ({"state": "illegible", "value": None}, ("<illegible>",)),
        ({"state": "empty", "value": None}, ("<empty>",)),
        ({"kind": "signature", "value": None, "label": "initials"}, ("<initials>",)),
        ({"kind": "signature", "value": None, "state": "struck"}, ("<struck>",)),
        ({"kind": "mark", "value": None, "label": "stamp"}, ("<stamp>",)),
    ],
)
def test_an_example_becomes_the_answer_to_be_said(told: dict[str, Any], said: tuple[str, ...]) -> None:
    assert answer(example(**told)) == said


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"value": "३१"}, "not read"),
        ({"kind": "amount", "value": "1" * 23}, "longer"),
        ({"kind": "checkbox", "value": None, "label": "signature"}, "never signature"),
        ({"kind": "checkbox", "value": None, "state": "struck"}, "never struck"),
    ],
)
def test_what_the_model_has_no_words_for_is_left_out(tmp_path: Path, told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        answer(example(**told))
    reviewed = Reviewed(tmp_path, [example(**told)])
    assert len(reviewed) == 0 and sum(reviewed.left_out.values()) == 1
    add(tmp_path, example(**told, document=document(LEARNED)), DATA)
    with pytest.raises(ValueError, match="no example that can be learned from; 1 times"):
        loaded(tmp_path)


def test_an_example_is_shown_as_the_model_will_see_it(folder: Path) -> None:
    every = examples(folder)
    image, tokens, columns = Reviewed(folder, every)[3]
    assert (image == fitted(ink(3))).all() and (columns == UNKNOWN).all()
    assert [VOCABULARY[one] for one in tokens if VOCABULARY[one] != PAD] == ["<q:checkbox>", "<ticked>", EOS]
    (folder / every[3].file_name).unlink()
    assert Reviewed(folder, every).left_out == {"a picture is missing": 1}


@pytest.mark.parametrize("cells", [None, 8])
def test_a_string_on_a_line_is_shown_from_near(tmp_path: Path, cells: int | None) -> None:
    cut = line()
    name, data = picture(cut)
    add(tmp_path, example(file_name=name, document=document(LEARNED), value="12/08/2013", cells=cells), data)
    seen = fitted(cut if cells else closeup.views(cut, QuestionKind.DATE, None)[0])
    assert (seen == fitted(cut)).all() == (cells is not None)
    assert (Reviewed(tmp_path, examples(tmp_path))[0][0] == seen).all()
    ((_, drawn),) = shown(tmp_path)
    assert (fitted(drawn.image) == seen).all(), "calibration sees it in the same way"
    assert drawn.whole is None if cells else (drawn.whole == cut).all()


def test_sides_hold_for_what_is_learned_and_what_is_kept(folder: Path) -> None:
    learned, kept = loaded(folder)
    assert kept is not None and len(learned) + len(kept) == 60
    assert len(kept) == sum(held_out(document(number)) for number in range(60))


def test_turning_never_takes_ink_out_of_the_picture() -> None:
    strip = np.full((40, 400), 255, np.uint8)
    strip[16:24, 4:396] = 0
    for kind in (QuestionKind.DATE, QuestionKind.SIGNATURE):
        for degrees in (-10.0, 4.0, 10.0):
            kept = (turned(strip, degrees, kind) < 128).sum() / (strip < 128).sum()
            assert kept > 0.95
    box = np.full((40, 40), 255, np.uint8)
    box[18:22, 8:32] = 0
    assert (turned(box, 10, QuestionKind.CHECKBOX) != box).any()


def test_feedback_takes_its_share_and_every_example_comes_round(
    evidence: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lesson, "SIZE", 64)
    learned, _ = loaded(folder)
    recipe = tiny(showings=1000, feedback=0.25, turns=10.0, flips=0.5)
    seen = list(itertools.islice(Mixed(evidence, learned, recipe), 480))
    of_reviewers = [(columns == UNKNOWN).all() for _, _, columns in seen]
    assert 0.18 < np.mean(of_reviewers) < 0.32
    shown = []
    monkeypatch.setattr(Reviewed, "varied", lambda self, number, rng, recipe: shown.append(number) or self[number])
    list(itertools.islice(Mixed(evidence, learned, tiny(showings=1000, feedback=1.0)), len(learned)))
    assert sorted(shown) == list(range(len(learned)))
    assert lesson.shards_needed(tiny(feedback=1.0)) == (0, 0)


def test_a_rare_class_is_not_drowned(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a class with a hundredth of the examples a tenth as many are shown as of the other, each equally often."""
    ticked = [f"evidence/{number:064x}.png" for number in range(100)]
    usual = [example(file_name=name, kind="checkbox", value=None, label="ticked") for name in ticked]
    rare = example(file_name=f"evidence/{100:064x}.png", kind="checkbox", value=None, state="empty")
    monkeypatch.setattr(Path, "is_file", lambda path: path.suffix == ".png")
    reviewed = Reviewed(tmp_path, [*usual, rare])
    assert sorted(len(one) for one in reviewed.classes) == [1, 100]
    shown: list[int] = []
    monkeypatch.setattr(Reviewed, "varied", lambda self, number, rng, recipe: shown.append(number))
    mixed = Mixed(evidence, reviewed, tiny(showings=1000, feedback=1.0))
    list(itertools.islice(mixed, 2020))
    assert pytest.approx(shown.count(100), rel=0.3) == 2020 / 11
    assert min(shown.count(number) for number in range(100)) > 10, "no example is left out"
    again: list[int] = []
    monkeypatch.setattr(Reviewed, "varied", lambda self, number, rng, recipe: again.append(number))
    list(itertools.islice(mixed, 2020))
    assert again == shown, "the same order whenever it is asked for"


def test_a_checkpoint_learns_from_feedback_stops_and_goes_on(
    evidence: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it was taught to call ticked it calls so; stopped on the way, evaluated, its best state kept."""
    monkeypatch.setattr(lesson, "SIZE", 64)
    held = load(place(evidence, 0))
    monkeypatch.setattr(train, "draw", lambda folder, number: place(folder, 0))
    torch.manual_seed(0)
    NanoVLM(tiny().config).save(tmp_path / "start")
    recipe = tiny(
        showings=1000, steps=12, descent=6, batch=8, accumulation=2, feedback=0.5, contrast_weight=0.1,
        contrast_until=0.5, evaluate_every=4, save_every=4, architecture={},
    )  # fmt: skip
    told: list[Progress] = []
    run = tmp_path / "run"

    def stop() -> bool:
        return bool(told) and told[-1].step == 4

    with pytest.raises(Stopped, match="after 5 of 12"):
        train.train(recipe, evidence, run, start=tmp_path / "start", feedback=folder, tell=told.append, stop=stop)
    assert (run / "checkpoint-5").is_dir()
    model = train.train(recipe, evidence, run, start=tmp_path / "start", feedback=folder, tell=told.append)
    assert [one.step for one in told] == list(range(1, len(told) + 1)), "a step is done twice or left out"
    assert told[-1].evaluation is not None and told[-1].remaining == 0
    _, kept = loaded(folder)
    assert kept is not None
    batch = together([Held(held, kept)[number] for number in range(2 * len(kept))])
    before = Lesson(NanoVLM.from_folder(tmp_path / "start")).eval()
    after = Lesson(model).eval()
    assert float(after(**batch)["loss"].detach()) < float(before(**batch)["loss"].detach())


def test_feedback_and_a_share_of_it_belong_together(evidence: Path, folder: Path, tmp_path: Path) -> None:
    for recipe, given in ((tiny(feedback=0.5), None), (tiny(), folder)):
        with pytest.raises(ValueError, match="belong together"):
            train.train(recipe, evidence, tmp_path / "run", feedback=given)


def test_a_recipe_may_not_describe_another_model_than_the_one_it_starts_from(tmp_path: Path) -> None:
    NanoVLM(tiny().config).save(tmp_path)
    assert train.begun(tiny(), tmp_path).config == tiny().config
    with pytest.raises(ValueError, match="can't begin a training"):
        train.begun(tiny(architecture={"hidden": 64}), tmp_path)


def test_evaluations_count_answers_alone() -> None:
    one = Lesson(NanoVLM(tiny().config))
    one.columns_weight = one.contrast_weight = 0.5
    with answers_alone(one):
        assert one.columns_weight == one.contrast_weight == 0
    assert one.columns_weight == one.contrast_weight == 0.5
