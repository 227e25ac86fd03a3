"""Versions that scans name can be explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from pipeline.doctypes.schema import DocumentType
from records import registry
from records.tables import DoctypeVersion, Event
from tests.unit.pipeline.paper import make_type


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> list[DocumentType]:
    folder = tmp_path_factory.mktemp("types")
    return [make_type(folder, seed) for seed in (1, 2)]


def test_types_are_written_down_once(sessions: sessionmaker[Session], forms: list[DocumentType]) -> None:
    version = registry.types_version(forms)
    with sessions.begin() as session:
        assert registry.record_doctypes(session, forms, version)
        assert not registry.record_doctypes(session, forms, version)
    with sessions.begin() as session:
        known = registry.doctypes_of(session, version)
        assert known == {one.key: one.model_dump(mode="json") for one in forms}
        assert registry.doctypes_of(session, "unknown") == {}
        assert session.scalars(select(Event.kind)).all() == ["doctype.recorded"] * 2 + ["doctypes.version"]


def test_a_changed_type_is_a_new_version_beside_the_old(
    sessions: sessionmaker[Session], forms: list[DocumentType]
) -> None:
    changed = [forms[0], forms[1].model_copy(update={"title": "Another title"})]
    before, after = registry.types_version(forms), registry.types_version(changed)
    assert before != after
    with sessions.begin() as session:
        registry.record_doctypes(session, forms, before)
        registry.record_doctypes(session, changed, after)
    with sessions.begin() as session:
        assert len(session.scalars(select(DoctypeVersion)).all()) == 3
        assert registry.doctypes_of(session, before)[forms[1].key]["title"] == forms[1].title
        assert registry.doctypes_of(session, after)[forms[1].key]["title"] == "Another title"


def test_a_version_does_not_hang_on_order_or_place(forms: list[DocumentType], tmp_path: Path) -> None:
    elsewhere = [make_type(tmp_path, seed) for seed in (2, 1)]
    assert registry.types_version(forms) == registry.types_version(elsewhere)
    assert elsewhere[0].folder is not None
    blank = elsewhere[0].folder / elsewhere[0].pages[0].blank
    blank.write_bytes(blank.read_bytes() + b"x")
    assert registry.types_version(forms) != registry.types_version(elsewhere)
