"""The version of the rules is an id that changes with the thresholds and may stand in the audit trail."""

from __future__ import annotations

from pathlib import Path

from docvigil.settings import Settings
from docvigil.wiring import rules_version
from pipeline.findings import CHECKS
from records.canonical import as_id


def test_the_version_of_the_rules_is_an_id_and_tells_what_is_judged_otherwise() -> None:
    home = Path("home")
    usual, strict = Settings(home=home), Settings(home=home, clear={"date.missing": 0.9, "signature.missing": 0.95})
    every = Settings(home=home, clear=dict.fromkeys(CHECKS, 0.75))
    looser, skipping = Settings(home=home, default_clear=0.6), Settings(home=home, blank_pages="skip")
    versions = {rules_version(one) for one in (usual, strict, every, looser, skipping)}
    assert len(versions) == 5
    assert all(as_id(one) == one for one in versions)
