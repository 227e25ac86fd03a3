"""The vocabulary: question kinds, answer states, and the characters that stand on forms."""

from __future__ import annotations

from pipeline.reading import QuestionKind

#: Every character that can be read. A date keeps its separators and month words.
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/-., :'()&"

PAD, EOS = "<pad>", "<eos>"

#: What the model can be asked; print is the OCR library's.
ASKED = tuple(
    QuestionKind(kind)
    for kind in ("signature", "date", "endorsement", "text", "identifier", "amount", "checkbox", "mark")
)

#: Answers that are one token.
STATES = (
    "<empty>",
    "<illegible>",
    "<struck>",
    "<signature>",
    "<initials>",
    "<stamp>",
    "<handwriting>",
    "<filled>",
    "<ticked>",
)

VOCABULARY: tuple[str, ...] = (PAD, EOS, *(f"<q:{kind}>" for kind in ASKED), *STATES, *CHARACTERS)

#: Token → its number.
ID: dict[str, int] = {token: number for number, token in enumerate(VOCABULARY)}

#: Choice questions and what may be answered to them.
CHOICES: dict[QuestionKind, tuple[str, ...]] = {
    QuestionKind.SIGNATURE: ("<signature>", "<initials>", "<struck>", "<empty>"),
    QuestionKind.ENDORSEMENT: ("<stamp>", "<handwriting>", "<empty>"),
    QuestionKind.TEXT: ("<filled>", "<empty>"),
    QuestionKind.CHECKBOX: ("<ticked>", "<empty>"),
    QuestionKind.MARK: ("<signature>", "<stamp>", "<handwriting>", "<empty>"),
}


def question_id(kind: QuestionKind) -> int:
    """The token that asks; `KeyError` for a kind the model can't be asked."""
    return ID[f"<q:{kind}>"]
