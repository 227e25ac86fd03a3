"""Types read from folders: what is accepted, and that every refusal names file, place and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.doctypes.load import blank, load, load_all

GOOD = """\
name: letter
title: Letter
pages: [{blank: page-1.png}]
fields:
  - {name: signed, label: Signature, kind: signature, box: [0.1, 0.8, 0.5, 0.9]}
  - {name: day, label: Date, kind: date, box: [0.6, 0.1, 0.9, 0.15]}
"""


def folder(parent: Path, text: str = GOOD, name: str = "letter", size: tuple[int, int] = (620, 877)) -> Path:
    target = parent / name
    target.mkdir(parents=True)
    (target / "type.yaml").write_text(text, encoding="utf-8")
    Image.new("L", size, 250).save(target / "page-1.png")
    return target


def test_a_folder_is_a_type(tmp_path: Path) -> None:
    doctype = load(folder(tmp_path))
    assert doctype.folder == tmp_path / "letter"
    assert [one.name for one in doctype.fields] == ["signed", "day"]
    assert blank(doctype, 1).shape == (877, 620)
    assert blank(doctype, 1).dtype == np.uint8


def test_all_types_of_several_folders(tmp_path: Path) -> None:
    folder(tmp_path / "ours")
    folder(tmp_path / "theirs", GOOD.replace("name: letter", "name: deed"), "deed")
    (tmp_path / "ours" / "notes").mkdir()
    found = load_all(tmp_path / "ours", tmp_path / "theirs", tmp_path / "nowhere")
    assert [one.name for one in found] == ["letter", "deed"]


def test_one_name_for_two_types(tmp_path: Path) -> None:
    folder(tmp_path / "ours")
    folder(tmp_path / "theirs", name="copy")
    with pytest.raises(
        ValueError, match=r"there is a type 'letter' already in .*ours.letter; give one of them another"
    ):
        load_all(tmp_path / "ours", tmp_path / "theirs")


@pytest.mark.parametrize(
    ("before", "after", "place", "what_to_do"),
    [
        ("kind: date", "kind: data", "fields, day, kind", "'date'"),
        ("[0.6, 0.1, 0.9, 0.15]", "[0.6, 0.1, 9, 0.15]", "fields, day", "boxes are fractions from 0 to 1"),
        ("label: Date, ", "", "fields, day, label", "this is missing; add it"),
        ("title: Letter", "titel: Letter", "titel", "there is no such key; correct its spelling or remove it"),
        ("fields:", "folder: /etc\nfields:", "folder", "remove this line"),
        ("page-1.png", "page-2.png", "pages, 1", "the blank 'page-2.png' is not there; add it, or correct its name"),
        ("page-1.png", "../other/page-1.png", "pages, 1", "must lie in the type's own folder"),
        ("page-1.png", "type.yaml", "pages, 1", "is no picture; save it as PNG"),
        ("page-1.png", "page-1.png, width_mm: 297", "pages, 1", "correct width_mm and height_mm"),
        ("title: Letter", "title: Letter\ntitle: Deed", "line 3, column 1", "the key 'title' stands here twice"),
        ("title: Letter", "title: 'Letter", "line", "this is no YAML"),
        ("title: Letter", "title: !!python/object/apply:os.getcwd []", "line 2", "this is no YAML"),
    ],
)
def test_refusals_name_the_place(tmp_path: Path, before: str, after: str, place: str, what_to_do: str) -> None:
    assert before in GOOD
    target = folder(tmp_path, GOOD.replace(before, after))
    with pytest.raises(ValueError) as wrong:
        load(target)
    sentence = str(wrong.value)
    assert str(target / "type.yaml") in sentence
    assert f", {place}" in sentence
    assert what_to_do in sentence


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    target = folder(tmp_path, GOOD.replace("kind: date", "kind: data").replace("title: Letter\n", ""))
    with pytest.raises(ValueError) as wrong:
        load(target)
    assert len(str(wrong.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "start it with `docvigil doctypes new`"),
        (b"- a\n", "keys and values"),
        (b"\xff\xfe", "save the file as UTF-8"),
    ],
)
def test_files_that_are_no_description(tmp_path: Path, content: bytes, sentence: str) -> None:
    target = folder(tmp_path)
    (target / "type.yaml").write_bytes(content)
    with pytest.raises(ValueError) as wrong:
        load(target)
    assert sentence in str(wrong.value)


def test_a_folder_without_description(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"type\.yaml: not there"):
        load(tmp_path)


def test_an_empty_blank(tmp_path: Path) -> None:
    target = folder(tmp_path)
    (target / "page-1.png").write_bytes(b"")
    with pytest.raises(ValueError, match="is no picture"):
        load(target)
