"""A simulated year of learning: a stamp that the model was never shown, reviewers, the quarter's training, the gate,
shadow, canary and production; then a year whose labels are poisoned, and a canary that is bad on purpose.

    python -m benchmarks.year [learn] [poisoned] [bad] [--golden 1800 --learned 600] [--begun DIR] [--fonts DIR ...]

Everything is what `docvigil up` runs, on Postgres and Redis of its own; only the reviewers and the forms are made up
(`benchmarks.panel`, `benchmarks.branch`), and the calendar's quarter comes within minutes. Settings other than the
defaults are in `benchmarks.season`. The first two stories begin alike, with what is made once and copied for each;
with `--begun` it stays in that folder for other runs. With `--json` each story ends with one object.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from benchmarks import branch
from benchmarks.panel import Reviewer
from benchmarks.season import (
    EXAMPLES,
    GUARD_SECONDS,
    ZONE,
    Year,
    errors,
    looked_at,
    report,
    say,
    stages,
    trained,
    until,
)
from benchmarks.spoiled import bad, spoiled
from docvigil.bench.plant import Plant
from docvigil.embedded.folders import reachable
from models.checkpoint import bundled
from models.synthesis.faces import Found
from records import examples, gathering, golden, model_trials, model_versions

STORIES = ("learn", "poisoned", "bad")

HONEST = (Reviewer("asha"), Reviewer("bharat"))
#: Whose labels of one class are wrong a fifth of the time.
CARELESS = Reviewer("chitra", {"signature.missing": 0.2})

#: What is learned of, and the style that is new.
STYLE = "signature.missing, stamped"

#: Of the documents of the beginning so many are decided on by everybody, so that it is known who errs.
BY_ALL = 800

#: A document gives about one example, one of ten is held out, and where a class is set aside half are left. The gate
#: needs some 730 documents of each of two classes.
LEAST = {"learn": round(1.2 * EXAMPLES / 0.9), "poisoned": round(1.2 * EXAMPLES / 0.9 / 0.5)}
LEAST_GOLDEN = 1500

#: Documents dropped at once on a version on trial, and how often at most.
BATCH, BATCHES = 200, 15

TWO_DECIDE = {"DOCVIGIL_FOUR_EYES": json.dumps(sorted(branch.FIELDS.values()))}


def begin(year: Year, golden_documents: int, learned: int) -> dict[str, Any]:
    """The beginning of the year, and what is told of it: documents that two people decide on become the golden set;
    those to be learned from have verdicts and wait for people."""
    told: dict[str, Any] = {"golden_documents": golden_documents, "learned": learned}
    with year.running(**TWO_DECIDE) as running:
        new = year.drop(running, BY_ALL)
        decisions = year.decide(running, [*HONEST, CARELESS], two=True)
        new += year.drop(running, golden_documents - BY_ALL)
        say(f"{golden_documents} documents have verdicts; two people decide on each")
        decisions += year.decide(running, HONEST, two=True)
        told["before"] = errors(running, new)
        say(f"{decisions} decisions; production: {told['before']}")
        with running.desk.sessions.begin() as session:
            gathering.gather(session, running.desk.store)
            told["golden"] = golden.freeze(session, by="model owner").examples
        say(f"golden set frozen: {told['golden']} examples")
    with year.running() as running:
        year.drop(running, learned)
    year.keep(**told)
    return told


def begun(folder: Path, given: argparse.Namespace) -> tuple[Year, dict[str, Any]]:
    """The beginning in a folder, made where it isn't there; ends the program for one of other sizes."""
    found = Year.kept(folder, _using(given))
    if found is None:
        shutil.rmtree(folder / "home", ignore_errors=True)
        say("the beginning of the year is made")
        year = Year(folder, _using(given), given.seed)
        return year, begin(year, given.golden, given.learned)
    year, told = found
    if (told["golden_documents"], told["learned"], year.seed) != (given.golden, given.learned, given.seed):
        sys.exit(f"{folder} holds a beginning of other sizes or of another seed; give another folder, or remove it")
    say(f"the year begins as in {folder}")
    return year, told


