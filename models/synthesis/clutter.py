"""What stands on letters and deeds beside print and ink and must not be taken for a signature: crests, logos, plots,
diagrams, barcodes, photographs, rules, ticks and numbers printed sideways."""

from __future__ import annotations

import cv2
import numpy as np

from models.synthesis.faces import Face, Materials
from models.synthesis.leaf import HANDWRITING, PRINT, PX_PER_MM, Leaf
from models.synthesis.strokes import Mask, Points, curve, stroke
from pipeline.reading import Pixels

#: What a pen leaves on a page that was checked: at print a ring around it, a line through or under it, or a tick; and
#: anywhere a cross, a bracket or an arrow.
RING, THROUGH, UNDER, TICK, CROSS, BRACKET, ARROW = range(7)


def masked(canvas: Pixels) -> Mask:
    """A canvas of 0 to 255 as ink."""
    return np.asarray(canvas / np.float32(255), np.float32)


def turned(mask: Mask, degrees: float) -> Mask:
    """Ink turned about its middle on a canvas that holds it whole."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * sin + width * cos) + 2, int(height * cos + width * sin) + 2
    matrix[:, 2] += size[0] / 2 - width / 2, size[1] / 2 - height / 2
    return np.asarray(cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def crest(rng: np.random.Generator, materials: Materials, side: int) -> Mask:
    """A logo: rings, shields, stars, monograms and curves in each other."""
    canvas = np.zeros((side, side), np.uint8)
    middle, line = side / 2, max(1, int(side * rng.uniform(0.01, 0.05)))
    for place in range(int(rng.integers(1, 5))):
        radius = middle * rng.uniform(0.25, 0.95) * (1 - 0.12 * place)
        kind = rng.integers(6)
        fill = -1 if rng.random() < 0.25 else line
        shade = 0 if fill == -1 and rng.random() < 0.4 else 255
        if kind == 0:
            axes = int(radius), int(radius * rng.uniform(0.5, 1))
            cv2.ellipse(canvas, (int(middle), int(middle)), axes, 0, 0, 360, shade, fill, cv2.LINE_AA)
        elif kind in (1, 2):
            corners = int(rng.integers(3, 11))
            angles = np.arange(corners) / corners * 2 * np.pi + rng.uniform(0, 6)
            reach = radius * np.where(np.arange(corners) % 2, rng.uniform(0.4, 1), 1)
            points = _points(np.stack([middle + reach * np.cos(angles), middle + reach * np.sin(angles)], 1))
            _shape(canvas, points if kind == 1 else curve(np.concatenate([points, points[:1]])), shade, fill)
        elif kind == 3:
            points = _points(rng.uniform(-1, 1, (int(rng.integers(3, 8)), 2)) * radius * 0.8 + middle)
            cv2.polylines(canvas, [curve(points).astype(np.int32)], False, 255, line * 2, cv2.LINE_AA)
        elif kind == 4:
            _monogram(rng, materials, canvas, radius)
        else:
            for step in range(int(rng.integers(3, 9))):
                y = int(middle - radius + step * radius / 4)
                cv2.line(canvas, (int(middle - radius), y), (int(middle + radius), y + line * 2), shade, line)
    return masked(canvas)


def _points(given: object) -> Points:
    return np.asarray(given, np.float32)


def _shape(canvas: Pixels, points: Points, shade: int, fill: int) -> None:
    corners = [points.astype(np.int32)]
    if fill == -1:
        cv2.fillPoly(canvas, corners, shade, cv2.LINE_AA)
    else:
        cv2.polylines(canvas, corners, True, 255, fill, cv2.LINE_AA)


def _monogram(rng: np.random.Generator, materials: Materials, canvas: Pixels, radius: float) -> None:
    face = printing(rng, materials)
    word = face.word("".join("ABCDEFGHKLMNPRSTUVW"[rng.integers(19)] for _ in range(rng.integers(1, 4))), radius).mask
    side = canvas.shape[0]
    if word.shape[1] > side:
        word = cv2.resize(word, (side, max(1, word.shape[0] * side // word.shape[1])))
    y, x = max(0, (side - word.shape[0]) // 2), max(0, (side - word.shape[1]) // 2)
    part = canvas[y : y + word.shape[0], x : x + word.shape[1]]
    np.maximum(part, (word[: part.shape[0], : part.shape[1]] * 255).astype(np.uint8), out=part)


def printing(rng: np.random.Generator, materials: Materials) -> Face:
    """One of the faces of print."""
    return materials.prints[int(rng.integers(len(materials.prints)))]


def drawing(rng: np.random.Generator, materials: Materials, height: int, width: int) -> Mask:
    """A plot, a diagram or a line drawing with slanted lines, curves and a few labels."""
    canvas = np.zeros((height, width), np.uint8)
    line = max(1, int(rng.integers(1, 4)))
    kind = rng.integers(3)
    if kind == 0:
        _plot(rng, canvas, line)
    elif kind == 1:
        _diagram(rng, canvas, line)
    else:
        for _ in range(int(rng.integers(4, 24))):
            points = _points(rng.uniform(0, 1, (int(rng.integers(2, 7)), 2)) * (width, height))
            path = curve(points) if rng.random() < 0.5 else points
            cv2.polylines(canvas, [path.astype(np.int32)], bool(rng.random() < 0.3), 255, line, cv2.LINE_AA)
    ink = masked(canvas)
    face = printing(rng, materials)
    for _ in range(int(rng.integers(0, 9))):
        word = face.word(("A", "Fig. 1", "t (s)", "B 12", "max", "100", "x", "Temp.", "50 %")[rng.integers(9)], 13).mask
        if word.shape[0] < height and word.shape[1] < width:
            y, x = int(rng.integers(height - word.shape[0])), int(rng.integers(width - word.shape[1]))
            part = ink[y : y + word.shape[0], x : x + word.shape[1]]
            np.maximum(part, word, out=part)
    return ink


def _plot(rng: np.random.Generator, canvas: Pixels, line: int) -> None:
    height, width = canvas.shape
    cv2.polylines(canvas, [np.array([(8, 4), (8, height - 8), (width - 4, height - 8)], np.int32)], False, 255, line)
    for _ in range(int(rng.integers(1, 6))):
        count = int(rng.integers(3, 30))
        across = np.linspace(10, width - 10, count)
        down = height * (0.5 + 0.4 * np.cumsum(rng.normal(0, 1, count)) / max(2.0, count**0.5))
        points = _points(np.stack([across, np.clip(down, 4, height - 8)], 1))
        path = curve(points) if rng.random() < 0.6 else points
        cv2.polylines(canvas, [path.astype(np.int32)], False, 255, line, cv2.LINE_AA)
        if rng.random() < 0.4:
            for x, y in points.astype(int).tolist():
                cv2.circle(canvas, (x, y), 3 + line, 255, line, cv2.LINE_AA)


def _diagram(rng: np.random.Generator, canvas: Pixels, line: int) -> None:
    height, width = canvas.shape
    places = rng.uniform(0.08, 0.8, (int(rng.integers(3, 9)), 2)) * (width, height)
    for x, y in places.astype(int).tolist():
        w, h = int(width * rng.uniform(0.06, 0.25)), int(height * rng.uniform(0.05, 0.2))
        if rng.random() < 0.7:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), 255, line)
        else:
            cv2.ellipse(canvas, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, 255, line, cv2.LINE_AA)
    for _ in range(int(rng.integers(2, 9))):
        start, end = (places[rng.integers(len(places))].astype(int).tolist() for _ in range(2))
        cv2.arrowedLine(canvas, start, end, 255, line, cv2.LINE_AA, tipLength=0.06)


def barcode(rng: np.random.Generator, height: int, width: int) -> Mask:
    """Bars."""
    bars = np.repeat(rng.random(max(1, width // 2)) < 0.5, 2).astype(np.float32)
    return np.repeat(bars[None], height, axis=0)


def photograph(rng: np.random.Generator, height: int, width: int) -> Mask:
    """A picture: grey areas without lines, sometimes screened."""
    coarse = rng.random((int(rng.integers(3, 12)), int(rng.integers(3, 12)))).astype(np.float32)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        picture = (picture > rng.random((height, width), np.float32)).astype(np.float32)
    return np.clip(np.asarray(picture, np.float32), 0, 1)


def sideways(leaf: Leaf, materials: Materials) -> None:
    """A number or a note printed up the side of the paper, as archives do."""
    rng = leaf.rng
    text = (
        str(rng.integers(10**6, 10**10)),
        "CONFIDENTIAL",
        f"Form {rng.integers(100, 999)}-B  rev. {rng.integers(1, 12)}/{rng.integers(60, 99)}",
        "Registered in England No. 472210",
    )[int(rng.integers(4))]
    word = printing(rng, materials).word(text, rng.uniform(11, 26)).mask
    mask = turned(word, (90, -90, 90, 4)[int(rng.integers(4))] + rng.normal(0, 1.0))
    x = rng.uniform(3, 11) * PX_PER_MM if rng.random() < 0.4 else leaf.width - mask.shape[1] - rng.uniform(3, 70)
    leaf.lay(mask, x, rng.uniform(0.05, 0.9) * (leaf.height - mask.shape[0]), PRINT)


def penned(leaf: Leaf, bold: float) -> None:
    """Marks of a pen that say nothing: ticks, crosses, rings around words, underlines, brackets, arrows."""
    rng, mm = leaf.rng, PX_PER_MM
    kind = int(rng.choice((RING, UNDER, TICK, CROSS, BRACKET, ARROW)))
    size = rng.uniform(4, 12) * mm
    if kind in (RING, UNDER, TICK):
        wide = size * (1.0 if kind == TICK else rng.uniform(2, 6))
        mask = checked(rng, int(wide), int(size), kind, bold)
    else:
        mask = _drawn(rng, kind, size, bold)
    x, y = rng.uniform(0.03, 0.9) * leaf.width, rng.uniform(0.08, 0.92) * leaf.height
    leaf.lay(mask, x, y, HANDWRITING, float(rng.uniform(0.6, 1.0)))


def _drawn(rng: np.random.Generator, kind: int, size: float, bold: float) -> Mask:
    """A cross, a bracket or an arrow."""
    canvas = np.zeros((int(size * 1.6), int(size * 1.3)), np.uint8)
    height, width = canvas.shape

    def at(across: float, down: float) -> tuple[float, float]:
        jitter = rng.normal(0, 0.03, 2)
        return float((across + jitter[0]) * width), float((down + jitter[1]) * height)

    if kind == CROSS:
        stroke(canvas, [at(0.15, 0.15), at(0.5, 0.5), at(0.85, 0.85)], bold)
        stroke(canvas, [at(0.85, 0.15), at(0.5, 0.5), at(0.15, 0.85)], bold)
    elif kind == BRACKET:
        stroke(canvas, [at(0.7, 0.05), at(0.35, 0.2), at(0.35, 0.8), at(0.7, 0.95)], bold)
    else:
        stroke(canvas, [at(0.1, 0.9), at(0.4, 0.5), at(0.85, 0.15)], bold)
        stroke(canvas, [at(0.6, 0.15), at(0.85, 0.15), at(0.8, 0.45)], bold)
    return masked(canvas)


def checked(rng: np.random.Generator, width: int, height: int, kind: int, bold: float) -> Mask:
    """What a pen leaves at print of that size, in the middle of its canvas: `RING`, `THROUGH`, `UNDER` or `TICK`."""
    canvas = np.zeros((int(height * 2 + 12), int(width * 1.5 + 12)), np.uint8)
    middle_x, middle_y = canvas.shape[1] / 2, canvas.shape[0] / 2

    def at(across: float, down: float) -> tuple[float, float]:
        x, y = rng.normal(0, 0.06 * height, 2)
        return float(middle_x + across * width / 2 + x), float(middle_y + down * height / 2 + y)

    if kind == RING:
        start = rng.uniform(0, 6)
        angles = np.linspace(start, start + rng.uniform(5.8, 7.5), 14)
        wide, high = rng.uniform(1.15, 1.4), rng.uniform(1.3, 1.8)
        stroke(canvas, [at(wide * np.cos(one), high * np.sin(one)) for one in angles], bold)
    elif kind == THROUGH:
        lean = rng.uniform(-1.4, 1.4)
        stroke(canvas, [at(place, lean * place) for place in (-1.1, -0.4, 0.4, 1.1)], bold)
    elif kind == UNDER:
        stroke(canvas, [at(place, 1.3) for place in (-1.0, -0.3, 0.3, 1.0)], bold)
    else:
        size = max(1.0, rng.uniform(1.0, 1.8) * height / max(1, width))
        stroke(canvas, [at(-0.7 * size, 0.1), at(-0.3 * size, 0.9), at(0.8 * size, -1.2)], bold)
    return masked(canvas)


def hole(rng: np.random.Generator, radius: int) -> Mask:
    """A punch hole as copies show it: a ring, dark or grained within."""
    side = 2 * radius + 1
    canvas = np.zeros((side, side), np.uint8)
    cv2.circle(canvas, (radius, radius), radius - 2, 255, -1, cv2.LINE_AA)
    grains = rng.random((side, side), np.float32) < rng.uniform(0.1, 1.0)
    inside = masked(canvas) * cv2.GaussianBlur(grains.astype(np.float32), (0, 0), float(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.6:
        canvas[:] = 0
        cv2.circle(canvas, (radius, radius), radius - 2, 255, int(rng.integers(1, 4)), cv2.LINE_AA)
        inside = np.maximum(inside, masked(canvas))
    return np.asarray(np.clip(inside, 0, 1), np.float32)
