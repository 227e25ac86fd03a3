"""Compares two checkpoints in a test, as `models.training.judged` does, on boxes alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from models.reader import ModelReader
from pipeline import feedback
from pipeline.reading import AnswerState, Question


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--candidate", type=Path)
    parser.add_argument("--production", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    every = feedback.examples(given.folder)
    images = [cv2.imread(str(given.folder / one.file_name), cv2.IMREAD_GRAYSCALE) for one in every]
    asked = [Question(one.kind, np.asarray(image, np.uint8)) for one, image in zip(every, images, strict=True)]
    readers = [ModelReader.from_folder(folder) for folder in (given.candidate, given.production)]
    answers = [reader.read(asked) for reader in readers]
    with given.out.open("w") as out:
        for one, mine, theirs in zip(every, *answers, strict=True):
            right = [(each.state is AnswerState.PRESENT) == (one.label == "ticked") for each in (mine, theirs)]
            out.write(json.dumps({"file_name": one.file_name, "right": right, "confidence": mine.present}) + "\n")


if __name__ == "__main__":
    main()
