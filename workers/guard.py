"""The guard: moves a version on trial by what people's decisions say of it, and reads bounds and drift.

    shadow ──enough documents, none proved worse──► canary ──proved good enough──► production
       └──────────────► retired ◄──proved worse, or an alert ◄──┘
                           └── what a canary cleared is scanned again by the version in production

It runs in the reconciler's loop and asks Postgres alone. Every number it decides by is written into the evaluation of
the version's stage, which says what is waited for until the version moves.
"""

from __future__ import annotations

from dataclasses import asdict

import structlog
from sqlalchemy.orm import Session, sessionmaker

from pipeline.bounds import DELTA, upper
from pipeline.canary_rule import CanaryState, Rate, documents_needed, exceeded, state
from pipeline.desk import DeskRules
from records import model_trials, model_versions, readings, scans, trainings
from records.model_trials import Counts
from records.model_versions import Staged
from records.words import Refused
from workers import observe
from workers.config import WorkerConfig

log = structlog.get_logger(__name__)

GUARD = "guard"

#: What a miss is a share of: who doesn't judge is compared with defects that are known.
MISSES = {"shadow": "missed defects among known ones", "canary": "missed defects among cleared documents"}
#: A canary may raise so many more false alarms than production does at most, and these limits hold for any.
WORSE, LEAST_LIMIT, MOST_LIMIT = 0.05, 0.05, 0.95
#: Decided flagged documents of production before its own rate says anything.
ENOUGH = 50
#: The limit while it says nothing.
USUAL_LIMIT = 0.5
#: Rates that a version on trial is judged by; they share the chance of an error.
RATES = 2
#: How bad a canary must be for the number of documents that is shown: so many times the limit of misses.
BAD = 10.0


def guard_once(config: WorkerConfig, sessions: sessionmaker[Session]) -> str:
    """Looks at the version on trial, and moves it where it must be; what was done: `nothing`, `wait`, `canary`,
    `production` or `back`. What a version that went back had cleared is scanned again, also after a crash."""
    with sessions.begin() as session:
        now = model_versions.standing(session)
        if now.trial is None or now.production is None or not config.guard:
            done = "nothing"
        else:
            done = _moved(session, config, now.trial, now.production)
        gone = model_versions.taken_back(session)
    for version in gone:
        if again := scans.rescan_all_cleared(sessions, version, actor=GUARD):
            log.warning("model.scanned_again", version=version, documents=again)
    return done


def watch_once(config: WorkerConfig, sessions: sessionmaker[Session]) -> None:
    """Reads bounds and drift of the version in production; where it has drifted, asks for its calibration anew."""
    audit_rate = DeskRules.model_validate(config.desk).audit_rate
    with sessions.begin() as session:
        production = model_versions.standing(session).production
        if production is None:
            return
        for bound in readings.read_bounds(session, production.version, audit_rate):
            observe.MISS_BOUND.labels(bound.check).set(bound.upper)
        before = {one.check for one in readings.last_drift(session, production.version) if one.drifted}
        now = readings.read_drift(session, production.version)
        for one in now:
            observe.DRIFT.labels(one.check).set(one.index)
        new = sorted({one.check for one in now if one.drifted} - before)
        if not new:
            return
        log.warning("model.drifted", version=production.version, checks=new)
        if config.guard:
            try:
                trainings.ask(session, by=GUARD, cause="drift")
            except Refused as wait:
                log.info("model.not_recalibrated", version=production.version, error=type(wait).__name__)


def rates(
    stage: str, counts: Counts, production: Counts, misses: float, false_alarms: float | None
) -> tuple[Rate, Rate]:
    """What a version on trial is judged by, each with its limit; that of false alarms follows production's where none
    is given."""
    limit = USUAL_LIMIT
    if production.flagged_labelled >= ENOUGH:
        limit = upper(production.false_alarms, production.flagged_labelled) + WORSE
    return (
        Rate(MISSES[stage], counts.misses, counts.cleared_labelled, misses),
        Rate(
            "false alarms among flagged documents",
            counts.false_alarms,
            counts.flagged_labelled,
            false_alarms or min(MOST_LIMIT, max(LEAST_LIMIT, limit)),
        ),
    )


def _moved(session: Session, config: WorkerConfig, trial: Staged, production: Staged) -> str:
    theirs = model_trials.judged(session, production.version)
    in_shadow = trial.stage == "shadow"
    counts = (model_trials.shadowed if in_shadow else model_trials.judged)(session, trial.version)
    each = rates(trial.stage, counts, theirs, config.canary_misses, config.canary_false_alarms)
    told = _of_shadow(config, counts, each) if in_shadow else state(each, counts.documents, config.canary_documents)
    to = {"back": "retired", "promote": "canary" if in_shadow else "production"}.get(told.move)
    observe.TRIAL.labels("documents").set(counts.documents)
    observe.TRIAL.labels("missed").set(counts.misses)
    observe.TRIAL.labels("false alarms").set(counts.false_alarms)
    needed = _needed(config.canary_misses, counts, trial.share or 1.0)
    model_trials.write(
        session,
        trial.version,
        trial.stage,
        baseline=production.version,
        classes={"counts": asdict(counts), "production": asdict(theirs), "documents_needed": needed},
        passed=None if to is None else told.move == "promote",
        reasons=told.reasons,
    )
    if to is None:
        return "wait"
    share = config.canary_share if to == "canary" else None
    model_versions.stage(session, trial.version, to, by=GUARD, share=share, why=told.move)
    log.warning("model.moved", version=trial.version, stage=to, documents=counts.documents)
    observe.MOVES.labels(to).inc()
    return "back" if to == "retired" else to


def _needed(misses: float, counts: Counts, share: float) -> int | None:
    """By how many documents a canary `BAD` times as bad as the limit goes back, where as many are labelled as so far;
    None before any was."""
    rate = min(MOST_LIMIT, BAD * misses)
    if not counts.cleared_labelled or rate <= misses:
        return None
    return documents_needed(rate, misses, counts.cleared_labelled / counts.documents, share, delta=DELTA / RATES)


def _of_shadow(config: WorkerConfig, counts: Counts, each: tuple[Rate, ...]) -> CanaryState:
    """A shadow goes on unless it is proved worse: a canary, which is audited at a raised rate, proves the rest."""
    worse = [one for one in each if exceeded(one, DELTA / RATES)]
    if worse:
        told = tuple(f"{one.name}: {one.errors} of {one.labels}, above the limit of {one.limit:.2%}." for one in worse)
        return CanaryState("back", told)
    if counts.documents < config.shadow_documents:
        return CanaryState("wait", (f"{counts.documents} of {config.shadow_documents} documents read.",))
    return CanaryState("promote", (f"{counts.documents} documents read in shadow, none of the limits exceeded.",))
