"""What trials add up to: how well fields are read, kind by kind, and how many planted defects and clean documents are
flagged. Numbers, Markdown, and a page with reliability diagrams."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from docvigil import diagram
from docvigil.trials import FieldTrial, Tried
from models.scores import STRICT, Bin, expected_error, ranking, reliability, strict_share, wilson
from pipeline.missed import QUARANTINED, Trial
from pipeline.verdict import Thresholds


@dataclass(frozen=True, slots=True)
class KindScore:
    """How well the fields of one kind are read.

    `exact` is the share of which state and value are right, from `low` to `high` (95 %, Wilson); `presence` the share
    told rightly to be there or not, `precision` and `recall` those of telling that something is there; `written` how
    many hold something, of which the share `written_exact` is right; `character_error` the edits a character of values
    that were to be read; `calibration_error` and `auroc` judge the confidence; `strict_share` is the share of the most
    confident answers of which 99.5 % are right; `lost` how many fields were not found (they count as wrong).
    """

    kind: str
    fields: int
    exact: float
    low: float
    high: float
    presence: float
    precision: float | None
    recall: float | None
    written: int
    written_exact: float | None
    character_error: float | None
    calibration_error: float | None
    auroc: float | None
    strict_share: float
    lost: int


@dataclass(frozen=True, slots=True)
class CheckScore:
    """Documents with a planted defect of this check: how many, how many of them are flagged at all, and how many by
    this very check."""

    planted: int
    flagged: int
    named: int


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """What becomes of documents. A document counts once for each check that it was planted for; intervals are 95 %
    (Wilson). `false_alarms` counts the clean documents that each check flags."""

    documents: int
    defects: int
    defects_flagged: float | None
    defects_low: float
    defects_high: float
    clean: int
    clean_flagged: float | None
    clean_low: float
    clean_high: float
    quarantined: int
    by_check: dict[str, CheckScore]
    false_alarms: dict[str, int]


def by_kind(tried: Sequence[Tried]) -> list[KindScore]:
    """The score of each kind of field, in the order of their names."""
    fields: dict[str, list[FieldTrial]] = {}
    for one in tried:
        for field in one.fields:
            fields.setdefault(field.kind, []).append(field)
    return [_kind_score(kind, own) for kind, own in sorted(fields.items())]


def _kind_score(kind: str, own: Sequence[FieldTrial]) -> KindScore:
    right = sum(one.right for one in own)
    low, high = wilson(right, len(own))
    found = [one for one in own if one.told is not None]
    sure, hits = [one.confidence for one in found], [one.right for one in found]
    written, told = [one for one in own if one.there], [one for one in own if one.told]
    letters = sum(one.letters or 0 for one in own)
    return KindScore(
        kind=kind,
        fields=len(own),
        exact=right / len(own),
        low=low,
        high=high,
        presence=sum(one.told == one.there for one in own) / len(own),
        precision=_share([one.there for one in told]),
        recall=_share([bool(one.told) for one in written]),
        written=len(written),
        written_exact=_share([one.right for one in written]),
        character_error=sum(one.edits or 0 for one in own) / letters if letters else None,
        calibration_error=expected_error(sure, hits) if found else None,
        auroc=ranking(sure, hits),
        # A field that was not found is not answered.
        strict_share=strict_share(sure, hits) * len(found) / len(own),
        lost=len(own) - len(found),
    )


def diagrams(tried: Sequence[Tried]) -> dict[str, list[Bin]]:
    """Confidence against accuracy, for each kind of field."""
    fields = [one for each in tried for one in each.fields if one.told is not None]
    kinds = sorted({one.kind for one in fields})
    return {
        kind: reliability(
            [one.confidence for one in fields if one.kind == kind], [one.right for one in fields if one.kind == kind]
        )
        for kind in kinds
    }


def of_documents(tried: Sequence[Tried], thresholds: Thresholds) -> DocumentScore:
    """What becomes of the documents under these thresholds."""
    trials = [one.trial for one in tried]
    clean = [one for one in trials if not one.defects]
    clean_flagged = sum(not one.clear(thresholds) for one in clean)
    checks = sorted({check for one in trials for check in one.defects})
    table = {}
    for check in checks:
        own = [one for one in trials if check in one.defects]
        named = sum(check in raised(one, thresholds) for one in own)
        table[check] = CheckScore(len(own), sum(not one.clear(thresholds) for one in own), named)
    planted, flagged = sum(one.planted for one in table.values()), sum(one.flagged for one in table.values())
    low, high = wilson(flagged, planted)
    clean_low, clean_high = wilson(clean_flagged, len(clean))
    alarms = Counter(check for one in clean for check in raised(one, thresholds))
    return DocumentScore(
        documents=len(trials),
        defects=planted,
        defects_flagged=flagged / planted if planted else None,
        defects_low=low,
        defects_high=high,
        clean=len(clean),
        clean_flagged=clean_flagged / len(clean) if clean else None,
        clean_low=clean_low,
        clean_high=clean_high,
        quarantined=sum(QUARANTINED in one.raised for one in trials),
        by_check=table,
        false_alarms=dict(sorted(alarms.items(), key=lambda one: (-one[1], one[0]))),
    )


def raised(trial: Trial, thresholds: Thresholds) -> set[str]:
    """The checks that don't pass, or are not sure enough of it."""
    return set(trial.raised) | {check for check, sure in trial.sure.items() if sure < thresholds.of(check)}


