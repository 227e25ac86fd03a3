"""What preparing takes at most, for PDFs of different length: it holds one page at a time, so all should take the same.

    python -m benchmarks.memory [--pages 50 500]

Coloured pages of one form, coarse so that five hundred don't take long, go through the worker's own way, each file in a
process of its own. Linux only.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import cv2
from PIL import Image

from records.objects import FolderStore
from records.words import Lease
from tests.unit.pipeline.paper import filled, make_type, scan
from workers.config import WorkerConfig
from workers.heartbeat import Work
from workers.knowledge import Types
from workers.prepare import prepare
from workers.station import Station

#: Coarse, and the form is found all the same.
DPI = 75

#: Different pages; a file repeats them.
DRAWN = 4


def peak_mib(folder: Path, count: int) -> float:
    """The most memory (MiB) that a process holds while it prepares a PDF of so many pages."""
    made = make_type(folder / "types", 80, width_mm=148, height_mm=210)
    file = io.BytesIO()
    drawn = [_page(scan(filled(made, seed), seed, dpi=DPI, noise=1.0).page.image) for seed in range(DRAWN)]
    first, *others = (drawn[number % DRAWN] for number in range(count))
    first.save(file, "PDF", save_all=True, append_images=others, resolution=DPI)
    sha256 = FolderStore(folder / "objects").receive([file.getvalue()]).sha256
    command = [sys.executable, "-m", "benchmarks.memory", "--prepare", str(folder), sha256]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    pages, cuts, peak = done.stdout.splitlines()[-1].split()
    if int(pages) != count or int(cuts) < count:
        raise SystemExit(f"of {count} pages {pages} were prepared and {cuts} fields cut: this measures nothing")
    return float(peak)


def _page(grey: cv2.typing.MatLike) -> Image.Image:
    page = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    page[40:60, 40:60] = (200, 40, 40)
    return Image.fromarray(page)


def _prepare(folder: Path, sha256: str) -> None:
    """Prepares a document, and prints its pages, its evidences and the most memory that this process held (MiB)."""
    cv2.setNumThreads(1)
    config = WorkerConfig(
        database_url="postgresql://nobody@/none", redis_url="", object_store=str(folder / "objects"), reader=""
    )
    station = Station(config)
    # Nothing is recorded, so that no database is needed.
    station.types = Types(str(folder / "types"), refresh_seconds=1e9)
    now, day = datetime.now(UTC), date(2026, 3, 2)
    lease = Lease(1, sha256, 1, 1, "prepare", "benchmark", 1, now, day, "application/pdf", 0, 0, 0, False)
    manifest = prepare(station, lease, Work((1, 1)))
    # Not getrusage, which counts what the parent held before this program began.
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise SystemExit("this system doesn't tell the peak of memory")
    print(len(manifest.pages), len(manifest.evidences), int(found.group(1)) / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--prepare", nargs=2, metavar=("FOLDER", "SHA256"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        _prepare(Path(given.prepare[0]), given.prepare[1])
        return
    for count in given.pages:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{count} pages: {peak_mib(Path(folder), count):.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
