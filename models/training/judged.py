"""Asks two checkpoints about the same examples: `python -m models.training.judged FEEDBACK --candidate DIR
--production DIR --out FILE`.

FILE gets a JSON object a line: `file_name`, `document` and `check` of the example (`check` is the question's kind where
the example names none), `kind`, `right` and `confidence`, the candidate's and production's. What stands in the evidence
is not repeated.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from models.reader import load_checked
from models.training.evaluate import answered, right
from models.training.feedback import shown
from pipeline.reading import QuestionKind

#: The defect class of a question's kind, where an example names none.
CHECKS = {
    QuestionKind.SIGNATURE: "signature.missing",
    QuestionKind.DATE: "date.unreadable",
    QuestionKind.ENDORSEMENT: "endorsement.missing",
    QuestionKind.TEXT: "field.missing",
    QuestionKind.IDENTIFIER: "identifier.invalid",
    QuestionKind.AMOUNT: "amount.mismatch",
    QuestionKind.CHECKBOX: "field.missing",
    QuestionKind.MARK: "ink.unexpected",
}


def judged(folder: Path, candidate: Path, production: Path) -> Iterator[dict[str, Any]]:
    """What both versions made of each example, in the folder's order; examples that no answer of this model could be
    right on are left out. Raises FileNotFoundError or ValueError for what is no folder of
    feedback or no checkpoint."""
    every = shown(folder)
    drawn = [one for _, one in every]
    readers = [load_checked(one) for one in (candidate, production)]
    answers = [answered(reader, drawn) for reader in readers]
    for (example, one), *said in zip(every, *answers, strict=True):
        yield {
            "file_name": example.file_name,
            "document": example.document,
            "check": example.check or CHECKS[example.kind],
            "kind": example.kind.value,
            "right": [right(one, each) for each in said],
            "confidence": [round(each.confidence, 6) for each in said],
        }


def write(path: Path, lines: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> None:
    """All of it or nothing."""
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("w", encoding="utf-8") as file:
        for one in lines:
            file.write(json.dumps(one) + "\n")
    partial.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feedback", type=Path, help="a folder of examples (docs/feedback.md)")
    parser.add_argument("--candidate", type=Path, required=True)
    parser.add_argument("--production", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write(given.out, judged(given.feedback, given.candidate, given.production))


if __name__ == "__main__":
    main()
