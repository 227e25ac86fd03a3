"""Claimed files go where they belong, once, whoever is killed on the way and whatever the file system can do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ingest.claims import Claims
from ingest.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def names(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def claimed(tree: Tree, folder: Path, body: bytes) -> tuple[Claims, str]:
    (folder / "a.pdf").write_bytes(body)
    claims = Claims(tree)
    return claims, claims.claim("a.pdf")


def test_killed_between_the_two_names_it_is_one_file_at_the_end(tree: Tree, tmp_path: Path) -> None:
    claims, path = claimed(tree, tmp_path, b"one")
    (tmp_path / "processed").mkdir()
    # So far had somebody come who was killed.
    os.link(tmp_path / path, tmp_path / "processed" / "a.pdf")
    claims.release(path, "processed")
    assert names(tmp_path / "processed") == {"a.pdf": b"one"}
    assert list(claims.waiting()) == []


@pytest.mark.parametrize("links", [True, False])
def test_what_is_there_is_never_replaced(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", none)
    for body in (b"one", b"two"):
        claims, path = claimed(tree, tmp_path, body)
        claims.release(path, "processed")
    found = names(tmp_path / "processed")
    assert found.pop("a.pdf") == b"one" and list(found.values()) == [b"two"]


def test_what_somebody_else_has_moved_is_gone(tree: Tree, tmp_path: Path) -> None:
    claims, path = claimed(tree, tmp_path, b"one")
    claims.release(path, "processed")
    with pytest.raises(FileNotFoundError):
        claims.release(path, "processed")
    assert names(tmp_path / "processed") == {"a.pdf": b"one"}
