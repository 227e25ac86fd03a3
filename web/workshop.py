"""Where files of strangers are looked at for document types: in a process of its own each, with limits of time and
memory, so that a broken file brings nothing else down. `python -m web.workshop` is that process.

A job and its result are JSON; pages and overviews go through a folder that both know.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.doctypes.author import drafted, page_name, png
from pipeline.doctypes.load import known
from pipeline.doctypes.preview import check
from pipeline.pages import BadFile, Limits
from workers.bonds import die_with_parent, limit_memory
from workers.resolve import resolve

#: Recovering a blank from sixty samples, or trying a long sample, ends after so long.
SECONDS = 600.0
#: Address space of the process.
MEMORY_BYTES = 6 * 2**30
#: Pages of a blank or a sample, at most.
MOST_PAGES = 20
OVERVIEW = "overview.png"
#: Who reads print, so that proposed fields are called after it; named, since only that process needs it.
PRINTED: str | None = "docvigil.wiring:printed_words"


class Failed(ValueError):
    """The files could not be used; the message says why."""


def draft(folder: Path, name: str, title: str, files: Sequence[str], limits: Limits, printed: str | None) -> Any:
    """Makes a draft of these files in `folder`, leaving its blank pages there: `body`, `pages`, `told`. `printed` names
    who reads print (`package.module:function`). Raises Failed."""
    job = {"what": "draft", "name": name, "title": title, "files": list(files), "printed": printed}
    return _run(folder, {**job, "limits": _plain(limits)})


def attempt(folder: Path, doctype: str, sample: str, types: Path | None, limits: Limits) -> Any:
    """Tries the type in the folder `doctype` on a sample, both in `folder`, and leaves an overview there: `sound`,
    `remarks`, `pages`. `types` is the folder of the user's own types. Raises Failed."""
    job = {"what": "try", "doctype": doctype, "sample": sample, "types": None if types is None else str(types)}
    return _run(folder, {**job, "limits": _plain(limits)})


def _run(folder: Path, job: Mapping[str, Any]) -> Any:
    command = [sys.executable, "-m", "web.workshop", str(folder)]
    try:
        done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"This took longer than {SECONDS / 60:.0f} minutes; give fewer or smaller files.") from None
    if done.returncode != 0:
        raise Failed("The files could not be read: the process that looked at them broke down. Save them anew as PDF.")
    result = json.loads(done.stdout.splitlines()[-1])
    if "failed" in result:
        raise Failed(result["failed"])
    return result


def _plain(limits: Limits) -> dict[str, Any]:
    return {**asdict(limits), "max_pages": min(limits.max_pages, MOST_PAGES)}


def main() -> None:
    """Does the job on standard input in the folder named, and tells what came of it."""
    die_with_parent()
    limit_memory(MEMORY_BYTES)
    folder, job = Path(sys.argv[1]), json.load(sys.stdin)
    try:
        told = _draft(folder, job) if job["what"] == "draft" else _attempt(folder, job)
    except BadFile as bad:
        told = {"failed": _bare(str(bad), folder)}
    except ValueError as wrong:
        told = {"failed": _bare(str(wrong), folder)}
    print(json.dumps(told))


def _draft(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    printed = None if job["printed"] is None else resolve(job["printed"])()
    files = [folder / name for name in job["files"]]
    made = drafted(job["name"], job["title"], files, Limits(**job["limits"]), printed)
    for number, blank in enumerate(made.blanks, 1):
        (folder / page_name(number)).write_bytes(png(blank.image))
    return {"body": json.loads(json.dumps(made.body)), "pages": len(made.blanks), "told": made.told}


def _attempt(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    others = known(None if job["types"] is None else Path(job["types"]))
    one, sample = folder / job["doctype"], folder / job["sample"]
    mine = job["doctype"]
    report = check(
        one,
        sample,
        folder / OVERVIEW,
        limits=Limits(**job["limits"]),
        # The version that is drawn takes the place of the one there is.
        others=[each for each in others if each.name != mine],
    )
    return {"sound": report.sound, "remarks": list(report.remarks), "pages": [asdict(page) for page in report.pages]}


def _bare(sentence: str, folder: Path) -> str:
    """Without the names of our own folders."""
    told = sentence.replace(f"{folder}/", "")
    return told[:1].upper() + told[1:]


if __name__ == "__main__":
    main()
