"""Published checkpoints as readers: prompts, choices, and strings under the field's alphabet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.calibration import Calibration, Curve
from models.engine import Engine
from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.speaker import NanoVLMSpeaker
from models.nanovlm.tokens import CHOICES
from models.precision import Precision
from models.prompted import PROMPTS, WORDS, PromptedReader
from models.reader import ModelReader, digest, load_reader
from models.speaking import Prompt, Spoken, Vocabulary, one_of
from pipeline.reading import AnswerState, Question, QuestionKind
from tests.unit.models.nanovlm.test_published import FIRST, SECOND
from tests.unit.models.nanovlm.tokenizers import END, SAID, byte_tokenizer, save_byte_tokenizer

DATE = Question(QuestionKind.DATE, np.full((30, 200), 240, np.uint8), "0123456789/", 8)


def checkpoint(folder: Path, numbers: dict[str, Any], seed: int = 0) -> Path:
    """A published folder with random weights and a tokenizer of its own."""
    size = save_byte_tokenizer(folder, SAID if "vlm_extra_tokens" in numbers else END)
    torch.manual_seed(seed)
    given = numbers | {"lm_vocab_size": size + len(numbers.get("vlm_extra_tokens", {}))}
    model = PublishedNanoVLM(PublishedConfig.of(given))
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    model.save(folder)
    return folder


@pytest.fixture(scope="module", params=[FIRST, SECOND | {"resize_to_max_side_len": False, "max_img_size": 128}])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("checkpoint"), request.param)


@pytest.fixture(scope="module")
def reader(folder: Path) -> PromptedReader:
    found = load_reader(folder)
    assert isinstance(found, PromptedReader)
    return found


def evidence(seed: int, width: int = 120) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (40, width)).astype(np.uint8)


def test_every_kind_of_question_is_answered(reader: PromptedReader) -> None:
    asked = [Question(kind, evidence(seed), "0123456789/", 6) for seed, kind in enumerate(PROMPTS)]
    for question, answer in zip(asked, reader.read(asked), strict=True):
        assert 0 <= answer.confidence <= 1 and 0 <= answer.present <= 1
        if question.kind in CHOICES:
            assert answer.label is not None and answer.value is None
            assert f"<{answer.label}>" in CHOICES[question.kind] or answer.label == "nothing"
        elif answer.state is AnswerState.PRESENT:
            assert answer.value is not None and len(answer.value) <= 6 and set(answer.value) <= set("0123456789/")


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_in_other_numbers_it_answers_much_the_same(folder: Path, reader: PromptedReader, precision: Precision) -> None:
    asked = [Question(kind, evidence(seed)) for seed, kind in enumerate(CHOICES)]
    half = load_reader(folder, precision)
    given, exact = half.read(asked), reader.read(asked)
    assert [one.present for one in given] == pytest.approx([one.present for one in exact], abs=0.05)
    assert [one.present for one in given] != [one.present for one in exact]


def test_all_that_may_be_asked_has_a_prompt_and_words() -> None:
    assert PROMPTS.keys() == set(QuestionKind) - {QuestionKind.PRINT}
    for choices in CHOICES.values():
        assert len({WORDS[one][0] for one in choices}) == len(choices)


def test_print_is_not_for_a_model_of_ink(reader: PromptedReader) -> None:
    with pytest.raises(KeyError):
        reader.read([Question(QuestionKind.PRINT, evidence(0))])


def test_a_question_is_answered_alone_as_in_company(reader: PromptedReader) -> None:
    image = evidence(1)
    asked = [Question(kind, image, "0123456789", 5) for kind in PROMPTS]
    asked += [Question(kind, evidence(2, 300), "ABCDEF", 7) for kind in PROMPTS]
    for question, together in zip(asked, reader.read(asked), strict=True):
        (alone,) = reader.read([question])
        assert (alone.state, alone.value, alone.label) == (together.state, together.value, together.label)
        assert alone.confidence == pytest.approx(together.confidence, abs=1e-4)
        assert alone.present == pytest.approx(together.present, abs=1e-4)


def test_a_choice_is_what_the_model_would_say_first(folder: Path) -> None:
    """The chances are those of the model's own first token, among the words allowed."""
    speaker = NanoVLMSpeaker.from_folder(folder)
    model, processor = PublishedNanoVLM.from_folder(folder), speaker._processor
    picture = Image.fromarray(evidence(3, 90))
    views = processor.views(picture)
    with torch.inference_mode():
        logits = model(views.images, processor.tokens("Signed?", views.grid)[None], processor.image_token)[0, -1]
    ids = [processor.tokenizer(word)["input_ids"][0] for word in ("yes", "no")]
    (spoken,) = speaker.speak([Prompt(picture, "Signed?", one_of(ids))])
    chances = logits[ids].softmax(-1)
    assert [math.exp(spoken.first[one]) for one in ids] == pytest.approx(chances.tolist(), abs=1e-5)
    assert spoken.tokens == (ids[int(chances.argmax())],)
    assert math.exp(spoken.log_probability) == pytest.approx(float(chances.max()), abs=1e-5)


