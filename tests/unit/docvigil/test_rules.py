"""The version of the rules is an id that changes with the thresholds and may stand in the audit trail."""

from __future__ import annotations

import shutil
from pathlib import Path

from docvigil.judgement import bound, checks_version, judgement, promises, thresholds, usual_judgement
from docvigil.settings import Settings
from models.checkpoint import bundled, digest
from pipeline.findings import CHECKS
from pipeline.missed import Trial, chosen
from pipeline.verdict import CLEAR, Thresholds
from records import model_archives
from records.canonical import as_id
from records.objects import FolderStore
from tests.unit.pipeline.test_missed import ABOUT


def test_the_version_of_the_rules_is_an_id_and_tells_what_is_judged_otherwise() -> None:
    home = Path("home")
    usual, strict = Settings(home=home), Settings(home=home, clear={"date.missing": 0.9, "signature.missing": 0.95})
    every = Settings(home=home, clear=dict.fromkeys(CHECKS, 0.75))
    looser, skipping = Settings(home=home, default_clear=0.6), Settings(home=home, blank_pages="skip")
    versions = {usual_judgement(one).rules for one in (usual, strict, every, looser, skipping)}
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
    other = Settings(home=tmp_path, clear={"date.stale": 0.2})
    assert usual_judgement(config).rules != usual_judgement(other).rules
    (tmp_path / "config.json").write_text("{}")
    assert bound(config) is None and thresholds(config) == Thresholds({**CLEAR, "date.stale": 0.2})


def test_a_version_is_judged_by_its_own_bound_where_it_has_one(tmp_path: Path) -> None:
    config, store, folder = Settings(home=tmp_path), FolderStore(tmp_path / "objects"), tmp_path / "trained"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    version = digest(folder)
    model_archives.put(store, folder, version)
    assert judgement(config, store, version) == usual_judgement(config), "without one, as the model of the settings"
    assert promises(config, store)(version) is None

    def proved(model: str, confidence: float) -> None:
        trials = [
            *[Trial("", frozenset(["date.future"]), frozenset(["date.future"]), {})] * 400,
            *[Trial("", frozenset(["date.future"]), frozenset(), {"date.future": confidence})] * 5,
        ]
        chosen(trials, **(ABOUT | {"model": model, "rules": checks_version(config)})).save(folder)
        model_archives.put(store, folder, version)

    proved("its parent", 0.9)
    assert judgement(config, store, version) == usual_judgement(config), "a bound of other weights says nothing"
    proved(version, 0.7)
    own = judgement(config, store, version)
    assert own.thresholds.of("date.future") == 0.701
    assert own.rules != usual_judgement(config).rules
    told = promises(config, store)(version)
    assert told is not None and (told.model, told.rules, set(told.checks)) == (version, own.rules, {"date.future"})
    proved(version, 0.8)
    assert judgement(config, store, version).thresholds.of("date.future") == 0.801, "the newest counts"
