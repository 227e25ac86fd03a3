"""Settings: wrong ones are named, and places stay the same wherever a process stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from docvigil.settings import BadSettings, Settings, settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "HOME", "LOG_LEVEL"):
        monkeypatch.delenv(f"DOCVIGIL_{name}", raising=False)
    settings.cache_clear()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"DATABASE_URL": "postgresql://h/d"}, "belong together"),
        ({"REDIS_URL": "redis://h"}, "belong together"),
        ({"TIMEZONE": "Asia/Bombai"}, "DOCVIGIL_TIMEZONE: there is no timezone 'Asia/Bombai'"),
        ({"LEASE_SECONDS": "20", "HEARTBEAT_SECONDS": "10"}, "three times"),
        ({"AUDIT_KEY": "abc"}, "64 hexadecimal digits"),
        ({"MAX_PAGES": "0"}, "DOCVIGIL_MAX_PAGES"),
        ({"LOG_FORMAT": "xml"}, "DOCVIGIL_LOG_FORMAT"),
        ({"MAX_PAGES": "0", "TIMEZONE": "x"}, "DOCVIGIL_TIMEZONE"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], told: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DOCVIGIL_{name}", value)
    with pytest.raises(BadSettings) as wrong:
        settings()
    assert told in str(wrong.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "ab" * 32
    monkeypatch.setenv("DOCVIGIL_AUDIT_KEY", key)
    monkeypatch.setenv("DOCVIGIL_DATABASE_URL", "postgresql://user:hidden@host/docvigil")
    monkeypatch.setenv("DOCVIGIL_REDIS_URL", "redis://:hidden@host")
    assert settings().audit_key_bytes == bytes.fromhex(key)
    assert key not in repr(settings()) and "hidden" not in repr(settings())


def test_places_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = Settings(
        home=Path("here"),
        doctypes_folder=Path("types"),
        model_folder=Path("model"),
        log_file=Path("a.log"),
        object_store="objects",
    )
    assert chosen.home == tmp_path / "here"
    assert chosen.types_folder == tmp_path / "types"
    assert chosen.model_folder == tmp_path / "model"
    assert chosen.log_file == tmp_path / "a.log"
    assert chosen.objects == str(tmp_path / "objects")
    assert Settings(object_store="s3://bucket/prefix").objects == "s3://bucket/prefix"


def test_what_is_not_set_lies_under_home(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path)
    assert not chosen.external
    assert (chosen.types_folder, chosen.objects) == (tmp_path / "doctypes", str(tmp_path / "objects"))
