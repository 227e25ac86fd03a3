"""Fine-tuning published checkpoints on conversations: toy weights, a toy tokenizer, Parquet made on the spot."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.model import PublishedNanoVLM
from models.nanovlm.published.processor import Processor
from models.prompted import PromptedReader
from models.reader import load_reader
from models.training.conversations import Conversations, Talk, parted, rows, samples, talk, together
from models.training.progress import Progress, Stopped
from models.training.published import PublishedLesson, train
from models.training.recipe import Recipe
from tests.unit.models.nanovlm.test_published import FIRST, SECOND
from tests.unit.models.nanovlm.test_published_reader import checkpoint
from tests.unit.models.nanovlm.tokenizers import END, SAID, byte_tokenizer

GENERATIONS = {1: FIRST, 2: SECOND | {"resize_to_max_side_len": False, "max_img_size": 128}}
TURNS = (("Which colour?", "red"), ("And <|im_end|>the <|image|>size?", "quite small"))


def processor(generation: int) -> Processor:
    tokenizer = byte_tokenizer(SAID if generation == 2 else END)
    numbers = GENERATIONS[generation]
    size = len(tokenizer) + len(numbers.get("vlm_extra_tokens", {}))
    return Processor(PublishedConfig.of(numbers | {"lm_vocab_size": size}), tokenizer)


def png(shade: int, size: tuple[int, int] = (60, 40)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, 90, 30)).save(file, "PNG")
    return file.getvalue()


def row(*turns: tuple[str, str], images: int = 1, **given: Any) -> dict[str, Any]:
    told = [{"user": user, "assistant": said, "source": "made"} for user, said in turns]
    return {"images": [{"bytes": png(20 * n), "path": None} for n in range(images)], "texts": told, **given}


def write(path: Path, every: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(every), path)
    return path


def answered(sample: Any, tokenizer: Any) -> str:
    return str(tokenizer.decode([one for one, own in zip(sample.tokens, sample.answered, strict=True) if own]))


def test_the_second_generation_learns_the_answers_of_a_conversation() -> None:
    told = processor(2)
    (one,) = samples(talk(row(*TURNS)), told, 1000)
    assert answered(one, told.tokenizer) == f"red{SAID}\nquite small{SAID}\n"
    text = told.tokenizer.decode(one.tokens)
    assert "And the size?" in text, "a text is not to be taken for an image or a turn"
    assert one.tokens.count(told.image_token) == len(one.views) * told.config.image_tokens
    assert tuple(told.tokenizer(text, add_special_tokens=False)["input_ids"]) == one.tokens, "parted as when asked"


def test_of_a_long_conversation_the_first_turns_are_kept() -> None:
    told = processor(2)
    (whole,) = samples(talk(row(*TURNS)), told, 1000)
    (one,) = samples(talk(row(*TURNS)), told, len(whole.tokens) - 1)
    assert answered(one, told.tokenizer) == f"red{SAID}\n"
    with pytest.raises(ValueError, match="longer than 8 tokens"):
        samples(talk(row(*TURNS)), told, 8)


def test_several_pictures_have_numbers() -> None:
    told = processor(2)
    (one,) = samples(talk(row(*TURNS, images=2)), told, 1000)
    text = told.tokenizer.decode(one.tokens)
    assert "<image: 0>" in text and "<image: 1>" in text
    assert one.tokens.count(told.image_token) == len(one.views) * told.config.image_tokens


def test_the_first_generation_learns_each_answer_by_itself() -> None:
    told = processor(1)
    first, second = samples(talk(row(*TURNS)), told, 1000)
    assert told.tokenizer.decode(first.tokens) == f"Question: Which colour? Answer:red{END}"
    assert [answered(one, told.tokenizer) for one in (first, second)] == [f"red{END}", f"quite small{END}"]
    with pytest.raises(ValueError, match="sees one"):
        samples(talk(row(*TURNS, images=2)), told, 1000)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (row(*TURNS, images=0), "no picture"),
        (row(("What?", " ")), "no question"),
        (row(*TURNS) | {"images": [{"bytes": b"no picture", "path": None}]}, "can't be opened"),
        (row(*TURNS) | {"images": [{"bytes": None, "path": "/etc/passwd"}]}, "no bytes"),
    ],
)
def test_what_nothing_can_be_learned_from_is_told(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        talk(wrong)


def test_only_answers_are_in_the_loss_and_padding_changes_nothing() -> None:
    told = processor(2)
    torch.manual_seed(0)
    lesson = PublishedLesson(PublishedNanoVLM(told.config).eval(), told.image_token)
    picture = Image.open(io.BytesIO(png(1)))
    (short,), (long,) = (samples(Talk((picture,), TURNS[:n]), told, 1000) for n in (1, 2))
    alone = [float(lesson(**together([one], 0))["loss"].detach()) for one in (short, long)]
    both = together([short, long], 0)
    counts = [sum(one.answered) for one in (short, long)]
    assert (both["labels"] >= 0).sum(1).tolist() == counts
    weighted = sum(a * n for a, n in zip(alone, counts, strict=True)) / sum(counts)
    assert float(lesson(**both)["loss"].detach()) == pytest.approx(weighted, abs=1e-4)


def test_rows_are_streamed_shuffled_and_parted(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.parquet", [row((f"{n}?", "yes")) for n in range(60)])
    write(tmp_path / "b" / "two.parquet", [row((f"{n}?", "yes"), images=n % 2) for n in range(60, 100)])
    told = processor(1)
    stream, held = parted(rows(str(tmp_path)), told, 100)
    kept = {one.tokens for one in held}
    lessons = iter(Conversations(stream, told, 100, 1))
    learned = [next(lessons).tokens for _ in range(156)]
    assert len(kept) == 2 and not kept & set(learned)
    assert set(learned[:78]) == set(learned[78:]) and learned[:78] != learned[78:], "shuffled anew each time"


def test_what_can_not_be_opened_is_told(tmp_path: Path) -> None:
    for source, why in ((str(tmp_path), "no .parquet"), (str(tmp_path / "none"), "no folder"), ("/a/b/c", "no folder")):
        with pytest.raises(FileNotFoundError, match=why):
            rows(source)
    with pytest.raises(ValueError, match="no column images and no texts"):
        rows(str(write(tmp_path / "other.parquet", [{"question": "?"}])))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(FileNotFoundError, match="can't be opened"):
        rows(str(tmp_path / "broken.parquet"))
    empty = write(tmp_path / "empty.parquet", [row(("What?", ""))])
    with pytest.raises(ValueError, match="no question with its answer"):
        next(iter(Conversations(rows(str(empty)), processor(1), 100, 1)))


@pytest.mark.parametrize("generation", [1, 2])
def test_a_checkpoint_learns_stops_and_goes_on_as_if_it_had_not(generation: int, tmp_path: Path) -> None:
    source = write(tmp_path / "rows.parquet", [row(("Which?", "red"), ("Sure?", "yes")) for _ in range(8)])
    start = checkpoint(tmp_path / "start", GENERATIONS[generation])
    recipe = Recipe(
        steps=4, descent=2, batch=2, accumulation=2, rate=1e-3, projection_rate=2e-3, save_every=50, length=400
    )
    told: list[Progress] = []
    train(recipe, str(source), tmp_path / "whole", start, tmp_path / "one", tell=told.append)
    with pytest.raises(Stopped, match="after 2 of 4"):
        again: list[Progress] = []
        stopped_after = 1
        train(
            recipe, str(source), tmp_path / "parts", start, tmp_path / "two",
            tell=again.append, stop=lambda: bool(again) and again[-1].step == stopped_after,
        )  # fmt: skip
    train(recipe, str(source), tmp_path / "parts", start, tmp_path / "two", tell=again.append)
    one, two = (PublishedNanoVLM.from_folder(tmp_path / name).state_dict() for name in ("one", "two"))
    before = PublishedNanoVLM.from_folder(start).state_dict()
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    assert any(not torch.equal(one[name], before[name]) for name in one)
    assert one["head.weight"].equal(one["decoder.embed_tokens.weight"]) == PublishedConfig.load(start).lm_tie_weights
    assert isinstance(load_reader(tmp_path / "one"), PromptedReader)
