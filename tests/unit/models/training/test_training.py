"""Training: recipes, shards and lessons; a model that learns, stops, goes on and is saved."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from models.nanovlm.model import NanoVLM
from models.nanovlm.tokens import ID, PAD, VOCABULARY
from models.reader import ModelReader
from models.synthesis.evidence import make
from models.synthesis.faces import plain
from models.training import forms, lesson
from models.training.lesson import Lesson, Lessons, shard_at, shards_needed, together, varied
from models.training.recipe import Recipe
from models.training.shards import LENGTH, SIZE, UNKNOWN, draw, load, place, waited_for
from models.training.train import train
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import FieldKind, Identifier
from pipeline.evidence import is_masked

TINY = {
    "stem": [[1, 8, 2, 2], [8, 8, 2, 2], [8, 8, 2, 2], [8, 16, 2, 1]],
    "hidden": 32,
    "vision_layers": 1,
    "vision_heads": 2,
    "vision_feed_forward": 32,
    "decoder_layers": 1,
    "decoder_heads": 2,
    "decoder_feed_forward": 32,
}


def tiny(**given: object) -> Recipe:
    numbers = {"steps": 40, "descent": 10, "batch": 16, "rate": 3e-3, "save_every": 20, "architecture": TINY}
    return Recipe(**{**numbers, **given})  # type: ignore[arg-type]


def test_the_bundled_recipe_can_be_read() -> None:
    recipe = Recipe.load()
    assert NanoVLM(recipe.config).config.hidden == 128


@pytest.mark.parametrize("text", ["steps: 10\ndescent: 20\n", "- 1\n", "steps: 5\ndescent: 5\nspeed: 9\n"])
def test_what_is_no_recipe_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"descent|recipe"):
        Recipe.load(path)


def test_a_shard_is_drawn_once_and_read_as_it_was(tmp_path: Path) -> None:
    path = draw(tmp_path, 3, size=4)
    before = path.stat().st_mtime_ns
    assert draw(tmp_path, 3, size=4).stat().st_mtime_ns == before
    shard = load(path)
    first = make(12, "train", near=False)
    assert len(shard) == 4 and (shard.images[0] == first.image).all() and (shard.columns[0] == first.labels).all()
    assert shard.tokens.shape == (4, LENGTH)
    assert [t for t in shard.tokens[0] if t != ID[PAD]] == first.sequence()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_shard_that_nobody_draws_is_missed_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match=r"models\.training\.shards"):
        waited_for(tmp_path, 0, seconds=0.01)


def test_every_shard_is_shown_as_often_as_it_should() -> None:
    visits = [shard_at(visit, 2) for visit in range(400)]
    settled = [visits.count(number) for number in range(1, 150)]
    assert set(settled) == {2}
    assert visits[300] == 150 and visits[301] == 150 - lesson.LAG
    assert shards_needed(tiny(steps=SIZE // 16 * 10, showings=2)) == (6, 0)


def test_a_picture_is_never_shown_twice_the_same_but_stays_the_same_picture() -> None:
    image = make(5, "train", using=plain("train")).image
    shown = [varied(image, np.random.default_rng(seed)) for seed in range(6)]
    for one, other in itertools.combinations(shown, 2):
        assert (one != other).any()
    assert all(one.shape == image.shape and abs(float(one.mean()) - float(image.mean())) < 25 for one in shown)


def test_lessons_go_on_where_they_ended(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "SIZE", 64)
    whole = list(itertools.islice(Lessons(evidence, tiny(showings=1000)), 128))
    rest = list(itertools.islice(Lessons(evidence, tiny(showings=1000), start=4), 64))
    assert all((one[0] == other[0]).all() for one, other in zip(whole[64:], rest, strict=True))


def test_the_labels_of_columns_lose_their_weight(evidence: Path) -> None:
    batch = together(list(itertools.islice(Lessons(evidence, tiny(showings=1000)), 8)))
    one = Lesson(NanoVLM(tiny().config))
    with_labels = float(one(**batch)["loss"].detach())
    one.columns_weight = 0.0
    assert float(one(**batch)["loss"].detach()) < with_labels
    assert batch["images"].shape == (8, 1, 48, 384) and float(batch["images"].abs().max()) <= 1


def test_a_training_learns_stops_and_goes_on(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "SIZE", 64)
    recipe = tiny(showings=1000)
    batch = together(list(itertools.islice(Lessons(evidence, recipe), 64)))
    torch.manual_seed(recipe.seed)
    before = float(Lesson(NanoVLM(recipe.config)).eval()(**batch)["loss"].detach())
    run = tmp_path / "run"
    train(tiny(showings=1000, steps=20, descent=20), evidence, run)
    model = train(recipe, evidence, run)
    assert float(Lesson(model.eval())(**batch)["loss"].detach()) < before / 2
    states = sorted(one.name for one in run.iterdir() if one.name.startswith("checkpoint-"))
    assert states == ["checkpoint-20", "checkpoint-40"]
    model.save(tmp_path / "saved")
    assert ModelReader.from_folder(tmp_path / "saved").version


def test_evidence_of_whole_forms_joins_in_from_its_step_on(evidence: Path, tmp_path: Path) -> None:
    for name, grey in (("", 255), (lesson.FORMS, 0)):
        images = np.full((64, 48, 384), grey, np.uint8)
        one = load(place(evidence, 0))
        np.savez(place(tmp_path, 0, name), images=images, tokens=one.tokens, columns=one.columns)
    mixed = tiny(showings=1000, forms=0.5, forms_from=2)
    seen = [example[0].mean() < 128 for example in itertools.islice(Lessons(tmp_path, mixed), 400)]
    assert not any(seen[:32])
    assert 0.4 < np.mean(seen[32:]) < 0.6


def test_evidence_of_whole_forms_is_what_the_pipeline_cuts(tmp_path: Path) -> None:
    shard = load(forms.draw(tmp_path, 0, size=40))
    assert shard.images.shape == (40, 48, 384) and (shard.columns == UNKNOWN).all()
    first = {VOCABULARY[sequence[1]] for sequence in shard.tokens}
    assert "<empty>" in first and first & set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_one_string_in_four_on_lines_of_forms_is_learned_in_its_whole_field() -> None:
    near = [one for one in forms.evidence_of("train", 3, 0) if one.whole is not None]
    assert len(near) > 4 and not any(one.cells for one in near)
    field = next(one for doctype in builtin() for one in doctype.fields if one.kind is FieldKind.DATE)
    kept = list(forms._kept(((field, near[0]) for _ in range(400)), np.random.default_rng(0)))
    whole = [one for one in kept if one.whole is None]
    assert 0.15 < len(whole) / len(kept) < 0.35
    assert (whole[0].cut == near[0].whole).all() and whole[0].answer == near[0].answer


def test_a_label_becomes_an_answer_never_a_whole_aadhaar_number() -> None:
    fields = {one.name: one for doctype in builtin() for one in doctype.fields}
    number = next(one for one in fields.values() if one.identifier is Identifier.AADHAAR_LAST4)
    masked = number.model_copy(update={"identifier": Identifier.AADHAAR})
    assert is_masked(masked)
    signed = next(one for one in fields.values() if one.kind is FieldKind.SIGNATURE)
    assert forms.answer(masked, "XXXXXXXX1234") == tuple("1234")
    assert forms.answer(signed, "signature") == ("<signature>",)
    assert forms.answer(signed, None) == ("<empty>",)