def kinds_table(scores: Sequence[KindScore]) -> str:
    """The scores as a Markdown table."""
    head = "| kind | fields | exact | 95 % interval | presence | precision | recall | written | of these exact |"
    more = f" character error | calibration error | AUROC | share at {STRICT:.1%} | not found |"
    lines = [head + more, "|" + "---|" * 14]
    for one in scores:
        cells = [one.kind, f"{one.fields:,}", f"{one.exact:.2%}", f"{one.low:.2%} to {one.high:.2%}"]
        cells += [f"{one.presence:.2%}", _percent(one.precision), _percent(one.recall), f"{one.written:,}"]
        cells += [_percent(one.written_exact), _percent(one.character_error)]
        cells += ["" if value is None else f"{value:.4f}" for value in (one.calibration_error, one.auroc)]
        lines.append(f"| {' | '.join([*cells, f'{one.strict_share:.1%}', str(one.lost)])} |")
    return "\n".join(lines)


def documents_table(score: DocumentScore) -> str:
    """The score as a sentence and two Markdown tables."""
    lines = [told(score), "", "| check | planted | flagged | by this check |", "|---|---|---|---|"]
    lines += [f"| {name} | {one.planted:,} | {one.flagged:,} | {one.named:,} |" for name, one in score.by_check.items()]
    lines += ["", "| false alarms: check | clean documents |", "|---|---|"]
    lines += [f"| {name} | {count:,} |" for name, count in score.false_alarms.items()]
    return "\n".join(lines)


def told(score: DocumentScore) -> str:
    """The score of documents in two sentences."""
    sentences = [
        f"{what} {share:.2%} are flagged (95 % interval {low:.2%} to {high:.2%})."
        for what, share, low, high in (
            (f"Of {score.defects:,} planted defects", score.defects_flagged, score.defects_low, score.defects_high),
            (f"Of {score.clean:,} clean documents", score.clean_flagged, score.clean_low, score.clean_high),
        )
        if share is not None
    ]
    return " ".join(sentences)


def write(folder: Path, tried: Sequence[Tried], thresholds: Thresholds, about: str) -> Path:
    """Writes `report.html`, `report.json` and a reliability diagram for each kind into a folder; the page's path.
    Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds, documents, bins = by_kind(tried), of_documents(tried, thresholds), diagrams(tried)
    pictures = {kind: diagram.reliability(kind, own) for kind, own in bins.items()}
    for kind, picture in pictures.items():
        (folder / f"reliability-{kind}.svg").write_text(picture, encoding="utf-8")
    values = {
        "about": about,
        "thresholds": {"default": thresholds.default_clear, **thresholds.clear},
        "kinds": [asdict(one) for one in kinds],
        "documents": asdict(documents),
        "reliability": {kind: [asdict(one) for one in own] for kind, own in bins.items()},
    }
    (folder / "report.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    body = [
        f"<p>{html.escape(about)}</p>",
        f"<h2>Documents</h2>{_html(documents_table(documents))}",
        f"<h2>Fields</h2>{_html(kinds_table(kinds))}",
        f"<h2>Confidence</h2><div>{''.join(pictures.values())}</div>",
    ]
    page = folder / "report.html"
    page.write_text(_PAGE.format(body="\n".join(body)), encoding="utf-8")
    return page


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>How well documents are read</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
th, td {{ padding: .25rem .6rem; border-bottom: 1px solid #ccc; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
</style></head>
<body><h1>How well documents are read</h1>
{body}
</body></html>
"""


def _html(markdown: str) -> str:
    """Paragraphs and tables of Markdown, as far as they are written here."""
    out: list[str] = []
    for block in markdown.split("\n\n"):
        lines = block.splitlines()
        if not lines[0].startswith("|"):
            out.append(f"<p>{html.escape(block)}</p>")
            continue
        rows = [[html.escape(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]
        head = "".join(f"<th>{cell}</th>" for cell in rows[0])
        cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[2:])
        out.append(f"<table><tr>{head}</tr>{cells}</table>")
    return "\n".join(out)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"
