"""Objects that are stored together: each is on the disk when the call returns, and their folder is flushed once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from records.objects import FolderStore


def test_files_are_flushed_each_and_their_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    store.put("scans/1/1/page-1.jpg", b"page")
    flushed: list[bool] = []
    flush = os.fsync

    def noted(handle: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        flush(handle)

    monkeypatch.setattr(os, "fsync", noted)
    bodies = {f"scans/1/1/{number}.png": b"picture %d" % number for number in range(3)}
    store.put_all(bodies)
    assert flushed == [False, False, False, True]
    assert {key: store.get(key) for key in bodies} == bodies


def test_originals_are_not_written_so_and_nothing_is_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put_all({})
    with pytest.raises(ValueError, match="original"):
        store.put_all({"originals/ab/cd/" + "0" * 64: b"x"})
