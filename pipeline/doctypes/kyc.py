"""The built-in KYC application form for individuals, two pages, with the holders of a joint demat account.

Laid out as such forms are in India: identity, address, bank, joint holders, declaration, and the office's own part
with in-person verification and the stamp on verified originals. All of it is drawn here.
"""

from __future__ import annotations

from pipeline.doctypes import kyc_second
from pipeline.doctypes.clauses import dated, filled, identified
from pipeline.doctypes.pens import HEIGHT_MM, WIDTH_MM, Pen
from pipeline.doctypes.schema import Check, FieldKind, Identifier

NAME, TITLE = "kyc-individual", "KYC application form, individual"

LEFT, RIGHT = 10.0, 200.0

ADVICE = (
    "Important: 1. Self-attested copies of PAN card and proofs are needed with originals for verification. 2. Write "
    "one letter in each box and leave one box empty between words. 3. Copies of bills and statements may not be older "
    "than three months. 4. Sign across the photograph so that part of the signature is on the form. 5. Strike out what "
    "does not apply. 6. Corrections are countersigned in full by the applicant; correction fluid is not accepted."
)


def draw(pen: Pen) -> None:
    """Both pages."""
    _heading(pen, 1)
    _identity(pen)
    _address(pen)
    pen.prose(LEFT, 279.5, RIGHT - LEFT, ADVICE, 5.0)
    pen.next_page()
    _heading(pen, 2)
    kyc_second.draw(pen)


def _heading(pen: Pen, page: int) -> None:
    pen.frame(6, 5, WIDTH_MM - 12, HEIGHT_MM - 10, 0.4)
    pen.text(LEFT, 12.5, "KNOW YOUR CLIENT (KYC) APPLICATION FORM", 13, bold=True)
    pen.text(RIGHT, 10.5, f"KYC-IND/1   Page {page} of 2", 6, at="right")
    pen.text(LEFT, 17, "For Individuals, and for the holders of a joint demat account", 7.5, bold=True)
    if page == 1:
        words = "Please fill this form in ENGLISH and in BLOCK LETTERS, in dark ink. Fields marked * are mandatory."
    else:
        words = "Continued. This page is part of the application and is not valid without the first page."
    pen.text(LEFT, 20.8, words, 5.8)


