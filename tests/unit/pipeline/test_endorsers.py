"""A stamp is somebody's, nobody's, or unreadable; and unreadable is never authorised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.endorsers import Endorser, Standing, match, read_csv

ON = date(2026, 3, 15)
KYC = "kyc-individual"
ANITA = Endorser("Anita Desai", "Manager", "EMP1041", "Sunrise Securities Ltd", id=1)
RAVI = Endorser("Ravi Kumar", "Officer", "EMP2070", "Sunrise Securities Ltd", id=2)
MEENA = Endorser("Meenakshi Sundaram", None, None, "Lotus Broking", id=3)
BRANCH = Endorser("Branch head", None, None, None, stamp_text="LOTUS BROKING PVT LTD\nMUMBAI FORT", id=4)
ALL = (ANITA, RAVI, MEENA, BRANCH)

STAMP = "SUNRISE SECURITIES LTD\n{name}\nEmp. Code: {code}\nAuthorised signatory"


def stamp(name: str = "ANITA DESAI", code: str = "EMP1041") -> str:
    return STAMP.format(name=name, code=code)


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        (stamp(), ANITA),
        (stamp("RAVI KUMAR", "EMP2070"), RAVI),
        (stamp("AN1TA DESA1", "EMP1041"), ANITA),
        (stamp("%&$", "EMP1041"), ANITA),
        (stamp(code="EMP1O41"), ANITA),
        (stamp(code="EMPI041"), ANITA),
        (stamp(code="EMPNOEMP1041"), ANITA),
        (stamp("ANITADESAI", "..."), ANITA),
        (stamp("ANITA DESAl", ""), ANITA),
        ("LOTUS BROKING\nMEENAKSHI SUNDARAN\nOFFICER", MEENA),
        ("LOTUS BROKING PVT LTD\nMUMBAI FORT\n12 MAR 2026", BRANCH),
    ],
)
def test_known_stamps(text: str, whose: Endorser) -> None:
    found = match(text, ALL, ON, KYC)
    assert (found.standing, found.endorser) == (Standing.AUTHORISED, whose)
    assert 0.85 <= found.score <= 1.0


@pytest.mark.parametrize(
    "text", [stamp("SURESH PRABHU", "EMP7777"), stamp("SURESH PRABHU", ""), "BLUE HILL FINANCE\nJ. FERNANDES\nMANAGER"]
)
def test_strangers(text: str) -> None:
    found = match(text, ALL, ON, KYC, printed=0.9)
    assert (found.standing, found.endorser) == (Standing.UNAUTHORISED, None)


def test_a_known_name_with_a_strange_code_is_not_authorised() -> None:
    assert match(stamp(code="EMP9938"), ALL, ON, KYC).standing is Standing.UNAUTHORISED
    assert match(stamp(code="EMP1047"), ALL, ON, KYC).standing is Standing.UNREADABLE
    assert match(stamp("RAVI KUMAR", "EMP1041"), ALL, ON, KYC).standing is Standing.UNREADABLE


@pytest.mark.parametrize("text", [None, "", "  \n", "..:", "REC", "ANITA BESAR\nOFFICER"])
def test_unreadable_is_neither(text: str | None) -> None:
    assert match(text, ALL, ON, KYC).standing is Standing.UNREADABLE


def test_poor_print_makes_nobody_a_stranger() -> None:
    text = stamp("SURESH PRABHU", "")
    assert match(text, ALL, ON, KYC, printed=0.5).standing is Standing.UNREADABLE


def test_authority_is_as_of_the_day_and_for_a_type() -> None:
    ended = replace(ANITA, valid_from=date(2025, 1, 1), valid_to=date(2026, 3, 14))
    for day, standing in [
        (date(2024, 12, 31), Standing.UNAUTHORISED),
        (date(2025, 1, 1), Standing.AUTHORISED),
        (date(2026, 3, 14), Standing.AUTHORISED),
        (date(2026, 3, 15), Standing.UNAUTHORISED),
    ]:
        found = match(stamp(), [ended, RAVI], day, KYC)
        assert (found.standing, found.endorser) == (standing, ended)
    other = replace(ANITA, document_types=("delivery-instruction-slip",))
    found = match(stamp(), [other], ON, KYC)
    assert found.standing is Standing.UNAUTHORISED and "kind of document" in found.why


def test_somebody_who_came_back_is_judged_by_the_time_that_holds() -> None:
    before = replace(ANITA, valid_to=date(2025, 12, 31))
    again = replace(ANITA, valid_from=date(2026, 3, 1), id=9)
    assert match(stamp(), [before, again], ON, KYC).endorser == again
    assert match(stamp(), [before, again], date(2026, 2, 1), KYC).standing is Standing.UNAUTHORISED


def test_confusions_count_only_where_one_code_is_meant() -> None:
    twins = [replace(ANITA, employee_code="EO104"), replace(RAVI, employee_code="E0104")]
    assert match("EO104 OFFICER", twins, ON, KYC).endorser == twins[0]
    assert match("E01O4 OFFICER", twins, ON, KYC).standing is Standing.UNREADABLE


def test_a_number_alone_is_not_enough() -> None:
    numbered = replace(ANITA, employee_code="2026")
    assert match("RECEIVED\n12 MAR 2026", [numbered], ON, KYC).standing is Standing.UNREADABLE
    assert match("RECEIVED\nANITA DESAI 2026", [numbered], ON, KYC).standing is Standing.AUTHORISED


def test_two_of_one_name_are_not_told_apart_by_it() -> None:
    other = replace(ANITA, employee_code="EMP5555", id=7)
    assert match("ANITA DESAI\nSUNRISE", [ANITA, other], ON, KYC).standing is Standing.UNREADABLE
    assert match("ANITA DESAI\nEMP5555", [ANITA, other], ON, KYC).endorser == other


def test_an_empty_register_knows_nobody() -> None:
    assert match(stamp(), [], ON, KYC).standing is Standing.UNAUTHORISED


@given(st.text(max_size=60))
def test_noise_is_never_authorised(text: str) -> None:
    assert match(text, (ANITA, RAVI, MEENA), ON, KYC).standing is not Standing.AUTHORISED


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
