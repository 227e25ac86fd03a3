"""The labels are true: forms filled rightly pass every check, and each planted defect raises its own and no other."""

from __future__ import annotations

import collections
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from models.synthesis import defects, filling, people, register
from models.synthesis.filling import Filled
from pipeline import amounts, identifiers
from pipeline.checks import Context, Form, FormSheet, judge_form
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import Check, DocumentType, FieldKind, Identifier
from pipeline.findings import Finding, Outcome
from pipeline.reading import Answer, AnswerState
from pipeline.register import read_csv
from pipeline.verdict import Thresholds
from tests.unit.pipeline.filled import EMPTY, Script, chosen, evidence, said

ON = date(2026, 3, 20)
TYPES = builtin()
DESK = register.make(np.random.default_rng(4), ON, [one.name for one in TYPES])
SEEDS = 40


def answers(entry: filling.Entry) -> list[Answer]:
    """What a reader says that makes no mistakes."""
    kind, words = entry.field.kind, any(check.check == "amount.mismatch" for check in entry.field.checks)
    nothing = [EMPTY, Answer(AnswerState.ILLEGIBLE, None, 0.5, 0.5)]
    if kind is FieldKind.ENDORSEMENT:
        return [chosen("stamp"), said(entry.text)] if entry.text else nothing
    if kind is FieldKind.TEXT and words:
        return [chosen("filled"), said(entry.text)] if entry.text else nothing
    if entry.text is None:
        return [EMPTY]
    labels = {FieldKind.SIGNATURE: "signature", FieldKind.TEXT: "filled", FieldKind.CHECKBOX: "ticked"}
    return [chosen(labels[kind])] if kind in labels else [said(entry.text)]


def flags(form: Filled, dropped: int | None = None) -> list[Finding]:
    """What the pipeline's own checks find in a form, read rightly, with a page of it taken away."""
    doctype = form.doctype
    script = Script({name: answers(entry) for name, entry in form.entries.items()}, doctype)
    there = [page for page in range(1, len(doctype.pages) + 1) if page != dropped]
    readings = tuple(script.read(evidence(one.name, doctype)) for one in doctype.fields if one.page in there)
    found = judge_form(
        Form(doctype, tuple(FormSheet(page, page) for page in there), readings),
        Context(ON, DESK.endorsers, Thresholds()),
    )
    return [one for one in found if one.outcome is not Outcome.PASS]


def fill(doctype: DocumentType, seed: int) -> tuple[Filled, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return filling.fill(doctype, ON, "test", DESK, rng), rng


@pytest.mark.parametrize("doctype", TYPES, ids=lambda one: one.name)
def test_forms_filled_rightly_pass_every_check(doctype: DocumentType) -> None:
    for seed in range(SEEDS):
        form, _rng = fill(doctype, seed)
        assert [(one.check, one.field, one.message) for one in flags(form)] == []


@pytest.mark.parametrize("doctype", TYPES, ids=lambda one: one.name)
def test_a_planted_defect_raises_its_own_check_and_no_other(doctype: DocumentType) -> None:
    planted: collections.Counter[str] = collections.Counter()
    for seed in range(4 * SEEDS):
        form, rng = fill(doctype, seed)
        defect = defects.plant(form, DESK, rng)
        planted[defect.check] += 1
        if defect.mark is not None:
            continue
        found = flags(form, defect.page if defect.check == "page.missing" else None)
        assert {(one.check, one.field) for one in found} == {(defect.check, defect.field)}, (seed, defect, found)
        assert {one.outcome for one in found} == {Outcome.ANOMALY}
    everywhere = {
        "signature.missing",
        "date.missing",
        "date.impossible",
        "date.future",
        "date.stale",
        "date.order",
        "endorsement.missing",
        "endorsement.unauthorised",
        "identifier.invalid",
        "ink.unexpected",
    }
    assert set(planted) - {"amount.mismatch"} == everywhere | ({"page.missing"} if len(doctype.pages) > 1 else set())


def test_words_and_figures_differ_only_where_words_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    slip = next(one for one in TYPES if one.name == "delivery-instruction-slip")
    spelled = {check.words for one in slip.fields for check in one.checks if check.words}
    asked = [
        one.model_copy(update={"checks": (Check(check="amount.mismatch"),)}) if one.name in spelled else one
        for one in slip.fields
    ]
    slip = slip.model_copy(update={"fields": tuple(asked)})
    for typed, differ in ((0.0, False), (1.0, True)):
        monkeypatch.setattr(filling, "TYPED", typed)
        planted = set()
        for seed in range(SEEDS):
            form, rng = fill(slip, seed)
            defect = defects.plant(form, DESK, rng)
            planted.add(defect.check)
            if defect.check == "amount.mismatch":
                assert [(one.check, one.field) for one in flags(form)] == [(defect.check, defect.field)]
        assert ("amount.mismatch" in planted) == differ


def test_holders_named_are_holders_signing() -> None:
    doctype = next(one for one in TYPES if one.name == "delivery-instruction-slip")
    counts: collections.Counter[int] = collections.Counter()
    for seed in range(SEEDS):
        form, _rng = fill(doctype, seed)
        counts[len(form.holders)] += 1
        for number, word in enumerate(("first", "second", "third"), start=1):
            signed = form.entries[f"{word}_signature"]
            assert (signed.text is not None) == (number <= len(form.holders))
            assert signed.text is None or signed.signer == form.holders[number - 1].signer
    assert set(counts) == {1, 2, 3}


def test_values_fit_their_fields() -> None:
    for doctype in TYPES:
        for seed in range(SEEDS):
            form, _rng = fill(doctype, seed)
            for name, entry in form.entries.items():
                one = doctype.field(name)
                if entry.text is None:
                    continue
                if one.cells:
                    assert len(entry.text) <= one.cells, (name, entry.text)
                if one.identifier is not None:
                    assert identifiers.check(one.identifier, entry.text) is None
                for check in one.checks:
                    if check.words:
                        assert amounts.words(form.entries[check.words].text or "") == amounts.figures(entry.text)


def test_a_whole_aadhaar_number_never_gets_into_a_label() -> None:
    field = next(one for one in TYPES[0].fields if one.identifier is not None).model_copy(
        update={"identifier": Identifier.AADHAAR}
    )
    number = people.aadhaar(np.random.default_rng(1))
    assert filling.Entry(field, number).value == f"XXXXXXXX{number[-4:]}"


def test_the_register_as_csv_is_the_register(tmp_path: Path) -> None:
    register.write_csv(DESK, tmp_path / "endorsers.csv")
    assert tuple(read_csv(tmp_path / "endorsers.csv")) == DESK.endorsers


def test_nobody_endorses_where_the_register_has_nobody() -> None:
    empty = register.Register((), ON)
    with pytest.raises(ValueError, match="nobody in the register"):
        empty.official("slip", np.random.default_rng(0))


def test_a_spoiled_identifier_is_never_right() -> None:
    rng = np.random.default_rng(2)
    makers: dict[Identifier, Callable[[], str]] = {
        Identifier.PAN: lambda: people.pan(rng, "Rao"),
        Identifier.ISIN: lambda: people.isin(rng),
        Identifier.BO_ID: lambda: people.bo_id(rng),
        Identifier.IFSC: lambda: people.ifsc(rng),
        Identifier.PIN_CODE: lambda: people.address(rng).pin,
    }
    assert set(makers) == set(defects.CHECKED)
    for kind, make in makers.items():
        for _ in range(50):
            assert identifiers.check(kind, make()) is None
            assert identifiers.check(kind, defects.spoiled(kind, make(), rng)) is not None
