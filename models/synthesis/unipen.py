"""Makes the letters and words of UNIPEN ready for drawing: `python -m models.synthesis.unipen FOLDER FILE.npz`.

FOLDER is the unpacked distribution train_r01_v07 (International Unipen Foundation, 1999; doi:10.5281/zenodo.1195803,
CC BY 4.0; Guyon et al., ICPR 1994): `data/1a` to `data/1c` say which strokes of which recording are which digit,
capital or small letter, `data/6` which are words, `include` holds the recordings. Names of writers are left behind;
they become numbers.

Some labels are wrong. A sample of which hardly any of the nearest samples by other writers is the same letter is left
out (Wilson, IEEE Transactions on Systems, Man, and Cybernetics 2, 1972), on both sides of the split. The files that
`--tablets` names are of the collections in `tablets.py`, whose labels are right; they are all for training.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.synthesis import tablets
from models.synthesis.samples import MOST_POINTS, Arrays, Sample, packed, placed, sized, strokes_of
from models.synthesis.split import UNIPEN, Split
from models.synthesis.strokes import Points

#: Digits, capitals, small letters; and words.
KINDS, WORDS = ("1a", "1b", "1c"), "6"

#: Contributors whose words can be taken as they are, and how many words of one recording at most.
FLUENT, MOST_WORDS = ("anj", "apc", "art", "ibm", "imp", "kar", "not", "pap", "par", "pcl", "sie"), 60

#: These contributors count lifted pens among the strokes that a segment names, and their recordings leave gaps.
OTHERWISE = ("cea", "ceb", "kai", "lou", "pri", "tos")

#: The side of the picture that samples are compared by.
SIDE = 18

#: Which strokes of a recording are which letter, and which are a word.
SEGMENT = re.compile(r'^\.SEGMENT\s+CHARACTER\s+(\d+)(?:-(\d+))?\s+\S+\s+"(.)"', re.MULTILINE)
WORD = re.compile(r'^\.SEGMENT\s+WORD\s+(\d+)(?:-(\d+))?\s+\S+\s+"([A-Za-z]{2,})"', re.MULTILINE)

#: A sample stays if this many of so many nearest ones of other writers are the same letter.
AGREEING, NEAREST = 2, 12

#: A word is between so many times as wide as high.
NARROW_WORD, WIDE_WORD = 1.0, 9.0


def read(folder: Path, kind: str) -> Iterator[Sample]:
    """All samples of a kind that can be told apart. Raises `OSError` for a folder that isn't there."""
    for contributor in sorted((folder / "data" / kind).iterdir()):
        if contributor.name in OTHERWISE:
            continue
        split: Split = "test" if contributor.name in UNIPEN else "train"
        for file in sorted(path for path in contributor.rglob("*") if path.is_file()):
            text = file.read_text("latin-1")
            recording = _recording(folder, text)
            writer = f"{contributor.name}/{_writer(recording) or file.stem}"
            strokes = strokes_of(recording)
            for first, last, letter in SEGMENT.findall(text):
                ink = placed(letter, strokes[int(first) : int(last or first) + 1])
                if ink is not None:
                    yield Sample(letter, writer, split, ink)


def read_words(folder: Path) -> Iterator[Sample]:
    """Words in running hands, 1 high from top to bottom. Raises `OSError` for a folder that isn't there."""
    for contributor in sorted((folder / "data" / WORDS).iterdir()):
        if contributor.name not in FLUENT:
            continue
        split: Split = "test" if contributor.name in UNIPEN else "train"
        for file in sorted(path for path in contributor.rglob("*") if path.is_file()):
            text = file.read_text("latin-1")
            strokes = strokes_of(_recording(folder, text))
            for first, last, word in WORD.findall(text)[:MOST_WORDS]:
                ink = [stroke for stroke in strokes[int(first) : int(last or first) + 1] if len(stroke)]
                written = sized(ink, -1.0, 0.0, MOST_POINTS * len(word)) if ink else None
                if written is None:
                    continue
                if NARROW_WORD < max(float(one[:, 0].max()) for one in written) < WIDE_WORD:
                    yield Sample(word, contributor.name, split, written)


