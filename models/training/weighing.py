"""How marks on pages of free layout are weighed: `python -m models.training.weighing [FOLDER] [--count 400]`.

Pages of the test split are synthesised, the detector and the model of the folder look at them, and logistic weights
are fitted to what the marks really are. Both models are looked at as they ship,
so this is run again whenever one of them changes. It writes `spotting.json` beside them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import structlog
import torch

from models.checkpoint import bundled
from models.reader import load_reader
from models.spotting import SCALES, Spotter
from models.synthesis.faces import materials
from models.synthesis.leaf import DPI, Spread
from models.synthesis.letters import spread
from pipeline.cutting import cut_out
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.marks import FEATURES, Candidate, Scales, candidates
from pipeline.pages import Page
from pipeline.pictures import lean
from pipeline.reading import Pixels, Reader

log = structlog.get_logger(__name__)

Floats = npt.NDArray[np.float64]

#: A mark is right when it shares this much with a signature, of all that the two cover, or lies this much inside it.
SHARED, INSIDE = 0.25, 0.6

#: How strongly weights are held back towards nought: made-up pages don't tell everything about real ones.
HELD_BACK = 4.0

#: What can't speak against a signature on any page, and what can't speak for one; made-up pages may seem to say so.
FOR = (
    *("mean", "sure", "closing", "label", "name", "foot", "signing", "after", "named", "ruled"),
    *("model_mark", "model_signature"),
)
AGAINST = ("handwriting", "print", "rim", "other")

#: What networks tell of a mark. They know drawn pages better than real ones, which would leave no weight to where a
#: mark stands: weights are fitted to so many copies, to each of which so much noise (standard deviations) is added.
TOLD = ("mean", "sure", "handwriting", "print", "model_mark", "model_signature")
NOISE, COPIES = 0.75, 10

#: How many of the marks on real pages are taken to be signatures: drawn pages bear far more notes than real ones do,
#: and more names by hand in fields than real forms, which are mostly typed.
SIGNATURES = 0.8


def looked_at(detector: Spotter, reader: Reader, page: Spread) -> list[Candidate]:
    """The marks that are found on a synthesised page."""
    turned = Page(1, page.image, None, DPI)
    cut: Callable[[Box], Pixels] = partial(_cut, turned, lean(turned))
    return candidates(turned, detector, reader, lambda _near: page.words, cut)


def is_right(box: Box, signatures: tuple[Box, ...]) -> bool:
    """Whether a box is that of a signature."""
    for one in signatures:
        across, down = min(box.x1, one.x1) - max(box.x0, one.x0), min(box.y1, one.y1) - max(box.y0, one.y0)
        both = max(0.0, across) * max(0.0, down)
        own, other = box.width * box.height, one.width * one.height
        if both > SHARED * (own + other - both) or both > INSIDE * own:
            return True
    return False


def fitted(features: Floats, truth: Floats, held_back: float = HELD_BACK) -> tuple[Floats, float]:
    """Weights (one a column) and bias of a logistic regression, by Newton's method."""
    rows = np.column_stack([features, np.ones(len(features))])
    penalty = np.diag([held_back] * features.shape[1] + [1e-3])
    found = np.zeros(rows.shape[1])
    for _ in range(40):
        chances = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (chances - truth) + penalty @ found
        bend = (rows * (chances * (1 - chances))[:, None]).T @ rows + penalty
        found = found - np.linalg.solve(bend, slope)
    return found[:-1], float(found[-1])


def held(features: Floats, truth: Floats) -> tuple[Floats, float]:
    """As `fitted`, the columns being `FEATURES`: whatever would speak the wrong way is left out, the worst first."""
    signs = np.array([1.0 if name in FOR else -1.0 if name in AGAINST else 0.0 for name in FEATURES])
    kept = np.ones(len(FEATURES), bool)
    while True:
        found, bias = fitted(features * kept, truth)
        wrong = np.where(kept, found * signs, 0.0)
        if wrong.min() >= 0:
            return found * kept, bias
        kept[int(wrong.argmin())] = False


def unsure(features: Floats, truth: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Copies of marks (features in standard deviations, columns as `FEATURES`) and of what they are, in which networks
    are less sure of what they tell."""
    told = np.array([name in TOLD for name in FEATURES])
    copies = [features + rng.normal(0, NOISE, features.shape) * told for _ in range(COPIES)]
    return np.concatenate(copies), np.tile(truth, COPIES)


def weigh(folder: Path, count: int, seed: int) -> tuple[Scales, dict[str, float]]:
    """The weights, and what is to be known about how they were come by."""
    detector, reader, ink = Spotter.from_folder(folder), load_reader(folder), materials("test")
    marks: list[tuple[float, ...]] = []
    right: list[bool] = []
    pages: list[tuple[slice, bool]] = []
    for number in range(count):
        page = spread(np.random.default_rng([seed, number]), ink)
        found = looked_at(detector, reader, page)
        pages.append((slice(len(marks), len(marks) + len(found)), bool(page.signatures)))
        marks += [one.features for one in found]
        right += [is_right(one.box, page.signatures) for one in found]
        if number % 50 == 49:
            log.info("weighing", pages=number + 1, of=count)
    features, truth = np.array(marks), np.array(right, np.float64)
    spreads = features.std(axis=0) + 1e-6
    weights, bias = held(*unsure(features / spreads, truth, np.random.default_rng(seed)))
    weights = weights / spreads
    bias += float(np.log((1 - truth.mean()) / truth.mean() * SIGNATURES / (1 - SIGNATURES)))
    log_odds = features @ weights + bias
    scales = Scales(tuple(round(float(one), 4) for one in weights), round(bias, 4))
    told = np.array([scales.page(list(log_odds[own])) > 0.5 for own, _signed in pages])
    signed = np.array([one for _own, one in pages])
    return scales, {
        "pages": count,
        "seed": seed,
        "marks": len(marks),
        "marks right": float(truth.mean()),
        "marks told right": float(((log_odds > 0) == truth).mean()),
        "signed pages told": float(told[signed].mean()),
        "bare pages told signed": float(told[~signed].mean()),
    }


def _cut(page: Page, skew: float, box: Box) -> Pixels:
    return cut_out(page, FieldKind.SIGNATURE, box, skew).image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=bundled())
    parser.add_argument("--count", type=int, default=400, help="pages that are drawn")
    parser.add_argument("--seed", type=int, default=81)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    scales, told = weigh(given.folder, given.count, given.seed)
    text = json.dumps({"scales": asdict(scales), "features": FEATURES, "fitted_on": told}, indent=1)
    (given.folder / SCALES).write_text(text + "\n", encoding="utf-8")
    log.info("weighing.done", pages=given.count)


if __name__ == "__main__":
    main()
