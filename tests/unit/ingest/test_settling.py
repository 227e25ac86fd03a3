"""A file is finished when two looks, some time apart, see the same thing."""

from __future__ import annotations

import stat
from dataclasses import replace

from ingest.settling import EMPTY_PATIENCE, Settling
from ingest.tree import Entry

SECONDS = 2.0


def entry(path: str = "a.pdf", size: int = 10, mtime: int = 1) -> Entry:
    return Entry(path, 1, 100, stat.S_IFREG | 0o644, size, mtime, mtime)


def settling(*seen: Entry, capacity: int = 100) -> Settling:
    made = Settling(SECONDS, capacity)
    for one in seen:
        assert made.note(one, 0.0)
    return made


def test_a_file_is_ready_only_after_the_wait() -> None:
    one = entry()
    waiting = settling(one)
    assert waiting.due == SECONDS
    assert waiting.ready(lambda _: one, SECONDS - 0.1, 10) == []
    assert waiting.ready(lambda _: one, SECONDS, 10) == [one]
    assert (len(waiting), waiting.due) == (0, None)


def test_a_file_that_grows_starts_over() -> None:
    waiting = settling(entry(size=10))
    grown = entry(size=20, mtime=2)
    assert waiting.ready(lambda _: grown, 2.0, 10) == []
    assert waiting.ready(lambda _: grown, 3.9, 10) == []
    assert waiting.ready(lambda _: grown, 4.0, 10) == [grown]


def test_a_file_written_again_with_the_same_size_starts_over() -> None:
    waiting = settling(entry())
    again = replace(entry(), mtime_ns=5)
    assert waiting.ready(lambda _: again, 2.0, 10) == []
    assert waiting.ready(lambda _: again, 4.0, 10) == [again]


def test_being_seen_again_unchanged_does_not_make_it_wait_longer() -> None:
    one = entry()
    waiting = settling(one)
    waiting.note(one, 1.9)
    assert waiting.ready(lambda _: one, 2.0, 10) == [one]


def test_an_empty_file_waits_longer() -> None:
    empty = entry(size=0)
    waiting = settling(empty)
    found = []
    now = 0.0
    while not found:
        now += SECONDS
        found = waiting.ready(lambda _: empty, now, 10)
    assert now == EMPTY_PATIENCE * SECONDS


def test_a_file_that_is_gone_is_forgotten() -> None:
    waiting = settling(entry())
    assert waiting.ready(lambda _: None, 2.0, 10) == []
    assert len(waiting) == 0


def test_no_more_are_remembered_or_given_than_was_said() -> None:
    files = [entry(f"{number}.pdf") for number in range(3)]
    waiting = settling(*files, capacity=3)
    assert not waiting.note(entry("more.pdf"), 0.0), "no room"
    assert waiting.note(replace(files[0], size=11), 1.0), "it has its place"
    by_path = {one.path: one for one in files}
    assert waiting.ready(by_path.get, 2.0, 1) == [files[1]]
    assert waiting.ready(by_path.get, 2.0, 5) == [files[2]]
