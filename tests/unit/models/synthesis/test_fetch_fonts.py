"""Fetching fonts: the right file of a package, and open licences only."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from models.synthesis import fetch_fonts

FILES = {
    "package/files/caveat-latin-400-normal.woff2": b"latin",
    "package/files/caveat-latin-700-normal.woff2": b"bold",
    "package/files/caveat-latin-ext-400-normal.woff2": b"other letters",
    "package/files/caveat-cyrillic-400-normal.woff2": b"other script",
}


def package(monkeypatch: pytest.MonkeyPatch, licence: str, files: dict[str, bytes]) -> None:
    """Stands in for npm: packs a package with these files where it is told to."""

    def pack(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        assert command[:2] == ["npm", "pack"] and command[-1] == "@fontsource/caveat@5"
        about = json.dumps({"license": licence, "version": "5.1.2"}).encode()
        with tarfile.open(Path(command[command.index("--pack-destination") + 1]) / "one.tgz", "w:gz") as archive:
            for name, content in {**files, "package/package.json": about}.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pack)


def test_the_regular_latin_file_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package(monkeypatch, "OFL-1.1", FILES)
    assert fetch_fonts.fetch("hand", "caveat", tmp_path) == ("5.1.2", "OFL-1.1")
    assert (tmp_path / "hand" / "caveat.woff2").read_bytes() == b"latin"


def test_a_licence_that_is_not_open_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package(monkeypatch, "UNLICENSED", FILES)
    with pytest.raises(ValueError, match="caveat is under UNLICENSED"):
        fetch_fonts.fetch("hand", "caveat", tmp_path)
    assert not list(tmp_path.rglob("*.woff2"))


def test_a_package_without_latin_letters_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package(monkeypatch, "OFL-1.1", {"package/files/caveat-cyrillic-400-normal.woff2": b"other script"})
    with pytest.raises(ValueError, match="no Latin file"):
        fetch_fonts.fetch("hand", "caveat", tmp_path)


def test_no_name_is_there_twice() -> None:
    names = [*fetch_fonts.HAND, *fetch_fonts.PRINT]
    assert len(names) == len(set(names))