def school(year: Year, reviewers: Sequence[Reviewer]) -> dict[str, Any]:
    """One person decides on each document that is learned from, and the calendar has the quarter's training due. Ends
    the program where the training would be refused for want of examples."""
    told: dict[str, Any] = {}
    with year.running() as running:
        say(f"{year.decide(running, reviewers)} decisions of one person each on documents to learn from")
        with running.desk.sessions.begin() as session:
            gathering.gather(session, running.desk.store)
            told["examples"] = examples.counted(session)
        say(f"examples: {told['examples']}")
        if (count := sum(one.get("train", 0) for one in told["examples"].values())) < EXAMPLES:
            sys.exit(f"There are {count} examples to learn from and a training needs {EXAMPLES}: raise --learned")
        before = _production(running)
    due = datetime.now(ZoneInfo(ZONE)) + timedelta(minutes=1.5)
    with year.running(DOCVIGIL_RETRAIN_AT=f"{due.minute} {due.hour} * * *") as running:
        say(f"the calendar has a training due at {due:%H:%M}")
        done = until(partial(trained, running), 3600)
        shown = {name: done.progress.get(name) for name in ("examples", "set_aside", "gate")}
        told["training"] = {"cause": done.cause, "stage": done.stage, "error": done.error, **shown}
        say(f"training {done.id} ({done.cause}): {done.stage}. {done.error or ''}")
        for check, one in ((shown["gate"] or {}).get("golden") or {}).get("classes", {}).items():
            say(f"  {check}: {one}")
        told["stages"] = sorted(stages(running).values())
        told["production_stays"] = _production(running) == before
        report(running, year.folder / "report.html")
    return told


def _production(running: Plant) -> str | None:
    return next((version for version, stage in stages(running).items() if stage == "production"), None)


def trial(year: Year) -> dict[str, Any]:
    """Shadow and canary until the version is in production or back; then fresh documents, which it judges. Two decide:
    one reviewer's errors would count as the version's misses."""
    told: dict[str, Any] = {"moves": []}
    with year.running(**TWO_DECIDE) as running:
        before = stages(running)
        tried = next((one for one, stage in before.items() if stage in model_versions.TRIALS), "")
        for _ in range(BATCHES):
            year.drop(running, BATCH)
            year.decide(running, HONEST, two=True)
            until(partial(_settled, running, tried, before), GUARD_SECONDS, patient=True)
            now = stages(running)
            if now != before:
                told["moves"].append({"documents": len(year.truths), "stages": sorted(now.values())})
                say(f"after {len(year.truths)} documents: {now}")
                before = now
            if now.get(tried) not in model_versions.TRIALS:
                break
        with running.desk.sessions.begin() as session:
            told["waits"] = [reason for reasons in model_trials.waits(session).values() for reason in reasons]
        told["promoted"] = before.get(tried) == "production"
        new = year.drop(running, 2 * BATCH)
        told["after"] = errors(running, new)
        say(f"now: {told['after']}")
        report(running, year.folder / "report.html")
    return told


def _settled(running: Plant, tried: str, before: Mapping[str, str]) -> bool:
    """Whether the guard has moved the version on trial, or seen everything and lets it wait."""
    return stages(running) != before or looked_at(running, tried)


def learn(year: Year, told: dict[str, Any]) -> dict[str, Any]:
    """The story of a year in which people say what is right: whether the version that learned it comes into production,
    and how far its errors on the new style fell."""
    told |= school(year, HONEST)
    if told["training"]["stage"] != "passed":
        return told
    told |= trial(year)
    before, after = (told[when].get(STYLE, {"wrong": 0, "fields": 1}) for when in ("before", "after"))
    rates = [one["wrong"] / one["fields"] for one in (before, after)]
    told["error_on_new_style"] = rates
    promoted = "is in production" if told["promoted"] else f"is NOT in production: {told['waits']}"
    say(f"the new version {promoted}; errors on the new style: {rates[0]:.1%} before, {rates[1]:.1%} after")
    return told


