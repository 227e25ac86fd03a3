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


KYC_RULES = (
    Rule(
        id="kyc.mandatory",
        text="Mandatory particulars are filled in English and in block letters.",
        source=KYC_CIRCULAR,
        valid_from=KYC_SINCE,
    ),
    Rule(
        id="kyc.identity",
        text="The applicant is identified by PAN; of Aadhaar only the last four digits are given.",
        source=KYC_CIRCULAR,
        valid_from=KYC_SINCE,
    ),
    Rule(
        id="kyc.address-proof",
        text="A bill or statement given as proof of address is not older than three months.",
        source=CVL,
    ),
    Rule(
        id="kyc.declaration",
        text="The declaration is dated and signed by the applicant.",
        source=KYC_CIRCULAR,
        valid_from=KYC_SINCE,
    ),
    Rule(
        id="account.joint-holders",
        text="Every joint holder who is named signs.",
        source=ANNEXURE_ACCOUNT,
    ),
    Rule(
        id="account.bank",
        text="The bank account for dividends is given with its IFSC.",
        source=ANNEXURE_ACCOUNT,
    ),
    Rule(
        id="kyc.in-person",
        text="Who verified the applicant in person gives name, designation, employee code, date, signature and seal.",
        source=KYC_CIRCULAR,
        valid_from=KYC_SINCE,
    ),
    Rule(
        id="kyc.originals",
        text="Copies are compared with the originals, which stamp, signature and date say.",
        source=CVL,
    ),
    Rule(
        id="kyc.authorised",
        text="In-person verification and stamps are by persons the participant has authorised.",
        source=KYC_CIRCULAR,
        valid_from=KYC_SINCE,
    ),
    Rule(
        id="kyc.corrections",
        text="Any change or overwriting is signed by the applicant; nothing else is written on the form.",
        source=CVL,
    ),
    Rule(id="desk.age", text="The form reaches the desk within three months of its declaration.", source=DESK),
    RECORD,
)

SLIP_RULES = (
    Rule(
        id="dis.serial",
        text="A slip bears a pre-printed serial number, the DP ID and a pre-printed or pre-stamped BO ID.",
        source=DIS_CIRCULAR,
        valid_from=DIS_SINCE,
    ),
    Rule(
        id="dis.execution",
        text="A slip is executed on one date, which is not before that of the slip.",
        source=DIS_CIRCULAR,
        valid_from=DIS_SINCE,
    ),
    Rule(id="dis.date", text="A slip is dated.", source=ANNEXURE_SLIP),
    Rule(id="dis.holders", text="All joint holders sign.", source=ANNEXURE_SLIP),
    Rule(
        id="dis.securities",
        text="Each line gives ISIN and quantity, in figures and in words that agree; unused lines are struck out.",
        source=ANNEXURE_SLIP,
    ),
    Rule(
        id="dis.counterparty",
        text="The account that receives the securities is given, off market with reason and consideration.",
        source=ANNEXURE_SLIP,
    ),
    Rule(id="dis.receipt", text="The participant stamps the slip with the date of receipt.", source=ANNEXURE_SLIP),
    Rule(id="dis.authorised", text="Stamps are of officials the participant has authorised.", source=ANNEXURE_SLIP),
    Rule(
        id="dis.alterations",
        text="A correction, alteration or cancellation is signed by all holders; nothing else is written on the slip.",
        source=ANNEXURE_SLIP,
    ),
    Rule(id="desk.age", text="A slip is executed and received within ten days of its date.", source=DESK),
    RECORD,
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
