"""Two smaller collections of letters that people wrote on tablets, in a file format like UNIPEN's.

- Pen-Based Recognition of Handwritten Digits (Alpaydin and Alimoglu; UCI Machine Learning Repository,
  doi:10.24432/C5MG6K, CC BY 4.0), the unprocessed files `pendigits-orig.tra` and `pendigits-orig.tes`: 10,992 digits by
  44 people, 30 of them in the first file.
- UJI Pen Characters (Llorens et al., LREC 2008; UCI Machine Learning Repository, doi:10.24432/C5FG8S, CC BY 4.0), the
  files `UJIpenchars-w01` to `-w11`: two of each letter and digit by 11 people, a file each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.synthesis.samples import Sample, placed, strokes_of
from models.synthesis.split import Split
from models.synthesis.strokes import Points

#: A digit or letter follows, and what the collections say of who wrote it.
SEGMENT = re.compile(r"^\.SEGMENT (?:DIGIT|CHARACTER)", re.MULTILINE)
LETTER = re.compile(r'^\s+\S+\s+\?\s+"(.)"')
PERSON = re.compile(r"^\.COMMENT\s+\d+\s+(\d+)", re.MULTILINE)
PAUSE = re.compile(r"^\.DT.*$", re.MULTILINE)

#: The collection whose files begin so counts y downwards.
DOWNWARDS = "UJI"

#: The people of this file are for testing, all others for training.
TESTING = "pendigits-orig.tes"


def samples(path: Path, split: Split) -> Iterator[Sample]:
    """The letters of one file, with who wrote them.

    Raises OSError for a file that isn't there, and ValueError for one of the other side: what is tested on must never
    have been trained on.
    """
    belongs: Split = "test" if path.name == TESTING else "train"
    if split != belongs:
        raise ValueError(f"the people of {path.name} are of the {belongs} split and may not be used for {split}")
    for part in SEGMENT.split(path.read_text("latin-1"))[1:]:
        letter, person = LETTER.match(part), PERSON.search(part)
        if letter is None:
            continue
        strokes = strokes_of(PAUSE.sub("", part))
        ink = placed(letter[1], [_upwards(one) for one in strokes] if path.name.startswith(DOWNWARDS) else strokes)
        if ink is not None:
            yield Sample(letter[1], f"{path.name} {person[1] if person is not None else ''}".strip(), split, ink)


def _upwards(stroke: Points) -> Points:
    return stroke * np.array([1, -1], np.float32)
