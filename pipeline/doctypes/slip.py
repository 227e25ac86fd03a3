"""The built-in delivery instruction slip, one page: an order to move securities out of a demat account.

Slip number and account, dates, counterparty, five lines of securities, the holders' signatures, the participant's own
part with its stamps, and the receipt that is torn off. All of it is drawn here.
"""

from __future__ import annotations

from pipeline.doctypes.clauses import dated, filled, identified, signed, stamped
from pipeline.doctypes.pens import HEIGHT_MM, WIDTH_MM, Pen
from pipeline.doctypes.schema import Check, FieldKind, Identifier

NAME, TITLE = "delivery-instruction-slip", "Delivery instruction slip (DIS)"

LEFT, RIGHT = 10.0, 200.0

#: Lines of securities, and how high each is (mm).
LINES, LINE_MM = 5, 9.2

ORDER = (
    "I/We request you to debit my/our account and to make the transfer described below. I/We have the power to do so; "
    "the securities are free of any lien and of any order of a court or authority. The details of this slip were "
    "complete when I/we signed it. This slip has one execution date and is used either for market or for off-market "
    "instructions, not for both."
)

NOTES = (
    "Notes: 1. All holders sign as in the participant's records. 2. Corrections are signed in full by all holders; "
    "correction fluid is not accepted. 3. Lines not used are struck out. 4. Slips received after the deadline are "
    "stamped as received late and executed at the account holder's risk. 5. Lost or stolen slips are reported at once. "
    "6. Never sign a blank slip. Slips of earlier books are not accepted once a new book was issued."
)

REASONS = {
    "reason_gift": ("1 Gift", "Reason: gift"),
    "reason_family": ("2 Family account", "Reason: family account"),
    "reason_own": ("3 Own account", "Reason: own account"),
    "reason_sale": ("4 Off-market sale", "Reason: off-market sale"),
    "reason_trust": ("5 Trust", "Reason: trust"),
    "reason_other": ("6 Other", "Reason: other"),
}


def draw(pen: Pen) -> None:
    """The page."""
    pen.frame(6, 5, WIDTH_MM - 12, HEIGHT_MM - 10, 0.4)
    _heading(pen)
    _counterparty(pen)
    _securities(pen)
    _holders(pen)
    _participant(pen)
    _receipt(pen)


def _heading(pen: Pen) -> None:
    pen.text(LEFT, 12.5, "DELIVERY INSTRUCTION SLIP", 13, bold=True)
    pen.text(LEFT, 17, "Combined slip for market, off-market and inter-depository instructions (debit)", 6.5, bold=True)
    pen.text(144, 12.2, "Slip no.", 7, bold=True)
    pen.add(
        "slip_number",
        "Serial number of the slip",
        FieldKind.IDENTIFIER,
        pen.frame(158, 7, 42, 8, 0.3),
        identifier=Identifier.SERIAL,
        required=True,
        checks=identified("dis.serial"),
    )
    pen.text(200, 18, "DIS-1   Please fill in BLOCK LETTERS.  * mandatory", 5.2, at="right")
    pen.rule(6, 20, WIDTH_MM - 6, 20)

    y = 24
    pen.text(LEFT, y + 4.4, "Account (BO ID)*", 6.8, bold=True)
    pen.add(
        "bo_id",
        "BO ID of the account to be debited",
        FieldKind.IDENTIFIER,
        pen.comb(38, y, 16),
        cells=16,
        identifier=Identifier.BO_ID,
        required=True,
        checks=identified("dis.serial"),
    )
    pen.text(38, y - 1.2, "DP ID", 4.6)
    pen.text(78, y - 1.2, "Client ID", 4.6)
    pen.text(138, y + 4.4, "Date*", 6.8, bold=True)
    pen.add(
        "slip_date",
        "Date of the slip",
        FieldKind.DATE,
        pen.date_comb(160, y),
        cells=8,
        format="DDMMYYYY",
        required=True,
        checks=dated("dis.date", stale=(10, "desk.age")),
    )
    holders = (("first", "Sole / first holder*"), ("second", "Second holder"), ("third", "Third holder"))
    for row, (order, words) in enumerate(holders):
        base = 39 + 8 * row
        pen.text(LEFT, base, words, 6.2)
        pen.add(
            f"{order}_holder_name",
            f"Name of the {order} holder",
            FieldKind.TEXT,
            pen.line(38, 134, base + 1.5, 6.6),
            required=row == 0,
            checks=() if row else filled("dis.date"),
        )
    pen.text(138, 38.4, "Execution date*", 6.8, bold=True)
    pen.add(
        "execution_date",
        "Date of execution",
        FieldKind.DATE,
        pen.date_comb(160, 34),
        cells=8,
        format="DDMMYYYY",
        required=True,
        checks=dated("dis.execution", future=False, stale=(10, "desk.age"), after=("slip_date", "dis.execution")),
    )
    kinds = {
        "market": ("Market", "Market instruction"),
        "off_market": ("Off market", "Off-market instruction"),
        "inter_depository": ("Inter-depository", "Inter-depository instruction"),
    }
    for row, (name, choice) in enumerate(kinds.items()):
        pen.ticks(160, 46 + 5.2 * row, {name: choice})
    pen.text(138, 46, "Kind*  (one only)", 6.2)
    pen.prose(LEFT, 62.5, RIGHT - LEFT, ORDER, 5.4)


