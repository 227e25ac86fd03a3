"""A stamp is somebody's, nobody's, or unreadable; and unreadable is never authorised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.endorsers import Endorser, Standing, match

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
