"""Exit codes and sentences of the command line as a whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer
from sqlalchemy.exc import OperationalError

from docvigil import cli
from docvigil.cli.common import Refusal
from docvigil.embedded.supervisor import StartFailed
from docvigil.instance import InstanceBusy
from docvigil.settings import BadSettings


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["docvigil", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["scan"], ["balance", "--loud"], ["worker", "sleep"], ["up", "--drop"]]
)
def test_wrong_usage_is_64_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == 64
    told = capsys.readouterr().err
    assert told.startswith("docvigil: ") and "docvigil --help" in told


def test_help_names_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--help") == 0
    told = capsys.readouterr().out
    for command in (
        *("up", "scan", "watch", "migrate", "relay", "reconcile", "worker", "beat", "queue", "show", "review"),
        *("retry", "rescan", "endorsers", "balance", "audit", "doctypes", "models", "read", "synthesise"),
    ):
        assert f" {command} " in told


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (Refusal("form[1].pdf can't be read"), 2, "form[1].pdf can't be read"),
        (InstanceBusy("docvigil already runs"), 2, "docvigil already runs"),
        (StartFailed("postgres did not start"), 2, "postgres did not start"),
        (BadSettings("DOCVIGIL_TIMEZONE: wrong"), 64, "DOCVIGIL_TIMEZONE: wrong"),
        (OperationalError("SELECT 1", {}, Exception("refused")), 2, "a service that is needed can't be used"),
        (PermissionError(13, "Permission denied", "/closed"), 2, "/closed can't be used: Permission denied."),
        (PermissionError("the folder belongs to another user"), 2, "the folder belongs to another user"),
        (ZeroDivisionError("oops"), 2, "ZeroDivisionError: oops"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(1), 1, ""),
        (typer.Exit(0), 0, ""),
    ],
)
def test_what_a_command_raises_becomes_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    told: str,
) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise raised

    monkeypatch.setattr(cli, "app", app)
    assert run(monkeypatch) == code
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("manners", ["telex", "scan,telex", ""])
def test_manners_that_are_none_are_refused_with_their_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], manners: str, tmp_path: Path
) -> None:
    assert run(monkeypatch, "synthesise", str(tmp_path / "made"), "--manners", manners) == 64
    assert "photograph" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
