"""The register of endorsers at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.cli import endorsers
from tests.integration.docvigil.cli.conftest import Run

HEADER = "name,designation,employee_code,valid_from,valid_to,document_types\n"
TWO = HEADER + "R Menon,Manager,E101,2024-01-01,,\nK Das,Officer,E102,2024-01-01,2030-12-31,kyc-individual\n"


@pytest.fixture
def register(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(endorsers, "actor", lambda: "tester")
    file = tmp_path / "register.csv"
    file.write_text(TWO)
    said = run("endorsers", "import", str(file))
    assert (said.code, said.out) == (0, "2 added, 0 changed, 0 as they were\n")
    return run


def told(run: Run, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("endorsers", "list", "--json", *arguments).out.splitlines()]


def test_imported_ones_are_listed(register: Run, sessions: sessionmaker[Session]) -> None:
    das, menon = told(register)
    assert (das["name"], das["employee_code"], das["valid_to"]) == ("K Das", "E102", "2030-12-31")
    assert (das["document_types"], menon["document_types"], menon["valid_to"]) == (["kyc-individual"], [], None)
    assert "R Menon" in register("endorsers", "list").out
    with sessions.begin() as session:
        bodies = session.execute(text("SELECT body FROM events WHERE subject LIKE 'endorser:%'")).scalars().all()
    assert [json.loads(body)["actor"] for body in bodies] == ["tester", "tester"]


def test_an_import_changes_all_or_nothing(register: Run, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(TWO.replace("Officer", "Head") + "S Iyer,Clerk,E103,2024-01-01,,\n")
    assert register("endorsers", "import", str(file)).out == "1 added, 1 changed, 1 as they were\n"
    file.write_text(HEADER + "A Rao,Clerk,E104,2024-01-01,,\nB Rao,Clerk,E105,01/02/2024,,\n")
    said = register("endorsers", "import", str(file))
    assert said.code == 2 and "line 3, column valid_from" in said.err.replace("\n", " ")
    assert len(told(register)) == 3
    said = register("endorsers", "import", str(tmp_path / "none.csv"))
    assert said.code == 2 and "can't be opened" in said.err.replace("\n", " ")


def test_a_retired_one_stays_known(register: Run) -> None:
    said = register("endorsers", "retire", "E101", "--on", "2026-01-31")
    assert (said.code, said.out) == (0, "R Menon may endorse up to 2026-01-31.\n")
    assert [one["name"] for one in told(register)] == ["K Das"]
    assert {one["name"]: one["valid_to"] for one in told(register, "--all")}["R Menon"] == "2026-01-31"
    said = register("endorsers", "retire", "E101")
    assert said.code == 2 and "Nobody in the register who isn't retired" in said.err.replace("\n", " ")
    assert register("endorsers", "retire", "E102", "--on", "31/01/2026").code == 64