def _counterparty(pen: Pen) -> None:
    y = pen.bar(LEFT, 71.5, RIGHT - LEFT, "1.  TO BE CREDITED")
    pen.text(LEFT, y + 6.4, "Account (BO ID)*", 6.2)
    pen.add(
        "target_bo_id",
        "BO ID of the account to be credited",
        FieldKind.IDENTIFIER,
        pen.comb(38, y + 2, 16),
        cells=16,
        identifier=Identifier.BO_ID,
        required=True,
        checks=identified("dis.counterparty"),
    )
    pen.text(122, y + 6.4, "Name", 6.2)
    pen.add("target_name", "Name on the account to be credited", FieldKind.TEXT, pen.line(132, RIGHT, y + 8.4, 6.6))
    base = y + 15.5
    pen.text(LEFT, base, "Market instructions:  settlement", 6.2)
    pen.add("settlement", "Settlement number", FieldKind.TEXT, pen.comb(50, base - 4.4, 13, 4.6), cells=13)
    pen.text(114, base, "Clearing member", 6.2)
    pen.add("clearing_member", "Clearing member", FieldKind.TEXT, pen.line(136, RIGHT, base + 1.8, 6.6))
    base = y + 23
    pen.text(LEFT, base, "Off market:  reason", 6.2)
    pen.ticks(38, base, REASONS, 3.5)
    base = y + 31
    pen.text(LEFT, base, "Consideration (Rs.)", 6.2)
    pen.add("consideration", "Consideration", FieldKind.AMOUNT, pen.line(38, 84, base + 1.5))
    pen.text(88, base, "Date of payment", 6.2)
    pen.add(
        "payment_date",
        "Date of payment",
        FieldKind.DATE,
        pen.line(110, 152, base + 1.5, 7.4),
        checks=dated("dis.counterparty", missing=False),
    )
    pen.text(156, base, "by", 6.2)
    pen.add("payment", "How the consideration was paid", FieldKind.TEXT, pen.line(161, RIGHT, base + 1.5))


def _securities(pen: Pen) -> None:
    top, height = pen.bar(LEFT, 111, RIGHT - LEFT, "2.  SECURITIES"), 5.0
    edges = (LEFT, 17.0, 72.5, 113.0, 140.0, RIGHT)
    heads = ("No.", "ISIN*", "Name of the security", "Quantity in figures*", "Quantity in words*")
    pen.frame(LEFT, top, RIGHT - LEFT, height, grey=0.95)
    for x0, x1, words in zip(edges, edges[1:], heads, strict=False):
        pen.text((x0 + x1) / 2, top + 3.4, words, 5.8, bold=True, at="centre")
    bottom = top + height + LINES * LINE_MM
    pen.frame(LEFT, top, RIGHT - LEFT, bottom - top, 0.4)
    for x in edges[1:-1]:
        pen.rule(x, top, x, bottom)
    for row in range(LINES):
        number, y = row + 1, top + height + row * LINE_MM
        pen.rule(LEFT, y, RIGHT, y)
        pen.text((edges[0] + edges[1]) / 2, y + 5.6, str(number), 6.5, at="centre")
        _security(pen, number, y, edges)
    base = bottom + 5
    pen.text(LEFT, base, "Number of lines used", 6.2)
    pen.add("lines", "Number of lines used", FieldKind.AMOUNT, pen.frame(40, base - 4.2, 14, 6.4))
    pen.text(58, base, "(strike out the others)", 5.4)


def _security(pen: Pen, number: int, y: float, edges: tuple[float, ...]) -> None:
    """One line of the table. All of it depends on whether its ISIN is filled; the first must be."""
    first, isin = number == 1, f"isin_{number}"
    condition = None if first else isin
    pen.add(
        isin,
        f"ISIN, line {number}",
        FieldKind.IDENTIFIER,
        pen.comb(edges[1] + 0.7, y + 1.4, 12, 4.5),
        cells=12,
        identifier=Identifier.ISIN,
        required=first,
        checks=identified("dis.securities", missing=first),
    )

    def cell(column: int) -> tuple[float, float, float, float]:
        return (edges[column] + 0.4, y + 0.4, edges[column + 1] - 0.4, y + LINE_MM - 0.4)

    pen.add(f"security_{number}", f"Name of the security, line {number}", FieldKind.TEXT, cell(2))
    words = f"quantity_words_{number}"
    pen.add(
        f"quantity_{number}",
        f"Quantity in figures, line {number}",
        FieldKind.AMOUNT,
        cell(3),
        required=first,
        required_if=condition,
        checks=(
            *filled("dis.securities"),
            Check(check="amount.mismatch", words=words, rule="dis.securities"),
        ),
    )
    pen.add(
        words,
        f"Quantity in words, line {number}",
        FieldKind.TEXT,
        cell(4),
        required=first,
        required_if=condition,
        checks=filled("dis.securities"),
    )


