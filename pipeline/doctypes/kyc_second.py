"""The second page of the built-in KYC form: bank, joint holders, declaration, and the office's own part."""

from __future__ import annotations

from pipeline.doctypes.clauses import dated, filled, identified, signed, stamped
from pipeline.doctypes.pens import WIDTH_MM, Pen
from pipeline.doctypes.schema import FieldKind, Identifier

LEFT, RIGHT = 10.0, 200.0

PROMISE = (
    "I/We hereby declare that the details furnished above are true and correct to the best of my/our knowledge and "
    "belief and undertake to inform the participant of any change in them without delay. Should any of the above be "
    "found false, untrue, misleading or misrepresenting, I am/we are aware that I/we may be held liable for it. I/We "
    "consent to the sharing of these details with KYC registration agencies, to their verification with the issuers "
    "of the documents enclosed, and to receiving information about the account by SMS and e-mail on the number and "
    "address given above. I/We have read the rights and obligations of beneficial owner and participant and agree to "
    "be bound by them and by the rules in force from time to time. Of my Aadhaar I give the last four digits only."
)


def draw(pen: Pen) -> None:
    """What stands below the heading."""
    _bank(pen)
    _joint_holders(pen)
    _declaration(pen)
    _office(pen)


def _bank(pen: Pen) -> None:
    y = pen.bar(LEFT, 25, RIGHT - LEFT, "C.  BANK ACCOUNT FOR DIVIDENDS AND INTEREST")
    pen.text(LEFT, y + 6.4, "1. Account number*", 6.2)
    pen.add(
        "account_number",
        "Bank account number",
        FieldKind.TEXT,
        pen.comb(40, y + 2, 16, 4.8),
        cells=16,
        required=True,
        checks=filled("account.bank"),
    )
    pen.text(124, y + 6.4, "2. IFSC*", 6.2)
    pen.add(
        "ifsc",
        "IFSC",
        FieldKind.IDENTIFIER,
        pen.comb(138, y + 2, 11, 4.8),
        cells=11,
        identifier=Identifier.IFSC,
        required=True,
        checks=identified("account.bank"),
    )
    pen.text(LEFT, y + 16, "3. Bank and branch*", 6.2)
    pen.add(
        "bank",
        "Bank and branch",
        FieldKind.TEXT,
        pen.line(40, 124, y + 17.5),
        required=True,
        checks=filled("account.bank"),
    )
    pen.text(128, y + 16, "4. Type", 6.2)
    kinds = {
        "savings": ("Savings", "Savings account"),
        "current": ("Current", "Current account"),
        "nro": ("NRO", "NRO account"),
    }
    pen.ticks(140, y + 16, kinds)


def _joint_holders(pen: Pen) -> None:
    y = pen.bar(LEFT, 52, RIGHT - LEFT, "D.  JOINT HOLDERS OF THE DEMAT ACCOUNT   (strike out if none)")
    for row, (order, words) in enumerate((("second", "Second holder"), ("third", "Third holder"))):
        top = y + 2 + 9 * row
        pen.text(LEFT, top + 4.4, f"{row + 1}. {words}: name", 6.2)
        pen.add(f"{order}_holder_name", f"{words}'s name", FieldKind.TEXT, pen.line(44, 128, top + 6.6))
        pen.text(132, top + 4.4, "PAN", 6.2)
        pen.add(
            f"{order}_holder_pan",
            f"{words}'s PAN",
            FieldKind.IDENTIFIER,
            pen.comb(144, top, 10),
            cells=10,
            identifier=Identifier.PAN,
            required_if=f"{order}_holder_name",
            checks=identified("kyc.identity"),
        )


def _declaration(pen: Pen) -> None:
    y = pen.bar(LEFT, 79, RIGHT - LEFT, "E.  DECLARATION")
    y = pen.prose(LEFT + 1, y + 3.4, RIGHT - LEFT - 2, PROMISE, 5.8)
    y = 110
    pen.text(LEFT, y, "Place*")
    pen.add("place", "Place", FieldKind.TEXT, pen.line(24, 92, y + 1), required=True, checks=filled("kyc.declaration"))
    pen.text(110, y, "Date*  (day/month/year)")
    pen.add(
        "declaration_date",
        "Date of the declaration",
        FieldKind.DATE,
        pen.line(142, RIGHT, y + 1, 8),
        required=True,
        checks=dated("kyc.declaration", stale=(92, "desk.age"), after=("birth_date", "kyc.declaration")),
    )
    holders = (("first", "Sole / first applicant"), ("second", "Second holder"), ("third", "Third holder"))
    for column, (order, words) in enumerate(holders):
        x = LEFT + 64.5 * column
        area = pen.frame(x, 115, 61, 18)
        pen.text(x + 30.5, 137.9, f"Signature of {words.lower()}{'' if column else '*'}", 6.2, at="centre")
        pen.add(
            f"{order}_signature",
            f"Signature of {words.lower()}",
            FieldKind.SIGNATURE,
            area,
            required=column == 0,
            required_if=f"{order}_holder_name" if column else None,
            checks=signed("account.joint-holders" if column else "kyc.declaration"),
        )