def test_the_confidence_of_a_string_is_the_chance_of_the_whole(folder: Path) -> None:
    """Token by token without a cache: the product of the chances among what was allowed."""
    speaker = NanoVLMSpeaker.from_folder(folder)
    model, processor = PublishedNanoVLM.from_folder(folder), speaker._processor
    picture, stop = Image.fromarray(evidence(4, 90)), speaker.stop
    digits = [processor.tokenizer(letter)["input_ids"][0] for letter in "0123456789"]

    def allow(said: Sequence[int]) -> Sequence[int]:
        return digits if not said else () if said[-1] == stop or len(said) == 5 else (stop, *digits)

    (spoken,) = speaker.speak([Prompt(picture, "Which?", allow, 6)])
    views = processor.views(picture)
    tokens, log_chance = processor.tokens("Which?", views.grid), 0.0
    with torch.inference_mode():
        for place, token in enumerate(spoken.tokens):
            allowed = list(allow(spoken.tokens[:place]))
            logits = model(views.images, tokens[None], processor.image_token)[0, -1]
            chances = logits[allowed].log_softmax(-1)
            assert allowed[int(chances.argmax())] == token
            log_chance += float(chances.max())
            tokens = torch.cat([tokens, torch.tensor([token])])
    assert spoken.log_probability == pytest.approx(log_chance, abs=1e-4)


class Scripted:
    """Says what it is told to, where that is allowed; the tokenizer is real."""

    def __init__(self, says: str, sure: float = 0.9) -> None:
        self.tokenizer = byte_tokenizer()
        self.stop = self.tokenizer.eos_token_id
        self.parameters = 0
        self.says, self.sure = says, sure

    def speak(self, prompts: Sequence[Prompt]) -> list[Spoken]:
        spoken = []
        for prompt in prompts:
            said: list[int] = []
            for token in [*self.tokenizer(self.says)["input_ids"], self.stop]:
                if not prompt.allow(said):
                    break
                assert token in prompt.allow(said), f"{self.says!r} is not allowed"
                said.append(token)
            begun = dict.fromkeys(prompt.allow(()), math.log((1 - self.sure) / len(prompt.allow(()))))
            begun[said[0]] = math.log(self.sure)
            spoken.append(Spoken(tuple(said), math.log(self.sure), begun))
        return spoken


def reading(says: str, question: Question) -> Any:
    return PromptedReader(Scripted(says), Calibration(), "scripted").read([question])[0]


def test_a_string_is_read_as_it_is_said() -> None:
    answer = reading("12/2016", DATE)
    assert (answer.state, answer.value) == (AnswerState.PRESENT, "12/2016")
    assert answer.confidence == pytest.approx(0.9) and answer.present > 0.98


@pytest.mark.parametrize("says", ["12-2016", "12/12/2016", "x"])
def test_what_the_field_can_not_hold_is_not_allowed(says: str) -> None:
    with pytest.raises(AssertionError, match="not allowed"):
        reading(says, DATE)


