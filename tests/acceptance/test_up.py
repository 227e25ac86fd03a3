"""`docvigil up` from outside: samples to look at, one owner a folder, nothing left behind, everything kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.docvigil_command import DocVigil, gone, until
from tests.services import open_folder

pytestmark = pytest.mark.timeout(900)

#: What runs under `up`, each a process of its own beneath which others may be.
CHILDREN = {
    "postgres",
    "redis",
    "relay",
    "reconcile",
    "worker-prepare",
    "worker-infer",
    "worker-train",
    "beat",
    "watch",
    "web",
}


@pytest.fixture
def docvigil() -> Iterator[DocVigil]:
    with open_folder() as folder:
        yield DocVigil(folder / "home")


def test_samples_show_flagged_documents_and_are_kept(docvigil: DocVigil) -> None:
    with docvigil.up("--samples") as up:
        up.until_it_says("docvigil runs")
        for where in (docvigil.home / "drop", docvigil.home / "logs", "docvigil queue"):
            assert str(where) in up.said
        up.until_it_says("  flagged  ")
        print(f"first flagged document after {time.monotonic() - up.started_at:.1f} s")
        until(lambda: docvigil.lines("balance", "--json")[1][0]["documents"] == 6, 120)
        until(lambda: docvigil.lines("balance", "--json")[1][0]["in_flight"] == 0, 240)
        code, told = docvigil.lines("balance", "--json")
        assert (code, told[0]["quarantined"], told[0]["refused"]) == (0, 0, 0)
        shown = [line.split()[2] for line in up.said.splitlines() if "  flagged  " in line]
        _, queued = docvigil.lines("queue", "--json")
        assert {one["document_id"][: len(shown[0])] for one in queued} >= set(shown)
        assert up.stop() == 0
        assert up.said.rstrip().splitlines()[-1].startswith("Stopped.")
    with docvigil.up("--samples") as up:
        up.until_it_says("samples were put there before")
        up.until_it_says("  flagged  ", times=len(shown))
        assert docvigil.lines("balance", "--json")[1][0]["documents"] == 6


def test_a_second_up_on_the_same_folder_is_refused_and_one_in_another_is_not(docvigil: DocVigil) -> None:
    other = DocVigil(docvigil.home.parent / "other")
    with docvigil.up() as up, other.up() as beside:
        up.until_it_says("docvigil runs")
        beside.until_it_says("docvigil runs")
        second = docvigil.run("up")
        assert second.returncode == 2
        told = second.stderr.replace("\n", " ")
        assert f"already runs in {docvigil.home} (process {up.process.pid})" in told and "DOCVIGIL_HOME" in told
        assert docvigil.lines("balance", "--json")[0] == other.lines("balance", "--json")[0] == 0
        assert up.process.poll() is None


def test_killed_it_takes_everything_along_and_comes_back(docvigil: DocVigil) -> None:
    with docvigil.up() as up:
        up.until_it_says("docvigil runs")
        until(lambda: len(up.children()) >= len(CHILDREN) + 2, 120)
        children = up.children()
        up.process.kill()
        up.process.wait()
        assert gone(children)
    with docvigil.up() as up:
        up.until_it_says("docvigil runs")
        children = up.children()
        assert up.stop(signal.SIGINT) == 0
        assert gone(children)


def test_what_dies_is_started_again(docvigil: DocVigil) -> None:
    with docvigil.up() as up:
        up.until_it_says("docvigil runs")
        until(lambda: len(psutil.Process(up.process.pid).children()) == len(CHILDREN), 60)
        for child in psutil.Process(up.process.pid).children():
            os.kill(child.pid, signal.SIGKILL)
        log = docvigil.home / "logs" / "up.log"
        started = '"event": "child.started"'
        until(lambda: log.read_text().count(started) >= 2 * len(CHILDREN) or up.process.poll() is not None, 120)
        assert up.process.poll() is None, up.said
        until(lambda: docvigil.run("balance").returncode == 0, 120)
        assert up.process.poll() is None


def test_a_drop_folder_that_cannot_be_made_is_refused(docvigil: DocVigil, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = docvigil.run("up", "--drop", tmp_path / "file" / "drop")
    assert done.returncode == 2 and "can't be made" in done.stderr


def test_a_worker_that_cannot_start_is_told(docvigil: DocVigil, tmp_path: Path) -> None:
    docvigil.settings["DOCVIGIL_MODEL_FOLDER"] = str(tmp_path / "no model")
    with docvigil.up() as up:
        up.until_it_says("worker-infer ends again and again")
        assert f"the model can't be loaded: {tmp_path / 'no model'} is no folder" in up.said
