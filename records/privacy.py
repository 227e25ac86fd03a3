"""The last guard before the tables: nothing that may be a complete Aadhaar number is written down."""

from __future__ import annotations

import re

#: Twelve digits of which the first is 2 to 9, grouped by four or not. No check digit is asked for: a misread number
#: is still nearly the whole of it. The same expression stands in the tables' constraints.
AADHAAR = "(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)"

#: What stands where digits were crossed out.
CROSSED_OUT = "XXXX"

_AADHAAR = re.compile("(?<![0-9])[2-9][0-9]{3}([ -]?)[0-9]{4}([ -]?)([0-9]{4})(?![0-9])")


def masked(text: str) -> str:
    """The text with all but the last four digits of such numbers crossed out."""
    while (again := _AADHAAR.sub(r"XXXX\1XXXX\2\3", text)) != text:
        text = again
    return text
