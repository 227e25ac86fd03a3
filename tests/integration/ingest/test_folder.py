"""A drop folder on real Postgres: every file one arrival, every content one document, whatever happens meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ingest import folder
from ingest.tree import Tree
from records.objects import FolderStore, Received
from tests.integration.ingest.watching import Watch, bodies, files_in, until


def put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def test_whatever_its_name_a_file_is_taken_once_and_moved(watched: Watch, drop: Path) -> None:
    one, two, three, four, five = bodies(5)
    put(drop / "before.pdf", one)
    with watched.running(drop):
        put(drop / "new\nline.pdf", two)
        put(drop / "sub" / "आवेदन.pdf", three)
        put(Path(os.fsdecode(os.fsencode(drop) + b"/\xff\xfe.pdf")), four)
        put(watched.folder / "elsewhere" / "deep" / "in.pdf", five)
        (watched.folder / "elsewhere").rename(drop / "moved in")
        rows = watched.arrived(5)
        watched.listed(0)
    assert {row.status for row in rows} == {"document"} and {row.source for row in rows} == {str(drop)}
    names = {"before.pdf", "new\\nline.pdf", "sub/आवेदन.pdf", "\\xff\\xfe.pdf", "moved in/deep/in.pdf"}
    assert {row.path.removeprefix(f"{drop}/") for row in rows} == names
    assert watched.contents() == sorted(bodies(5))
    names = {"before.pdf", "new\nline.pdf", "sub/आवेदन.pdf", "\udcff\udcfe.pdf", "moved in/deep/in.pdf"}
    assert set(files_in(drop)) == {f"processed/{name}" for name in names}
    with watched.sessions.begin() as session:
        queued, judged_on, came = session.execute(
            text(
                "SELECT (SELECT count(*) FROM outbox), (SELECT max(judged_on) FROM scans), max(arrived_at)"
                " FROM arrivals"
            )
        ).one()
    assert queued == 5 and abs(datetime.now(UTC) - came) < timedelta(minutes=2)
    assert judged_on == (came + timedelta(hours=5, minutes=30)).astimezone(UTC).date(), "the day in India"


def test_the_same_content_twice_is_one_document_of_several_arrivals(watched: Watch, drop: Path) -> None:
    with watched.running(drop):
        put(drop / "a.pdf", b"%PDF one")
        watched.arrived(1)
        until(lambda: files_in(drop) == ["processed/a.pdf"])
        put(drop / "a.pdf", b"%PDF one")
        put(drop / "another name.pdf", b"%PDF one")
        rows = watched.arrived(3)
        until(lambda: len(files_in(drop / "processed")) == 3)
    assert sorted(row.status for row in rows) == ["document", "duplicate", "duplicate"]
    assert len({row.document for row in rows}) == 1
    assert {"a.pdf", "another name.pdf"} < set(files_in(drop / "processed")), "none replaced another"


def test_what_is_no_document_is_refused_with_a_sentence_and_the_watcher_lives_on(
    watched: Watch, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = watched.folder / "secret.pdf"
    secret.write_bytes(b"%PDF secret")
    put(drop / "empty.pdf", b"")
    put(drop / "huge.pdf", b"x" * 1_000_001)
    put(drop / "closed.pdf", b"%PDF closed")
    (drop / "link.pdf").symlink_to(secret)
    (drop / "way").symlink_to(watched.folder)
    (drop / "folder.pdf").mkdir()
    os.mkfifo(drop / "pipe.pdf")
    if os.geteuid() == 0:
        # Nothing is closed to root: pretend.
        opened = Tree.open
        monkeypatch.setattr(Tree, "open", lambda tree, path: closed() if "closed" in path else opened(tree, path))
    else:
        (drop / "closed.pdf").chmod(0)
    expected = {
        "empty.pdf": "empty",
        "huge.pdf": "limit",
        "closed.pdf": "permission",
        "link.pdf": "symbolic link",
        "way": "symbolic link",
        "pipe.pdf": "pipe",
    }
    with watched.running(drop):
        rows = watched.arrived(6)
        until(lambda: len(files_in(drop)) == 12)
        put(drop / "good.pdf", b"%PDF good")
        assert watched.arrived(7)[-1].status == "document"
        watched.listed(0)
    for row in rows:
        name = Path(row.path).name
        assert row.status == "refused" and row.reason and row.reason.endswith(".")
        assert expected[name] in row.reason
        assert (drop / "refused" / f"{name}.reason.txt").read_text().strip() == row.reason
        assert os.path.lexists(drop / "refused" / name)
    assert watched.contents() == [b"%PDF good"] and secret.read_bytes() == b"%PDF secret"
    assert (drop / "folder.pdf").is_dir()


def closed() -> int:
    raise PermissionError(13, "Permission denied")


def test_a_file_is_not_taken_before_it_is_finished(watched: Watch, drop: Path) -> None:
    with watched.running(drop):
        with (drop / "slow.pdf").open("wb", buffering=0) as slow, (drop / "open.pdf").open("wb", buffering=0) as held:
            held.write(b"%PDF held")
            for _ in range(8):
                slow.write(b"%PDF slow ")
                time.sleep(0.15)
            # Longer than a file needs to settle: that somebody still has it open is seen.
            time.sleep(1.0)
            assert watched.count() == 0
            held.write(b" and more")
        put(drop / "renamed.pdf.part", b"%PDF renamed")
        watched.arrived(2)
        time.sleep(0.5)
        (drop / "renamed.pdf.part").rename(drop / "renamed.pdf")
        watched.arrived(3)
    assert watched.contents() == sorted([b"%PDF slow " * 8, b"%PDF held and more", b"%PDF renamed"])


class Held(FolderStore):
    """A store that stops in the middle of the first file until it is told to go on."""

    reached, go_on = threading.Event(), threading.Event()

    def receive(self, chunks: Iterable[bytes]) -> Received:
        return super().receive(self._slowly(chunks))

    def _slowly(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.reached.set()
            assert self.go_on.wait(30)
            yield chunk


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> type[Held]:
    Held.reached, Held.go_on = threading.Event(), threading.Event()
    monkeypatch.setattr("ingest.watch.open_store", lambda url, **_: Held(Path(url)))
    return Held


@pytest.mark.parametrize("in_place", [False, True])
def test_a_file_replaced_while_it_is_taken_in_leaves_both_contents(
    watched: Watch, drop: Path, held: type[Held], in_place: bool
) -> None:
    watched.config = replace(watched.config, in_place=in_place)
    old, new = b"%PDF old" * 100, b"%PDF new" * 100
    put(drop / "a.pdf", old)
    with watched.running(drop):
        assert held.reached.wait(30)
        put(watched.folder / "new.pdf", new)
        (watched.folder / "new.pdf").rename(drop / "a.pdf")
        held.go_on.set()
        rows = watched.arrived(2)
        watched.listed(1 if in_place else 0)
    assert watched.contents() == [new, old] and {row.path for row in rows} == {str(drop / "a.pdf")}


def test_a_file_overwritten_while_it_is_read_in_place_is_never_mixed(
    watched: Watch, drop: Path, held: type[Held]
) -> None:
    watched.config = replace(watched.config, in_place=True, max_file_bytes=10_000_000)
    old, new = b"o" * 3_000_000, b"n" * 3_000_000
    put(drop / "a.pdf", old)
    with watched.running(drop):
        assert held.reached.wait(30)
        with (drop / "a.pdf").open("r+b") as file:
            file.write(new)
        held.go_on.set()
        watched.arrived(1)
        watched.listed(1)
    assert watched.contents() == [new]


def test_in_place_nothing_is_touched_and_each_state_of_a_file_is_one_arrival(watched: Watch, drop: Path) -> None:
    watched.config = replace(watched.config, in_place=True)
    put(drop / "sub" / "a.pdf", b"%PDF a")
    put(drop / "b.pdf", b"%PDF b")
    with watched.running(drop):
        watched.arrived(2)
        watched.listed(2)
        assert files_in(drop) == ["b.pdf", "sub/a.pdf"]
        put(drop / "b.pdf", b"%PDF changed")
        (drop / "sub" / "a.pdf").rename(drop / "sub" / "c.pdf")
        (drop / "link.pdf").symlink_to("/etc/hostname")
        rows = watched.arrived(5)
        watched.listed(3)
    with watched.running(drop):
        time.sleep(1.5)
    assert len(watched.arrived(5)) == 5, "nothing is taken again after a restart"
    assert sorted(row.status for row in rows) == ["document", "document", "document", "duplicate", "refused"]
    assert files_in(drop) == ["b.pdf", "link.pdf", "sub/c.pdf"]


def test_where_files_may_not_be_moved_they_are_read_in_place(
    watched: Watch, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(drop / "a.pdf", b"%PDF a")
    if os.geteuid() == 0:
        monkeypatch.setattr(folder, "Claims", lambda _: closed())
    else:
        drop.chmod(0o500)
    with watched.running(drop):
        watched.arrived(1)
        watched.listed(1)
    drop.chmod(0o700)
    assert files_in(drop) == ["a.pdf"]


def test_many_files_in_bounded_memory_by_two_watchers_are_each_one_arrival(watched: Watch, drop: Path) -> None:
    watched.config = replace(watched.config, settling=40)
    for number, body in enumerate(bodies(200)):
        put(drop / f"{number % 7}" / f"{number}.pdf", body)
    with watched.running(drop), watched.running(drop):
        watched.arrived(200, 120)
        until(lambda: len(files_in(drop)) == 200 and len(files_in(drop / "processed")) == 200)
        watched.listed(0)
    assert watched.contents() == sorted(bodies(200)) and watched.count() == 200


@pytest.mark.parametrize("in_place", [False, True])
def test_a_watcher_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    watched: Watch, drop: Path, in_place: bool
) -> None:
    watched.config = replace(watched.config, in_place=in_place)
    for number, body in enumerate(bodies(90)):
        put(drop / f"{number}.pdf", body)
    for kill_at in (10, 40, 70):
        with watched.process(drop) as process:
            until(lambda at=kill_at: watched.count() >= at, 90)  # type: ignore[misc]
            process.kill()
    with watched.running(drop):
        watched.arrived(90, 90)
        watched.listed(90 if in_place else 0)
        until(lambda: in_place or len(files_in(drop / "processed")) == 90)
    assert {row.status for row in watched.arrivals()} == {"document"} and watched.count() == 90
    assert watched.contents() == sorted(bodies(90))
    assert sorted(one.read_bytes() for one in drop.rglob("*.pdf")) == sorted(bodies(90))


def test_a_file_on_record_but_not_yet_moved_is_only_moved(
    watched: Watch, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    put(drop / "a.pdf", b"%PDF a")
    with monkeypatch.context() as patch:
        patch.setattr("ingest.claims.Claims.release", full)
        with watched.running(drop):
            watched.arrived(1)
            watched.listed(1)
        (left,) = files_in(drop)
        assert left.startswith(".docvigil/claimed/") and left.endswith("/a.pdf")
    with watched.running(drop):
        until(lambda: files_in(drop) == ["processed/a.pdf"])
        watched.listed(0)
    assert watched.count() == 1


def test_documents_of_an_urgent_source_go_first(watched: Watch, drop: Path, tmp_path: Path) -> None:
    urgent = tmp_path / "urgent"
    put(urgent / "a.pdf", b"%PDF urgent")
    put(drop / "a.pdf", b"%PDF usual")
    watched.config = replace(watched.config, priorities={str(urgent): 7})
    with watched.running(drop, urgent):
        watched.arrived(2)
    with watched.sessions.begin() as session:
        assert session.execute(text("SELECT priority FROM outbox ORDER BY 1")).scalars().all() == [0, 7]