def _holders(pen: Pen) -> None:
    y = pen.bar(LEFT, 175, RIGHT - LEFT, "3.  SIGNATURES OF ALL HOLDERS   (as in the participant's records)")
    for column, order in enumerate(("first", "second", "third")):
        x = LEFT + 64.5 * column
        area = pen.frame(x, y + 2.6, 61, 15.5)
        words = "Sole / first holder*" if column == 0 else f"{order.capitalize()} holder"
        pen.text(x + 30.5, y + 22.4, words, 6.2, at="centre")
        pen.add(
            f"{order}_signature",
            f"Signature of the {order} holder",
            FieldKind.SIGNATURE,
            area,
            required=column == 0,
            required_if=f"{order}_holder_name" if column else None,
            checks=signed("dis.holders"),
        )


def _participant(pen: Pen) -> None:
    top = 204.5
    pen.frame(8, top, WIDTH_MM - 16, 48, 0.4)
    y = pen.bar(8, top, WIDTH_MM - 16, "4.  FOR THE PARTICIPANT ONLY")
    pen.text(LEFT, y + 6.8, "Date of receipt*", 6.2)
    pen.add(
        "receipt_date",
        "Date of receipt",
        FieldKind.DATE,
        pen.date_comb(36, y + 3),
        cells=8,
        format="DDMMYYYY",
        required=True,
        checks=dated("dis.receipt", after=("slip_date", "dis.receipt")),
    )
    for row, (name, words) in enumerate((("receipt_time", "Time of receipt"), ("entered_by", "Entered by (initials)"))):
        base = y + 17 + 8.4 * row
        pen.text(LEFT, base, words, 6.2)
        pen.add(name, words, FieldKind.TEXT, pen.line(38, 80, base + 1.5))
    pen.text(LEFT, y + 33.8, "Verified by (initials)", 6.2)
    pen.add("verified_by", "Verified by (initials)", FieldKind.TEXT, pen.line(38, 80, y + 35.3))
    received = pen.frame(84, y + 4.8, 46, 30.4)
    pen.text(107, y + 41.5, "Participant's stamp with date*", 5.6, at="centre")
    pen.add(
        "receipt_stamp",
        "Participant's stamp of receipt",
        FieldKind.ENDORSEMENT,
        received,
        required=True,
        checks=stamped("dis.receipt", "dis.authorised"),
    )
    late = pen.frame(133, y + 4.8, 46, 30.4)
    pen.text(156, y + 41.5, "Stamp “Received late”, if so", 5.6, at="centre")
    pen.add(
        "late_stamp",
        "Stamp “Received late”",
        FieldKind.ENDORSEMENT,
        late,
        checks=stamped("dis.receipt", "dis.authorised", missing=False),
    )
    pen.leave(pen.frame(182, y + 4.8, 18, 30.4, grey=0.96))
    pen.text(191, y + 41.5, "Batch", 5.6, at="centre")


def _receipt(pen: Pen) -> None:
    pen.prose(LEFT, 255.4, RIGHT - LEFT, NOTES, 5.0)
    pen.rule(6, 261.5, WIDTH_MM - 6, 261.5, 0.3, dashed=True)
    words = "ACKNOWLEDGEMENT   (to be torn off and given to the account holder)"
    pen.text(WIDTH_MM / 2, 265.6, words, 6.4, bold=True, at="centre")
    pen.text(LEFT, 274, "Received from", 6.2)
    pen.add("received_from", "Received from", FieldKind.TEXT, pen.line(30, 118, 275.5, 6.6))
    pen.text(LEFT, 283, "BO ID", 6.2)
    pen.add(
        "receipt_bo_id",
        "BO ID on the acknowledgement",
        FieldKind.IDENTIFIER,
        pen.comb(30, 278.4, 16, 4.8),
        cells=16,
        identifier=Identifier.BO_ID,
        checks=identified("dis.serial", missing=False),
    )
    pen.text(LEFT, 290, "This slip is subject to verification. Ask for the status with its number.", 5.2)
    pen.text(122, 274, "a slip dated", 6.2)
    pen.add(
        "acknowledged_date",
        "Date of the slip on the acknowledgement",
        FieldKind.DATE,
        pen.line(138, RIGHT, 275.5, 6.6),
        checks=dated("dis.receipt", missing=False),
    )
    pen.text(122, 283, "Received by (name and initials)", 6.2)
    pen.add("received_by", "Received by", FieldKind.TEXT, pen.line(158, RIGHT, 284.5, 6.6))
