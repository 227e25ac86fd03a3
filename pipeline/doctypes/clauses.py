"""Rules that the built-in forms enforce, and the checks that go with each kind of field.

A rule names the circular or regulation it comes from and, where that is known, since when it holds. What no public
source gives a clause for cites its document as a whole.
"""

from __future__ import annotations

from datetime import date

from pipeline.doctypes.schema import Check, Rule

KYC_CIRCULAR = "SEBI master circular on KYC norms, SEBI/HO/MIRSD/SECFATF/P/CIR/2023/169"
CVL = "CVL KRA operating instructions"
DIS_CIRCULAR = "SEBI circular on issuance and processing of delivery instruction slips, January 2014"
ANNEXURE_SLIP = "CDSL DP operating instructions, annexure 6.2a (combined instruction slip)"
ANNEXURE_ACCOUNT = "CDSL DP operating instructions, annexure 2.1 (account opening, individuals)"
PARTICIPANTS = "SEBI (Depositories and Participants) Regulations 2018, regulations 54 and 66"
DESK = "Practice of operations desks; set it as your own instructions have it"

KYC_SINCE, DIS_SINCE, PARTICIPANTS_SINCE = date(2023, 10, 12), date(2014, 10, 1), date(2018, 10, 3)

RECORD = Rule(
    id="record.complete",
    text="Records of client documents are kept whole and legible for eight years.",
    source=PARTICIPANTS,
    valid_from=PARTICIPANTS_SINCE,
)


def on_every_page(unexpected: str) -> tuple[Check, ...]:
    """The checks of whole documents; `unexpected` is the rule about ink where none belongs."""
    return (
        Check(check="ink.unexpected", rule=unexpected),
        Check(check="page.missing", rule=RECORD.id),
        Check(check="page.poor", rule=RECORD.id),
        Check(check="type.unknown", rule=RECORD.id),
    )


def dated(
    rule: str,
    *,
    missing: bool = True,
    future: bool = True,
    stale: tuple[int, str] | None = None,
    after: tuple[str, str] | None = None,
) -> tuple[Check, ...]:
    """Checks of a date. `stale` gives days and rule, `after` the field it may not be before and rule."""
    names = ["date.missing"] * missing + ["date.unreadable", "date.format", "date.impossible"]
    checks = [Check(check=name, rule=rule) for name in names + ["date.future"] * future]
    if stale:
        checks.append(Check(check="date.stale", max_age_days=stale[0], rule=stale[1]))
    if after:
        checks.append(Check(check="date.order", not_before=after[0], rule=after[1]))
    return tuple(checks)


def signed(rule: str) -> tuple[Check, ...]:
    return (Check(check="signature.missing", rule=rule),)


def stamped(rule: str, authority: str, *, missing: bool = True) -> tuple[Check, ...]:
    """A stamp must be there (unless it depends on what happened), and be of somebody authorised on that day."""
    checks = (Check(check="endorsement.missing", rule=rule),) if missing else ()
    return (*checks, Check(check="endorsement.unauthorised", rule=authority))


def filled(rule: str) -> tuple[Check, ...]:
    return (Check(check="field.missing", rule=rule),)


def identified(rule: str, *, missing: bool = True) -> tuple[Check, ...]:
    """An identifier: there, and well formed with the right check digit."""
    checks = (Check(check="field.missing", rule=rule),) if missing else ()
    return (*checks, Check(check="identifier.invalid", rule=rule))
