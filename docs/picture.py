"""Takes docs/pictures/flagged.png anew: `python -m docs.picture`. Some minutes on two cores.

Documents with one planted defect each are made up, scanned and shown, as anybody would; the picture is of the one that
is flagged for its defect and least else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

TARGET = Path(__file__).with_name("pictures") / "flagged.png"

#: How many documents are made up, and from which seed.
COUNT, SEED = 8, 11

#: Wide enough to read, and small enough for a README: pixels, colours, bytes.
WIDTH, COLOURS, MOST_BYTES = 800, 96, 300_000


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        made, page = Path(home, "made"), Path(home, "page.png")
        _docvigil(home, "synthesise", str(made), "--count", str(COUNT), "--seed", str(SEED), "--defects", "1")
        _docvigil(home, "endorsers", "import", str(made / "endorsers.csv"))
        planted = {one["path"]: one["defects"] for one in _objects((made / "labels.jsonl").read_text())}
        files = [str(made / path) for path in planted]
        scanned = _objects(_docvigil(home, "scan", "--json", *files))
        found = [(one, _defect(one, planted[Path(one["path"]).name])) for one in scanned]
        good = [(one, defect) for one, defect in found if defect is not None]
        if not good:
            raise SystemExit("no planted defect was found as one; train the model, or try another SEED")
        best, defect = min(good, key=lambda pair: len(_wrong(pair[0])))
        number = str(defect["page"])
        _docvigil(home, "show", best["document_id"], "--image", str(page), "--page", number)
        _save(Image.open(page))


def _docvigil(home: str, *words: str) -> str:
    """What a command prints. Raises CalledProcessError where it fails; flagged documents are no failure."""
    command = [sys.executable, "-m", "docvigil", *words]
    done = subprocess.run(command, env={**os.environ, "DOCVIGIL_HOME": home}, stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout.decode()


def _objects(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def _wrong(scanned: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in scanned["findings"] if one["outcome"] != "pass"]


def _defect(scanned: dict[str, Any], defects: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The finding of a planted defect, where it was found and is sure."""
    keys = [(one["field"], one["check"]) for one in defects]
    sure = (one for one in _wrong(scanned) if one["outcome"] == "anomaly" and (one["field"], one["check"]) in keys)
    return next(sure, None)


def _save(picture: Image.Image) -> None:
    height = round(picture.height * WIDTH / picture.width)
    small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    # An octree keeps the few coloured frames, and the paper's noise becomes one grey.
    small = small.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    TARGET.parent.mkdir(exist_ok=True)
    small.save(TARGET, optimize=True)
    size = TARGET.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{TARGET.name} has {size} bytes; choose a smaller WIDTH or fewer COLOURS")


if __name__ == "__main__":
    main()
