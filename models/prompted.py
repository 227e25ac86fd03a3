"""A vision-language model of the open world as a reader: question kinds become prompts.

A choice is scored in one pass on the first tokens of its words. A string is decoded greedily under the field's
alphabet, and the probability of the whole, among what was allowed, is the raw confidence; an empty and an illegible
field are answers of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from PIL import Image

from models.answers import EMPTY, ILLEGIBLE, Raw, asked_again, longest, settled
from models.calibration import Calibration
from models.cells import CellReader
from models.nanovlm.tokens import CHARACTERS, CHOICES
from models.speaking import Allow, Prompt, Speaker, Vocabulary, one_of
from models.steps import AtOnce, Steps, finished, in_parts
from pipeline.reading import Answer, Pixels, Question, QuestionKind

#: The words that stand for choices and states. Within a question each begins with a letter of its own.
WORDS: Mapping[str, str] = {
    "<signature>": "signature",
    "<initials>": "initials",
    "<struck>": "crossed out",
    "<stamp>": "rubber stamp",
    "<handwriting>": "handwriting",
    "<filled>": "yes",
    "<ticked>": "yes",
    EMPTY: "nothing",
    ILLEGIBLE: "illegible",
}

AS_WRITTEN = "exactly as it is written, nothing if the paper is empty, or illegible if it can't be read."

#: What is asked.
PROMPTS: Mapping[QuestionKind, str] = {
    QuestionKind.SIGNATURE: "Is this signed? Answer signature, initials, crossed out or nothing.",
    QuestionKind.ENDORSEMENT: "What is on this paper? Answer rubber stamp, handwriting or nothing.",
    QuestionKind.TEXT: "Is anything written here? Answer yes or nothing.",
    QuestionKind.CHECKBOX: "Is this box ticked? Answer yes or nothing.",
    QuestionKind.MARK: "What is this mark? Answer signature, rubber stamp, handwriting or nothing.",
    QuestionKind.DATE: f"What date is written here? Answer the date {AS_WRITTEN}",
    QuestionKind.IDENTIFIER: f"What code is written here? Answer the code {AS_WRITTEN}",
    QuestionKind.AMOUNT: f"What amount is written here? Answer the amount {AS_WRITTEN}",
}


class PromptedReader:
    """Not for several threads at once: `models.engine.Engine` shares one."""

    def __init__(self, speaker: Speaker, calibration: Calibration, version: str) -> None:
        self._speaker = speaker
        self._calibration = calibration
        self._version = version
        #: Nobody reads single boxes beside a published model.
        self.cells: CellReader | None = None
        self._vocabulary = Vocabulary(speaker.tokenizer)

    @property
    def version(self) -> str:
        return self._version

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return self._speaker.parameters

    def uncalibrated(self) -> PromptedReader:
        """The same model with its probabilities as they are."""
        return PromptedReader(self._speaker, Calibration(), self._version)

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order. Raises KeyError for a kind that no model of ink is asked."""
        return finished(self.steps(questions, lambda: max(1, len(questions))))

    @torch.inference_mode()
    def steps(self, questions: Sequence[Question], at_once: AtOnce) -> Steps[list[Answer]]:
        """The same a part at a time (`models.steps.Stepwise`)."""
        images = [question.image for question in questions]
        raw = yield from in_parts(self._decoded, questions, images, at_once)
        again = {
            index: image
            for index, (question, one) in enumerate(zip(questions, raw, strict=True))
            if asked_again(question, one) and (image := question.alternate) is not None
        }
        # Pictures are dear to these models: one more look must do.
        some = [questions[i] for i in again]
        second = yield from in_parts(self._decoded, some, list(again.values()), at_once)
        others = {number: (one,) for number, one in zip(again, second, strict=True)}
        return [
            settled(question, one, others.get(i, ()), self._calibration)
            for i, (question, one) in enumerate(zip(questions, raw, strict=True))
        ]

    @torch.inference_mode()
    def choose(self, pictures: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str]) -> list[list[float]]:
        """How likely each word is to be the answer, for each picture and prompt, scored on first tokens in one pass.

        Raises ValueError where the tokenizer can't tell the words apart by their first tokens.
        """
        begun = self._vocabulary.told_apart(words)
        allow = one_of(one for several in begun for one in several)
        spoken = self._speaker.speak(
            [Prompt(picture, text, allow) for picture, text in zip(pictures, texts, strict=True)]
        )
        return [[_chance(one.first, several) for several in begun] for one in spoken]

    def _decoded(self, questions: Sequence[Question], images: Sequence[Pixels]) -> list[Raw]:
        # The same image object stays the same picture: it is seen once.
        pictures = {id(image): Image.fromarray(image) for image in images}
        states = [self._states(question) for question in questions]
        prompts = [
            Prompt(pictures[id(image)], PROMPTS[question.kind], self._allowed(question, words), longest(question) + 1)
            for question, image, words in zip(questions, images, states, strict=True)
        ]
        raw = []
        for question, words, spoken in zip(questions, states, self._speaker.speak(prompts), strict=True):
            chances = {word: _chance(spoken.first, several) for word, several in words.items()}
            state = next((word for word, several in words.items() if spoken.tokens[0] in several), None)
            if question.kind in CHOICES:
                # Several beginnings of one word may together be likelier than the likeliest beginning.
                state = max(chances, key=lambda word: chances[word])
            sure = math.exp(spoken.log_probability) if state is None else chances[state]
            said = state or "".join(
                self._vocabulary.said(one, _alphabet(question)) for one in spoken.tokens if one != self._speaker.stop
            )
            raw.append(Raw(said, sure, 1 - chances[EMPTY]))
        return raw

    def _states(self, question: Question) -> dict[str, list[int]]:
        """The answers of one word, and the tokens each may begin with."""
        answers = CHOICES.get(question.kind, (EMPTY, ILLEGIBLE))
        begun = dict(zip(answers, self._vocabulary.told_apart([WORDS[one] for one in answers]), strict=True))
        if question.kind in CHOICES:
            return begun
        # A beginning that could be the field's own letters is left to them, unless the word has no other.
        letters = set(_alphabet(question))
        free = {
            word: [
                one for one in several if not set(self._vocabulary.said(one, _alphabet(question)).strip()) <= letters
            ]
            for word, several in begun.items()
        }
        return {word: free[word] or several[:1] for word, several in begun.items()}

    def _allowed(self, question: Question, states: Mapping[str, Sequence[int]]) -> Allow:
        words = [one for several in states.values() for one in several]
        if question.kind in CHOICES:
            return one_of(words)
        alphabet, room, stop = _alphabet(question), longest(question), self._speaker.stop
        taken = set(words)

        def allow(said: Sequence[int]) -> Sequence[int]:
            if not said:
                return [*words, *(n for n in self._vocabulary.writing(alphabet, room, first=True) if n not in taken)]
            if said[0] in taken or said[-1] == stop:
                return ()
            left = room - len("".join(self._vocabulary.said(one, alphabet) for one in said).lstrip(" "))
            return (stop, *(self._vocabulary.writing(alphabet, left) if left > 0 else ()))

        return allow


def _alphabet(question: Question) -> str:
    return "".join(letter for letter in question.alphabet or CHARACTERS if letter in CHARACTERS)


def _chance(first: Mapping[int, float], several: Sequence[int]) -> float:
    return sum(math.exp(first[one]) for one in several)