def _identity(pen: Pen) -> None:
    y = 29.5
    pen.text(LEFT, y, "Application type*")
    pen.ticks(36, y, {"new_application": ("New", "New application"), "update": ("Update of KYC record", "Update")})
    pen.text(99, y, "KYC number")
    pen.add("kyc_number", "KYC number", FieldKind.TEXT, pen.comb(115, y - 4.4, 10, 4.4), cells=10)
    picture = pen.frame(164, 24, 36, 46)
    for row, words in enumerate(
        ("PHOTOGRAPH", "Please affix a recent", "passport size photograph", "and sign across it")
    ):
        pen.text(182, 42 + 3.4 * row, words, 6.4 if row else 7.5, bold=not row, at="centre")
    # A signature across the photograph reaches beyond it.
    pen.leave((picture[0] - 3, picture[1] - 1, picture[2] + 4, picture[3]))

    pen.bar(LEFT, 34, 150, "A.  IDENTITY DETAILS   (please see guidelines overleaf)")
    names = [
        ("applicant_name", "Name of applicant", "1. Name of applicant*", "as in the PAN card", True),
        ("father_name", "Father's or spouse's name", "2. Father's / spouse's name*", "", True),
        ("mother_name", "Mother's name", "3. Mother's name", "", False),
    ]
    for row, (name, label, words, more, must) in enumerate(names):
        y = 42 + 9.2 * row
        pen.text(LEFT, y + 3.4, words, 6.2)
        pen.text(LEFT, y + 6.2, more, 4.8)
        area = pen.comb(44, y, 23, 5.0)
        pen.add(
            name, label, FieldKind.TEXT, area, cells=23, required=must, checks=filled("kyc.mandatory") if must else ()
        )
    y = 75.5
    pen.text(LEFT, y, "4. Gender*")
    gender = {"male": ("Male", "Male"), "female": ("Female", "Female"), "transgender": ("Transgender", "Transgender")}
    end = pen.ticks(30, y, gender)
    pen.text(end + 8, y, "5. Marital status*")
    end = pen.ticks(end + 32, y, {"single": ("Single", "Single"), "married": ("Married", "Married")})
    pen.text(end + 5, y, "Other")
    pen.add("marital_other", "Other marital status", FieldKind.TEXT, pen.line(end + 14, RIGHT, y + 1, 6))

    y = 81
    pen.text(LEFT, y + 4.2, "6. Date of birth*")
    pen.add(
        "birth_date",
        "Date of birth",
        FieldKind.DATE,
        pen.date_comb(44, y),
        cells=8,
        format="DDMMYYYY",
        required=True,
        checks=dated("kyc.mandatory"),
    )
    pen.text(94, y + 4.2, "7. Nationality*")
    end = pen.ticks(115, y + 4.2, {"indian": ("Indian", "Indian"), "foreign": ("Other", "Other nationality")})
    pen.text(end + 4, y + 4.2, "(specify)", 5.5)
    pen.add("nationality", "Other nationality", FieldKind.TEXT, pen.line(end + 16, RIGHT, y + 5.6))

    y = 92
    pen.text(LEFT, y + 4.2, "8. PAN*", 7, bold=True)
    pen.add(
        "pan",
        "PAN",
        FieldKind.IDENTIFIER,
        pen.comb(44, y, 10),
        cells=10,
        identifier=Identifier.PAN,
        required=True,
        checks=identified("kyc.identity"),
    )
    pen.text(102, y + 4.2, "9. Aadhaar (last four digits only)", 6.2)
    pen.text(151, y + 4.6, "XXXX-XXXX-", 9)
    pen.add(
        "aadhaar_last4",
        "Aadhaar, last four digits",
        FieldKind.IDENTIFIER,
        pen.comb(174, y, 4),
        cells=4,
        identifier=Identifier.AADHAAR_LAST4,
        checks=(*identified("kyc.identity", missing=False), Check(check="aadhaar.unmasked", rule="kyc.identity")),
    )
    y = 105
    pen.text(LEFT, y, "10. Residential status*")
    status = {
        "resident": ("Resident individual", "Resident individual"),
        "non_resident": ("Non-resident Indian", "Non-resident Indian"),
        "foreign_national": ("Foreign national", "Foreign national"),
        "indian_origin": ("Person of Indian origin", "Person of Indian origin"),
    }
    pen.ticks(44, y, status, 6)
    y = 112
    pen.text(LEFT, y, "11. Proof of identity")
    proofs = {
        "proof_passport": ("A  Passport", "Proof of identity: passport"),
        "proof_voter": ("B  Voter's card", "Proof of identity: voter's card"),
        "proof_licence": ("C  Driving licence", "Proof of identity: driving licence"),
        "proof_job_card": ("D  Job card", "Proof of identity: job card"),
        "proof_other": ("E  Other", "Proof of identity: other"),
    }
    pen.ticks(44, y, proofs, 5)
    y = 117
    pen.text(LEFT, y + 4.6, "Number of the document", 6.2)
    pen.add("proof_number", "Number of the proof of identity", FieldKind.TEXT, pen.line(44, 112, y + 6.4))
    pen.text(118, y + 4.6, "Valid until (passport, licence)", 6.2)
    pen.add(
        "proof_expiry",
        "Proof of identity valid until",
        FieldKind.DATE,
        pen.date_comb(160, y),
        cells=8,
        format="DDMMYYYY",
        checks=dated("kyc.mandatory", missing=False, future=False),
    )


