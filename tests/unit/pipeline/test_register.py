"""The register as CSV: what is taken, and a sentence for what isn't."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.endorsers import Endorser
from pipeline.register import examine, read_csv


def test_csv(tmp_path: Path) -> None:
    file = tmp_path / "endorsers.csv"
    file.write_text(
        "\ufeffName,employee_code,document_types,valid_from,valid_to,stamp_text\n"
        "Anita Desai,EMP1041,kyc-individual; delivery-instruction-slip,2025-01-01,,\n"
        "\n"
        'Branch head,,,,,"LOTUS\nFORT"\n',
        encoding="utf-8",
    )
    anita, branch = read_csv(file)
    assert anita == Endorser(
        "Anita Desai",
        employee_code="EMP1041",
        document_types=("kyc-individual", "delivery-instruction-slip"),
        valid_from=date(2025, 1, 1),
    )
    assert (branch.employee_code, branch.stamp_text) == (None, "LOTUS\nFORT")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: there is no column 'name'"),
        ("name,colour\n", "line 1, column 2: 'colour' is not one of"),
        ("name,name\n", "line 1, column 2: 'name' stands there twice"),
        ("employee_code\nE1\n", "no column 'name'"),
        ("name,valid_from\nA,2025-01-01\n,\nB,\n,2025-01-01\n", "line 5, column name: a name is needed"),
        ("name,valid_from\nAnita,1/2/2025\n", "line 2, column valid_from: '1/2/2025' is not a day"),
        ("name,valid_from,valid_to\nA,2025-02-01,2025-01-01\n", "line 2, column valid_to: 2025-01-01 is before"),
        ("name,valid_from\nAnita\n", "line 2: 1 cells, but 2 columns"),
        ('name\n"Anita" x\n', "not well-formed CSV"),
    ],
)
def test_csv_errors_name_the_place(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "register.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"register\.csv") as caught:
        read_csv(file)
    assert says in str(caught.value)


def test_csv_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_bytes("name\nAndré\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read_csv(file)


def test_every_line_that_can_not_be_taken_is_told() -> None:
    listed = examine(b"name,valid_from\nAnita,2025-01-01\n,2025-01-01\nRavi,soon\n")
    assert [(line, one.name) for line, one in listed.lines] == [(2, "Anita")]
    assert [line for line, _ in listed.refusals] == [3, 4]
