"""Files handed over: read where they lie, each call an arrival of its own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import text

from ingest.intake import Intake
from ingest.reading import chunks_of
from ingest.upload import ATTEMPTS, PRIORITY, take_paths, take_stream
from tests.integration.ingest.watching import Watch, bodies, files_in


@pytest.fixture
def intake(watched: Watch) -> Intake:
    return Intake(watched.sessions, watched.store, timezone="Asia/Kolkata", max_bytes=1_000_000)


def test_files_and_folders_in_the_order_given(watched: Watch, intake: Intake, drop: Path) -> None:
    for number, body in enumerate(bodies(40)):
        (drop / f"{number:02}.pdf").write_bytes(body)
    (drop / ".hidden.pdf").write_bytes(b"%PDF hidden")
    single = watched.folder / "single.pdf"
    single.write_bytes(bodies(1)[0])
    before = files_in(drop)
    results = list(take_paths([drop, single], intake))
    assert [one.path for one in results] == [*(str(drop / f"{number:02}.pdf") for number in range(40)), str(single)]
    assert sorted(one.taken.status for one in results) == ["document"] * 40 + ["duplicate"]
    assert files_in(drop) == before
    rows = watched.arrived(41)
    assert {row.source for row in rows} == {"scan"} and watched.contents() == sorted(bodies(40))
    with watched.sessions.begin() as session:
        assert session.execute(text("SELECT DISTINCT priority FROM outbox")).scalars().all() == [PRIORITY]
    again = list(take_paths([single], intake))
    assert [one.taken.status for one in again] == ["duplicate"] and again[0].taken.scan_id is None
    watched.balanced()


def test_what_cannot_be_taken_is_refused_with_a_sentence(watched: Watch, intake: Intake, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "huge.pdf").write_bytes(b"x" * 1_000_001)
    paths = [tmp_path / name for name in ("none.pdf", "pipe", "empty.pdf", "huge.pdf")]
    paths += [Path("/dev/zero"), Path(str(tmp_path / ("n" * 300)))]
    results = list(take_paths(paths, intake))
    assert [one.taken.status for one in results] == ["refused"] * 6
    for one in results:
        assert one.taken.reason is not None and one.taken.reason.endswith(".") and one.taken.document_id is None
    assert watched.count() == 6


def test_a_link_that_was_named_is_followed(watched: Watch, intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF a")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "a.pdf")
    assert [one.taken.status for one in take_paths([tmp_path / "link.pdf"], intake)] == ["document"]


def test_a_file_that_somebody_keeps_writing_to_is_refused(
    watched: Watch, intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF 0")
    attempts = []

    def busily(file: IO[bytes]) -> Iterator[bytes]:
        yield from chunks_of(file)
        attempts.append(1)
        path.write_bytes(b"%%PDF %d" % len(attempts))

    with monkeypatch.context() as patch:
        patch.setattr("ingest.reading.chunks_of", busily)
        (one,) = take_paths([path], intake)
    assert one.taken.status == "refused" and "kept writing" in (one.taken.reason or "")
    assert len(attempts) == ATTEMPTS
    assert [each.taken.status for each in take_paths([path], intake)] == ["document"]


def test_a_stream(watched: Watch, intake: Intake) -> None:
    taken = take_stream(io.BytesIO(b"%PDF streamed"), "form\n1.pdf", intake)
    assert (taken.status, watched.contents()) == ("document", [b"%PDF streamed"])
    (row,) = watched.arrivals()
    assert (row.path, row.source) == ("form\\n1.pdf", "api")