def _office(pen: Pen) -> None:
    pen.frame(8, 141, WIDTH_MM - 16, 134, 0.4)
    y = pen.bar(8, 141, WIDTH_MM - 16, "F.  FOR OFFICE USE ONLY")
    pen.text(LEFT, y + 5, "1. IN-PERSON VERIFICATION (IPV), carried out by", 6.8, bold=True)
    lines = (
        ("verifier_name", "Name of the official*", "Name of the verifying official"),
        ("verifier_designation", "Designation*", "Designation of the verifying official"),
        ("verifier_code", "Employee code*", "Employee code of the verifying official"),
        ("verifier_branch", "Organisation and branch", "Organisation and branch"),
    )
    for row, (name, words, label) in enumerate(lines):
        base = y + 14 + 9.2 * row
        pen.text(LEFT, base, words, 6.2)
        must = row < 3
        area = pen.line(44, 136, base + 1.5)
        pen.add(name, label, FieldKind.TEXT, area, required=must, checks=filled("kyc.in-person") if must else ())
    base = y + 48
    pen.text(LEFT, base + 4.4, "Date of verification*", 6.2)
    pen.add(
        "verification_date",
        "Date of the in-person verification",
        FieldKind.DATE,
        pen.date_comb(44, base),
        cells=8,
        format="DDMMYYYY",
        required=True,
        checks=dated("kyc.in-person", after=("declaration_date", "kyc.in-person")),
    )
    area = pen.frame(44, base + 9, 61, 16)
    pen.text(LEFT, base + 18, "Signature of the official*", 6.2)
    pen.add(
        "verifier_signature",
        "Signature of the verifying official",
        FieldKind.SIGNATURE,
        area,
        required=True,
        checks=signed("kyc.in-person"),
    )
    area = pen.frame(146, y + 6, 52, 34)
    pen.text(172, y + 47.2, "Stamp of the participant*  (seal with name and code)", 5.4, at="centre")
    pen.add(
        "verification_stamp",
        "Participant's stamp of the in-person verification",
        FieldKind.ENDORSEMENT,
        area,
        required=True,
        checks=stamped("kyc.in-person", "kyc.authorised"),
    )
    y = 222
    pen.rule(8, y, WIDTH_MM - 8, y)
    pen.text(LEFT, y + 5, "2. DOCUMENTS RECEIVED", 6.8, bold=True)
    copies = {
        "self_attested": ("Self-attested copies", "Self-attested copies received"),
        "true_copies": ("True copies, originals verified", "True copies received"),
        "notarised": ("Attested by a notary", "Copies attested by a notary"),
    }
    for row, (name, choice) in enumerate(copies.items()):
        pen.ticks(LEFT + 2, y + 12 + 6.5 * row, {name: choice})
    pen.text(LEFT, y + 34, "Date of receipt*", 6.2)
    pen.add(
        "receipt_date",
        "Date on which the documents were received",
        FieldKind.DATE,
        pen.line(34, 84, y + 35.5, 8),
        required=True,
        checks=dated("kyc.originals", after=("declaration_date", "kyc.originals")),
    )
    area = pen.frame(90, y + 6, 50, 34)
    pen.text(115, y + 47.2, "Stamp “Originals verified”*", 5.8, at="centre")
    pen.add(
        "originals_stamp",
        "Stamp “Originals verified”",
        FieldKind.ENDORSEMENT,
        area,
        required=True,
        checks=stamped("kyc.originals", "kyc.authorised"),
    )
    remarks = pen.frame(146, y + 6, 52, 34, grey=0.96)
    pen.text(172, y + 47.2, "Remarks of the office", 5.8, at="centre")
    pen.leave(remarks)
    pen.prose(
        LEFT,
        280,
        RIGHT - LEFT,
        "Checklist of the office: PAN matches the copy; name as in the PAN card; photograph signed across; every page "
        "complete; corrections signed; address proof within three months; joint holders' signatures present; date and "
        "seal of in-person verification present; KYC status with the registration agency looked up. Incomplete forms "
        "are returned with the reason noted above.",
        5.0,
    )
