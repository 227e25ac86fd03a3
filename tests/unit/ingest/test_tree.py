"""A folder and what is beneath it: no link followed, no name too strange."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.tree import Tree, being_written, ignored


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def paths(tree: Tree, **options: object) -> set[str]:
    return {entry.path for entry in tree.walk(**options)}  # type: ignore[arg-type]


def test_everything_but_folders_is_walked(root: Path) -> None:
    (root / "sub" / "deep").mkdir(parents=True)
    for name in ("a.pdf", "sub/b.pdf", "sub/deep/c.pdf", "new\nline.pdf", "आवेदन.pdf"):
        (root / name).write_bytes(b"x")
    strange = os.fsdecode(os.fsencode(root) + b"/\xff\xfe.pdf")
    Path(strange).write_bytes(b"x")
    (root / "link").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    expected = {"a.pdf", "sub/b.pdf", "sub/deep/c.pdf", "new\nline.pdf", "आवेदन.pdf", "\udcff\udcfe.pdf", "link", "pipe"}
    assert paths(Tree(root)) == expected
    assert paths(Tree(root), within="sub", skip=frozenset({"sub/deep"})) == {"sub/b.pdf"}


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("a.pdf", False),
        ("part.pdf", False),
        (".hidden.pdf", True),
        ("~$a.docx", True),
        ("a.pdf.part", True),
        ("a.PDF.TMP", True),
        ("a.pdf~", True),
        ("Thumbs.db", True),
    ],
)
def test_unfinished_and_hidden_names_are_ignored(name: str, hidden: bool) -> None:
    assert ignored(name) is hidden


def test_no_way_leads_through_a_link(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pdf").write_bytes(b"x")
    (root / "way").symlink_to(outside)
    (root / "link.pdf").symlink_to(outside / "secret.pdf")
    tree = Tree(root)
    assert tree.look("way/secret.pdf") is None
    assert paths(tree, within="way") == set()
    with pytest.raises(OSError):
        tree.open("way/secret.pdf")
    with pytest.raises(OSError):
        tree.open("link.pdf")
    found = tree.look("link.pdf")
    assert found is not None and found.is_link and not found.is_file


@pytest.mark.parametrize("path", ["../outside.pdf", "sub/../../outside.pdf"])
def test_no_way_leads_out(root: Path, path: str) -> None:
    (root / "sub").mkdir()
    with pytest.raises(ValueError, match=r"\.\."):
        Tree(root).open(path)


def test_opening_a_pipe_does_not_wait(root: Path) -> None:
    os.mkfifo(root / "pipe")
    os.close(Tree(root).open("pipe"))


def test_a_file_that_somebody_writes_is_seen_as_such(root: Path) -> None:
    path = root / "a.pdf"
    with path.open("wb") as writer:
        writer.write(b"x")
        writer.flush()
        with path.open("rb") as reader:
            assert being_written(reader.fileno())
    with path.open("rb") as reader:
        assert not being_written(reader.fileno())
        # The lease is given back: the next writer doesn't wait.
        path.open("ab").close()


def test_a_file_written_to_or_replaced_is_no_longer_the_same(root: Path) -> None:
    path = root / "a.pdf"
    path.write_bytes(b"one")
    tree = Tree(root)
    before = tree.look("a.pdf")
    assert before is not None and before.same_bytes(tree.look("a.pdf"))
    other = root / "b.pdf"
    other.write_bytes(b"two")
    os.utime(other, ns=(before.mtime_ns, before.mtime_ns))
    other.rename(path)
    assert not before.same_bytes(tree.look("a.pdf"))
    path.unlink()
    assert not before.same_bytes(tree.look("a.pdf"))
