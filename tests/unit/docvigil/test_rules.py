"""The version of the rules is an id that changes with the thresholds and may stand in the audit trail."""

from __future__ import annotations

import shutil
from pathlib import Path

from docvigil.settings import Settings
from docvigil.wiring import bound, checks_version, rules_version, thresholds
from models.checkpoint import bundled, digest
from pipeline.findings import CHECKS
from pipeline.missed import Trial, chosen
from pipeline.verdict import CLEAR, Thresholds
from records.canonical import as_id
from tests.unit.pipeline.test_missed import ABOUT


def test_the_version_of_the_rules_is_an_id_and_tells_what_is_judged_otherwise() -> None:
    home = Path("home")
    usual, strict = Settings(home=home), Settings(home=home, clear={"date.missing": 0.9, "signature.missing": 0.95})
    every = Settings(home=home, clear=dict.fromkeys(CHECKS, 0.75))
    looser, skipping = Settings(home=home, default_clear=0.6), Settings(home=home, blank_pages="skip")
    versions = {rules_version(one) for one in (usual, strict, every, looser, skipping)}
    assert len(versions) == 5
    assert all(as_id(one) == one for one in versions)


def test_settings_go_before_the_bound_and_the_bound_before_what_is_usual(tmp_path: Path) -> None:
    shutil.copyfile(bundled() / "config.json", tmp_path / "config.json")
    config = Settings(home=tmp_path, model_folder=tmp_path, clear={"date.stale": 0.2})
    assert thresholds(config) == Thresholds({**CLEAR, "date.stale": 0.2})
    found = chosen(
        [Trial("", frozenset([check]), frozenset([check]), {}) for check in ("date.future", "date.stale")] * 400
        + [Trial("", frozenset([check]), frozenset(), {check: 0.7}) for check in ("date.future", "date.stale")] * 5,
        **(ABOUT | {"model": digest(tmp_path), "rules": checks_version(config)}),
    )
    found.save(tmp_path)
    judged_by = thresholds(config)
    assert judged_by == Thresholds({**CLEAR, "date.future": 0.701, "date.stale": 0.2})
    assert not found.holds("date.future", judged_by), "a threshold below the floor ends the bound"
    assert found.holds("date.future", thresholds(config.model_copy(update={"clear": {"date.missing": 0.9}})))
    assert rules_version(config) != rules_version(Settings(home=tmp_path, clear={"date.stale": 0.2}))
    (tmp_path / "config.json").write_text("{}")
    assert bound(config) is None and thresholds(config) == Thresholds({**CLEAR, "date.stale": 0.2})