def _recording(folder: Path, text: str) -> str:
    """What a file includes, the included files' own inclusions before them."""
    parts = []
    for name in re.findall(r"^\.INCLUDE\s+(\S+)", text, re.M):
        path = (folder / "include" / name).resolve()
        if not path.is_relative_to((folder / "include").resolve()) or not path.is_file():
            print(f"{name} is not in {folder / 'include'}; what it holds is left out", file=sys.stderr)
            continue
        included = path.read_text("latin-1")
        parts += [_recording(folder, included), included]
    return "\n".join(parts)


def _writer(recording: str) -> str | None:
    found = re.search(r"^\.WRITER_ID[ \t]+(\S+)", recording, re.M)
    return found[1] if found else None


def agreed(samples: list[Sample]) -> npt.NDArray[np.bool_]:
    """Of each sample whether enough of the nearest ones by others are the same letter."""
    if len(samples) <= NEAREST:
        # So few can't bear each other out.
        return np.zeros(len(samples), np.bool_)
    pictures = np.stack([_picture(one.strokes) for one in samples])
    letters = np.array([ord(one.letter) for one in samples])
    names = {name: number for number, name in enumerate(dict.fromkeys(one.writer for one in samples))}
    writers = np.array([names[one.writer] for one in samples])
    kept = np.zeros(len(samples), np.bool_)
    for start in range(0, len(samples), 1000):
        part = slice(start, start + 1000)
        likeness = pictures[part] @ pictures.T
        likeness[writers[part, None] == writers[None]] = -1
        nearest = np.argpartition(-likeness, NEAREST, axis=1)[:, :NEAREST]
        kept[part] = (letters[nearest] == letters[part, None]).sum(axis=1) >= AGREEING
    return kept


def _picture(strokes: tuple[Points, ...]) -> npt.NDArray[np.float32]:
    """A small soft picture of unit length, by which samples are compared."""
    every = np.concatenate(strokes)
    low, span = every.min(axis=0), max(float(np.ptp(every[:, 0])), float(np.ptp(every[:, 1])), 1e-3)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    middle = (1 - (every.max(axis=0) - low) / span) / 2
    for one in strokes:
        places = ((one - low) / span + middle) * (SIDE - 5) + 2
        cv2.polylines(canvas, [np.round(places * 8).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 3)
    soft = cv2.GaussianBlur(canvas.astype(np.float32), (5, 5), 1.0).ravel()
    return np.asarray(soft / max(float(np.linalg.norm(soft)), 1e-6), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the unpacked distribution")
    parser.add_argument("file", type=Path, help="where to write, .npz")
    parser.add_argument("--tablets", type=Path, nargs="+", default=[], help="files of `tablets.py`, for training")
    given = parser.parse_args()
    if not (given.folder / "data" / KINDS[0]).is_dir():
        raise SystemExit(f"{given.folder} holds no data/{KINDS[0]}; unpack train_r01_v07 there")
    samples: list[Sample] = []
    for kind in KINDS:
        found = list(read(given.folder, kind))
        kept = agreed(found)
        samples += [one for one, stays in zip(found, kept, strict=True) if stays]
        print(f"{kind}: {len(found):,} samples, {int(kept.sum()):,} kept")
    samples += [one for file in given.tablets for one in tablets.samples(file, "train")]
    sides: tuple[Split, ...] = ("train", "test")
    words = list(read_words(given.folder))
    arrays: Arrays = packed(samples, words, sides[0]) | packed(samples, words, sides[1])
    np.savez_compressed(given.file, **arrays)  # type: ignore[arg-type]
    for side in sides:
        mine = [one for one in samples if one.split == side]
        said = len([one for one in words if one.split == side])
        print(f"{side}: {len(mine):,} letters by {len({one.writer for one in mine}):,} writers, {said:,} words")


if __name__ == "__main__":
    main()