def test_an_empty_and_an_illegible_field_are_answers_of_their_own() -> None:
    empty = reading("nothing", DATE)
    assert (empty.state, empty.value) == (AnswerState.EMPTY, None) and empty.present == pytest.approx(0.1, abs=0.02)
    assert reading("illegible", DATE).state is AnswerState.ILLEGIBLE


def test_letters_of_the_field_are_not_taken_for_a_state() -> None:
    asked = Question(QuestionKind.IDENTIFIER, DATE.image, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 10)
    assert reading("NI12", asked).value == "NI12"
    assert reading("nothing", asked).state is AnswerState.EMPTY


def test_choices_are_said_by_their_words() -> None:
    asked = Question(QuestionKind.SIGNATURE, DATE.image)
    assert reading("signature", asked).label == "signature"
    assert reading("crossed out", asked).state is AnswerState.STRUCK
    assert reading("Nothing", asked).label == "nothing"
    assert reading("rubber stamp", replace(asked, kind=QuestionKind.MARK)).label == "stamp"


def test_several_ways_to_begin_a_word_count_together() -> None:
    vocabulary = Vocabulary(byte_tokenizer())
    yes, no = vocabulary.told_apart(["yes", "no"])
    assert len(yes) == len(no) == 2 and not set(yes) & set(no)
    with pytest.raises(ValueError, match="like another"):
        vocabulary.told_apart(["yes", "yellow"])
    assert vocabulary.texts[vocabulary.beginnings("nothing")[0]] == "nothing"


def test_the_vocabulary_knows_what_tokens_write() -> None:
    vocabulary = Vocabulary(byte_tokenizer())
    texts = [vocabulary.texts[number] for number in vocabulary.writing("0123456789", 8)]
    assert sorted(texts) == sorted([*"0123456789", "12", "20", "201", "2016"])
    assert {len(vocabulary.texts[number]) for number in vocabulary.writing("0123456789", 2)} == {1, 2}


def test_the_other_cut_helps_where_the_first_is_unsure(reader: PromptedReader) -> None:
    asked = replace(DATE, image=evidence(5))
    (alone,), (other,) = reader.read([asked]), reader.read([replace(asked, image=evidence(6))])
    (both,) = reader.read([replace(asked, alternate=evidence(6))])
    surer = max((alone, other), key=lambda one: one.confidence)
    assert (both.state, both.value) == (surer.state, surer.value)


def test_evidence_is_seen_once_whatever_is_asked_about_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, image, seen = load_reader(folder), evidence(7), []
    see = PublishedNanoVLM.see
    monkeypatch.setattr(PublishedNanoVLM, "see", lambda self, views: seen.append(len(views)) or see(self, views))
    reader.read([Question(kind, image) for kind in CHOICES])
    assert sum(seen) == 1


def test_the_version_follows_weights_and_calibration(folder: Path, reader: PromptedReader, tmp_path: Path) -> None:
    assert reader.version == digest(folder)
    for one in folder.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    Calibration({"signature": Curve(0.2, -2.0), "signature.present": Curve(0.2, 0.0)}).save(tmp_path)
    bent = load_reader(tmp_path)
    assert bent.version != reader.version
    asked = [Question(QuestionKind.SIGNATURE, evidence(8))]
    (one,), (plain,), (again,) = bent.read(asked), reader.read(asked), bent.uncalibrated().read(asked)
    assert one.confidence < plain.confidence == pytest.approx(again.confidence)
    assert one.present != plain.present


def test_the_engine_batches_it(reader: PromptedReader) -> None:
    engine = Engine(reader, max_batch=8, max_wait_ms=1)
    try:
        asked = [Question(kind, evidence(9)) for kind in CHOICES]
        assert [one.label for one in engine.read(asked)] == [one.label for one in reader.read(asked)]
    finally:
        engine.close()


def test_the_bundled_checkpoint_is_still_read_by_its_own_reader() -> None:
    assert isinstance(load_reader(), ModelReader)


def test_weights_that_are_not_safetensors_are_refused(tmp_path: Path) -> None:
    checkpoint(tmp_path, FIRST)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"holds no model\.safetensors"):
        load_reader(tmp_path)