def _address(pen: Pen) -> None:
    y = pen.bar(LEFT, 128, RIGHT - LEFT, "B.  ADDRESS DETAILS   (please see guidelines overleaf)")
    pen.text(LEFT, y + 4.5, "1. Address for correspondence*", 6.5, bold=True)
    _place(pen, y + 4, "", required=True)
    y = 178.5
    pen.text(LEFT, y, "2. Proof of address*")
    proofs = {
        "address_passport": ("Passport", "Proof of address: passport"),
        "address_licence": ("Driving licence", "Proof of address: driving licence"),
        "address_voter": ("Voter's card", "Proof of address: voter's card"),
        "address_bill": ("Utility bill #", "Proof of address: utility bill"),
        "address_bank": ("Bank statement #", "Proof of address: bank statement"),
    }
    pen.ticks(44, y, proofs, 4)
    y = 183
    pen.text(LEFT, y + 4.4, "Date of bill or statement #", 6.2)
    pen.add(
        "address_proof_date",
        "Date of the proof of address",
        FieldKind.DATE,
        pen.date_comb(48, y),
        cells=8,
        format="DDMMYYYY",
        required_if="address_bill",
        checks=dated("kyc.address-proof", stale=(92, "kyc.address-proof")),
    )
    pen.text(94, y + 4.4, "# Not more than three months old on the day of this application.", 5.5)

    y = 196
    pen.text(LEFT, y, "3. Permanent address*", 6.5, bold=True)
    pen.ticks(44, y, {"same_address": ("Same as the address for correspondence", "Same address")})
    pen.text(104, y, "or, where it differs or lies abroad:", 6)
    _place(pen, y - 1, "permanent_", required=False)

    y = 240
    pen.text(LEFT, y, "4. Contact details", 6.5, bold=True)
    pen.text(LEFT, y + 7, "Mobile*  +91", 6.5)
    pen.add(
        "mobile",
        "Mobile number",
        FieldKind.TEXT,
        pen.comb(30, y + 2.6, 10, 4.8),
        cells=10,
        required=True,
        checks=filled("kyc.mandatory"),
    )
    pen.text(84, y + 7, "E-mail*", 6.5)
    pen.add(
        "email", "E-mail", FieldKind.TEXT, pen.line(96, RIGHT, y + 9), required=True, checks=filled("kyc.mandatory")
    )
    y = 256
    pen.text(LEFT, y, "5. Gross annual income (Rs.)")
    income = {
        "income_1": ("Below 1 lakh", "Income below 1 lakh"),
        "income_5": ("1 to 5 lakh", "Income 1 to 5 lakh"),
        "income_10": ("5 to 10 lakh", "Income 5 to 10 lakh"),
        "income_25": ("10 to 25 lakh", "Income 10 to 25 lakh"),
        "income_more": ("Above 25 lakh", "Income above 25 lakh"),
    }
    pen.ticks(54, y, income, 5)
    y = 263
    pen.text(LEFT, y, "6. Occupation")
    work = {
        "work_private": ("Private sector", "Occupation: private sector"),
        "work_public": ("Public sector", "Occupation: public sector"),
        "work_business": ("Business", "Occupation: business"),
        "work_retired": ("Retired", "Occupation: retired"),
        "work_student": ("Student", "Occupation: student"),
    }
    end = pen.ticks(54, y, work, 5)
    pen.text(end + 5, y, "Other", 6.2)
    pen.add("work_other", "Other occupation", FieldKind.TEXT, pen.line(end + 13, RIGHT, y + 1, 6))
    y = 270
    pen.text(LEFT, y, "7. Politically exposed")
    pen.ticks(
        54,
        y,
        {
            "exposed": ("Politically exposed person", "Politically exposed person"),
            "exposed_kin": ("Related to one", "Related to a politically exposed person"),
            "not_exposed": ("Neither", "Not politically exposed"),
        },
        5,
    )
    pen.rule(LEFT, 275, RIGHT, 275)


def _place(pen: Pen, y: float, prefix: str, required: bool) -> None:
    """An address: two lines, town, district, state, PIN code and country; 38 mm high."""
    must = filled("kyc.mandatory") if required else ()
    for row in (1, 2):
        pen.text(LEFT, y + 8.5 * row + 1, f"Line {row}{'*' if required and row == 1 else ''}", 6.2)
        pen.add(
            f"{prefix}address_{row}",
            f"{'Permanent address' if prefix else 'Address'}, line {row}",
            FieldKind.TEXT,
            pen.line(24, RIGHT, y + 8.5 * row + 2.5),
            required=required and row == 1,
            checks=must if row == 1 else (),
        )
    columns = ((LEFT, "City / town / village", "city", 38.0, 94.0), (98.0, "District", "district", 110.0, RIGHT))
    for x, words, name, x0, x1 in columns:
        pen.text(x, y + 26.5, words, 6.2)
        pen.add(f"{prefix}{name}", words, FieldKind.TEXT, pen.line(x0, x1, y + 28), required=required, checks=must)
    pen.text(LEFT, y + 35, "State", 6.2)
    pen.add(f"{prefix}state", "State", FieldKind.TEXT, pen.line(24, 84, y + 36.5), required=required, checks=must)
    pen.text(90, y + 35, "PIN code", 6.2)
    pen.add(
        f"{prefix}pin_code",
        "PIN code",
        FieldKind.IDENTIFIER,
        pen.comb(104, y + 30.4, 6),
        cells=6,
        identifier=Identifier.PIN_CODE,
        required=required,
        checks=identified("kyc.mandatory", missing=required),
    )
    pen.text(140, y + 35, "Country", 6.2)
    pen.add(f"{prefix}country", "Country", FieldKind.TEXT, pen.line(153, RIGHT, y + 36.5))
