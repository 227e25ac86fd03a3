"""Impressions of rubber stamps: lines in a frame or around a circle, inked unevenly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from models.synthesis.faces import Face, Materials
from models.synthesis.strokes import Mask, put


def stamp(
    rng: np.random.Generator,
    materials: Materials,
    height: int,
    width: int,
    lines: Sequence[str],
    *,
    rounded: bool = False,
    worn: float = 1.0,
    turn: float = 7.0,
) -> Mask:
    """A stamp with these lines as ink of that size. `worn` from 0 (all of it printed) to 1; `turn` in degrees."""
    face = materials.prints[rng.integers(len(materials.prints))]
    # Small print is drawn large and made smaller, or it would break up.
    scale = 2 if height < 120 else 1
    ink = np.zeros((height * scale, width * scale), np.float32)
    line = max(1, int(height * scale * rng.uniform(0.008, 0.025)))
    if rounded:
        _circle(rng, face, ink, lines, line)
    else:
        _frame(rng, face, ink, lines, line)
    angle = float(rng.normal(0, turn))
    matrix = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), angle, 1)
    turned = cv2.warpAffine(ink, matrix, (ink.shape[1], ink.shape[0]), flags=cv2.INTER_LINEAR)
    if scale != 1:
        turned = cv2.resize(turned, (width, height), interpolation=cv2.INTER_AREA)
    texture = cv2.resize(
        rng.random((max(2, height // 8), max(2, width // 8))).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    uneven = np.clip(0.35 + 1.1 * texture * rng.uniform(0.6, 1.4), 0, 1)
    even = turned * (1 - worn * (1 - uneven))
    if rng.random() < 0.15 * worn:
        even[:, : int(width * rng.uniform(0, 0.3))] *= 0.15
    return np.asarray(even, np.float32)


def _frame(rng: np.random.Generator, face: Face, ink: Mask, lines: Sequence[str], line: int) -> None:
    """Lines one under another, mostly framed."""
    height, width = ink.shape
    wide = width * rng.uniform(0.7, 0.96) if width < height * 4 else height * rng.uniform(1.8, 3.2)
    high = height * rng.uniform(0.65, 0.95)
    x, y = rng.uniform(0, max(1.0, width - wide)), (height - high) / 2
    if rng.random() < 0.75:
        cv2.rectangle(ink, (int(x), int(y)), (int(x + wide), int(y + high)), 1.0, line)
    row = high / (len(lines) + 0.4)
    for place, text in enumerate(lines):
        word = face.word(text, row * 0.55).mask
        limit = wide * 0.9
        if word.shape[1] > limit:
            word = _shrunk(word, limit / word.shape[1])
        put(ink, word, x + (wide - word.shape[1]) / 2, y + row * (place + 0.7) - word.shape[0] / 2)


def _circle(rng: np.random.Generator, face: Face, ink: Mask, lines: Sequence[str], line: int) -> None:
    """The first line around a circle, the others in it."""
    height, width = ink.shape
    radius = int(min(height, width) * rng.uniform(0.4, 0.48))
    x = int(width * rng.uniform(0.35, 0.65)) if width > 2 * radius + 4 else width // 2
    y, inner = height // 2, int(radius * 0.66)
    cv2.circle(ink, (x, y), radius, 1.0, line, cv2.LINE_AA)
    if rng.random() < 0.6:
        cv2.circle(ink, (x, y), inner, 1.0, line, cv2.LINE_AA)
    ring = f"{lines[0]} * "
    for place, letter in enumerate(ring):
        angle = place / len(ring) * 2 * math.pi
        word = face.word(letter, min(radius * 0.2, 4.6 * radius / len(ring))).mask
        side = int(radius * 0.34) + 2
        cell = np.zeros((side, side), np.float32)
        put(cell, word, (side - word.shape[1]) / 2, (side - word.shape[0]) / 2)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), -math.degrees(angle), 1)
        cell = np.asarray(cv2.warpAffine(cell, turn, (side, side)), np.float32)
        put(ink, cell, x + math.sin(angle) * radius * 0.82 - side / 2, y - math.cos(angle) * radius * 0.82 - side / 2)
    rows = list(lines[1:])
    for place, text in enumerate(rows):
        word = face.word(text, min(radius * 0.2, radius * 0.8 / len(rows))).mask
        if word.shape[1] > inner * 1.7:
            word = _shrunk(word, inner * 1.7 / word.shape[1])
        middle = y + (place - (len(rows) - 1) / 2) * radius * 0.36
        put(ink, word, x - word.shape[1] / 2, middle - word.shape[0] / 2)


def _shrunk(word: Mask, factor: float) -> Mask:
    size = (max(1, int(word.shape[1] * factor)), max(1, int(word.shape[0] * factor)))
    return np.asarray(cv2.resize(word, size, interpolation=cv2.INTER_AREA), np.float32)
