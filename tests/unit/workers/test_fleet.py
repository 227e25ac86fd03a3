"""Versions come and go while documents are judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from pipeline.canary import judged_by_canary
from pipeline.reading import Answer, Question, Reader
from records.model_versions import Staged, Standing
from workers.fleet import Fleet

MINE = next(f"{number:064x}" for number in range(100) if judged_by_canary(f"{number:064x}", "v2", 0.5))
OTHER = next(f"{number:064x}" for number in range(100) if not judged_by_canary(f"{number:064x}", "v2", 0.5))
V1, V2 = Staged("v1", "production", None), Staged("v2", "production", "models/v2.tar")


class Named:
    """A reader that says nothing and knows whether it was closed."""

    def __init__(self, version: str) -> None:
        self.version, self.closed = version, False

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return []

    def close(self) -> None:
        self.closed = True


class Records:
    """What the records say, to be changed by a test; and the readers that were loaded."""

    def __init__(self, standing: Standing) -> None:
        self.standing, self.made, self.fails = standing, list[Named](), False

    def load(self, version: str, key: str) -> Reader:
        if self.fails:
            raise OSError("no archive")
        self.made.append(Named(version))
        return self.made[-1]

    def fleet(self) -> Fleet:
        return Fleet(Named("v1"), lambda: self.standing, self.load, refresh_seconds=0.0)


def judged(fleet: Fleet, document: str = OTHER) -> str:
    with fleet.judging(document) as reader:
        return reader.version


def eventually(fleet: Fleet, document: str, version: str) -> None:
    until = time.monotonic() + 5
    while judged(fleet, document) != version:
        assert time.monotonic() < until, f"{version} never judged"
        time.sleep(0.01)


def test_the_installed_one_judges_until_the_records_name_another() -> None:
    records = Records(Standing(V1))
    fleet = records.fleet()
    assert judged(fleet) == "v1" and not records.made
    records.standing = Standing(V2)
    eventually(fleet, OTHER, "v2")
    records.standing = Standing(V1)
    assert judged(fleet) == "v1"


def test_a_process_that_starts_waits_for_the_one_in_production() -> None:
    fleet = Records(Standing(V2)).fleet()
    fleet.look(wait=True)
    assert judged(fleet) == "v2"


def test_a_canary_judges_its_share_alone() -> None:
    records = Records(Standing(V1, Staged("v2", "canary", "models/v2.tar", 0.5)))
    fleet = records.fleet()
    eventually(fleet, MINE, "v2")
    assert judged(fleet, OTHER) == "v1"
    with fleet.shadow() as reader:
        assert reader is None


def test_a_shadow_judges_nothing() -> None:
    fleet = Records(Standing(V1, Staged("v2", "shadow", "models/v2.tar"))).fleet()
    fleet.look(wait=True)
    assert {judged(fleet, MINE), judged(fleet, OTHER)} == {"v1"}
    with fleet.shadow() as reader:
        assert reader is not None and reader.version == "v2"


def test_a_document_is_judged_by_one_version_from_beginning_to_end() -> None:
    records = Records(Standing(V1, Staged("v2", "canary", "models/v2.tar", 0.5)))
    fleet = records.fleet()
    eventually(fleet, MINE, "v2")
    begun, go_on = threading.Event(), threading.Event()
    seen: list[bool] = []

    def judge() -> None:
        with fleet.judging(MINE) as reader:
            begun.set()
            go_on.wait(5)
            seen.append(getattr(reader, "closed", True))

    thread = threading.Thread(target=judge)
    thread.start()
    begun.wait(5)
    records.standing = Standing(V1)
    assert judged(fleet, MINE) == "v1"
    go_on.set()
    thread.join()
    assert seen == [False]
    assert records.made[0].closed


def test_what_cannot_be_loaded_changes_nothing_and_is_not_tried_at_once_again() -> None:
    records = Records(Standing(V2))
    records.fails = True
    fleet = records.fleet()
    fleet.look(wait=True)
    assert judged(fleet) == "v1"
    records.fails = False
    fleet.look(wait=True)
    assert judged(fleet) == "v1" and not records.made


def test_settings_that_pin_the_model_look_at_no_records() -> None:
    fleet = Fleet(Named("v1"), lambda: Standing(V2), None, refresh_seconds=0.0)
    fleet.look(wait=True)
    assert judged(fleet) == "v1"