def poisoned(year: Year, told: dict[str, Any]) -> dict[str, Any]:
    """The story of a year in which one person's labels are wrong: whether production stays, and who is named."""
    told |= school(year, [CARELESS])
    (check,) = CARELESS.errors
    page = (year.folder / "report.html").read_text(encoding="utf-8")
    told["named"] = any(one["who"] == CARELESS.name and one["check"] == check for one in told["training"]["set_aside"])
    told["report_names"] = CARELESS.name in page and check in page
    stays = "stays" if told["production_stays"] else "does NOT stay"
    say(f"production {stays}; {CARELESS.name} and {check} are named: {told['named'] and told['report_names']}")
    return told


def checked(stories: Sequence[str], golden_documents: int, learned: int) -> str | None:
    """Why these sizes are too small for a story, before hours are spent on it; None where they will do."""
    for story in stories:
        if learned < LEAST.get(story, 0):
            aside = ", since the examples of a class are set aside" if story == "poisoned" else ""
            return (
                f"{story} needs about {LEAST[story]} documents to learn from (--learned), not {learned}{aside}: a "
                f"training with fewer than {EXAMPLES} examples is refused"
            )
        if story in LEAST and golden_documents < LEAST_GOLDEN:
            return (
                f"{story} needs {LEAST_GOLDEN} documents for the golden set (--golden), not {golden_documents}: with "
                "fewer the gate can't tell that no class is worse"
            )
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", default=list(STORIES), help=f"of {', '.join(STORIES)}; all if none")
    parser.add_argument("--golden", type=int, default=1800, help="documents that the golden set is made from")
    parser.add_argument("--learned", type=int, default=600, help="documents that are learned from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--writers", type=Path)
    parser.add_argument("--reports", type=Path, help="a folder for the reports in HTML")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--begun", type=Path, help="a folder for the common beginning; taken from there if it is there")
    given = parser.parse_args()
    if unknown := sorted(set(given.stories) - set(STORIES)):
        parser.error(f"there is no story {', '.join(unknown)}")
    if (small := checked(given.stories, given.golden, given.learned)) is not None:
        parser.error(small)
    # Lines of the log would stand among what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with folder_of(given.begun) as beginning:
        for story in given.stories:
            say(f"story: {story}")
            with folder_of(None) as folder:
                result = _told(story, folder, beginning, given)
                if given.reports and (folder / "report.html").is_file():
                    given.reports.mkdir(parents=True, exist_ok=True)
                    shutil.copy(folder / "report.html", given.reports / f"{story}.html")
            if given.json:
                sys.stdout.write(json.dumps({"story": story, **result}) + "\n")
                sys.stdout.flush()


def _using(given: argparse.Namespace) -> Found:
    return Found(given.fonts, given.digits, given.writers)


def _told(story: str, folder: Path, beginning: Path, given: argparse.Namespace) -> dict[str, Any]:
    """What came of a story."""
    if story == "bad":
        year = Year(folder, _using(given), given.seed)
        return bad(year, spoiled(bundled(), folder / "spoiled"), HONEST)
    first, known = begun(beginning, given)
    return {"learn": learn, "poisoned": poisoned}[story](first.copied(folder), dict(known))


@contextmanager
def folder_of(named: Path | None) -> Iterator[Path]:
    """A folder that Postgres can reach, also as another user: the one that is named, or one for the time being."""
    if named is None:
        with tempfile.TemporaryDirectory(prefix="dv") as made:
            Path(made).chmod(0o755)
            yield Path(made)
        return
    named.mkdir(parents=True, exist_ok=True)
    if not reachable(named.resolve()):
        sys.exit(f"{named} can't be reached by every user, as Postgres has to; name another folder")
    yield named.resolve()


if __name__ == "__main__":
    main()
