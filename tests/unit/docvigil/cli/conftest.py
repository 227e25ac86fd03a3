"""Commands that need no database, run in this process with a home of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docvigil import cli
from docvigil.cli import common
from docvigil.settings import settings


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command; its exit code and what it prints."""
    monkeypatch.setenv("DOCVIGIL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(common.screen, "_width", 240)
    settings.cache_clear()

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["docvigil", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Ran(int(str(ended.value.code)), said.out, said.err)

    yield command
    settings.cache_clear()
