"""Who may be assessed: the checks before an assessment, and the verdicts on enrolments and class.

Both scales are judged side by side, the one that a violation costs a class-hour and the one that
it costs the training; the authority picks per class, and until then the pack that the class was
opened with decides. A verdict's body depends on the facts, the pack and, for two things only, on
the day: `next_window` moves on when a planned assessment lies back, and when it is too late to
apply for an assessment in that month; and until the class's last day is over nobody is refused for
what going on makes up for. Two runs of one day therefore write the same bytes, and so do most runs
of different days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.clock import day
from app.domain.catalogue.classes import pack_of, term_of
from app.domain.judging import conformity, wording
from app.domain.judging.conformity import Conformity
from app.domain.judging.eligibility_body import SCALES, Bodies, Scale
from app.domain.judging.enrolment_facts import gather, standing
from app.domain.judging.views import ClassEligibility, ScaleChoice
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.domain.review.review import UNDECIDED
from app.store.accounts import users
from app.store.bodies import ClassVerdict, EnrolmentVerdict
from app.store.catalogue import catalogue
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import enrolment_facts as store
from app.store.judging import verdicts
from app.store.judging.enrolment_facts import StandingRow
from app.store.judging.verdicts import Judged
from detectors.eligibility import ControlAtWork, reach_of
from detectors.finding import Evidence
from detectors.policy import Reach

OWN = "own"  # the scale of a pack that has no sibling


@dataclass(frozen=True, slots=True)
class Concluded:
    """How many verdicts were stored, and the keys of findings on the class that are new."""

    stored: int
    new_findings: list[str]


def conclude(
    connection: Connection, class_id: int, now_ms: int, run_id: int | None = None
) -> Concluded:
    """Judge a class and its learners by the current class-hour verdicts, findings and lists."""
    catalogue.lock_class(connection, class_id)
    klass = catalogue.class_by_id(connection, class_id)
    pack = pack_of(klass)
    record = conformity.of_class(connection, klass, pack)
    new = conformity.enter(connection, klass, pack, record, run_id, now_ms)
    found = _ask_two(connection, klass, now_ms)
    judged = _judged(connection, klass, record, found, day(now_ms + klass.ahead_ms))
    named = (pack.name, pack.digest)
    stored = verdicts.add(connection, class_id, judged, named, run_id, now_ms)
    return Concluded(stored, new)


def _ask_two(connection: Connection, klass: ClassRow, now_ms: int) -> list[StandingRow]:
    """What reaches beyond a class-hour needs two persons, and how far a finding reaches depends on
    the scale: one that a single person upheld waits for another once the stricter scale applies.
    The findings of the class that stand then."""
    scales = _scales(klass)
    pack = scales[_applied(klass, scales)]
    found = store.standing_findings(connection, klass.id)
    alone = [
        row.id
        for row in found
        if row.learner_id is not None
        and row.rule in pack.policy.rules
        and not row.needs_two_reviewers
        and row.evidence != Evidence.STATISTIC
        and reach_of(standing(row), pack.policy, pack.consequences) is not Reach.CLASS_HOUR
    ]
    if not alone:
        return found
    store.ask_two(connection, alone, now_ms)
    return store.standing_findings(connection, klass.id)


def stale(connection: Connection, klass: ClassRow, now_ms: int) -> bool:
    """Whether `conclude` would write anything: a list, a roster, a review or the day changed."""
    pack = pack_of(klass)
    record = conformity.of_class(connection, klass, pack)
    found = store.standing_findings(connection, klass.id)
    judged = _judged(connection, klass, record, found, day(now_ms + klass.ahead_ms))
    return verdicts.stale(connection, klass.id, judged, pack.name)


def view(connection: Connection, klass: ClassRow, now_ms: int) -> ClassEligibility:
    """The current verdicts on the class and its learners, the class's first."""
    today = day(now_ms + klass.ahead_ms)
    enrolled = {row.id for row in store.roster(connection, klass.id)}
    (verdict,) = verdicts.of_class(connection, klass.id, ClassVerdict)
    learners = [
        wording.enrolment(row.body, row.created_ms, today)
        for row in verdicts.of_class(connection, klass.id, EnrolmentVerdict)
        if row.subject_id in enrolled
    ]
    return ClassEligibility(
        class_id=klass.external_id,
        today=today.isoformat(),
        pack_term=term_of(klass),
        scale=ScaleChoice(
            applied=_applied(klass, _scales(klass)),
            chosen=klass.scale_chosen,
            chosen_by=_name(connection, klass.scale_chosen_by),
            chosen_ms=klass.scale_chosen_ms,
        ),
        klass=wording.of_class(verdict.body, verdict.created_ms, today),
        learners=sorted(learners, key=lambda it: it.learner_id),
    )


def _name(connection: Connection, user_id: int | None) -> str | None:
    return None if user_id is None else users.names(connection, [user_id]).get(user_id)


def _judged(
    connection: Connection,
    klass: ClassRow,
    record: Conformity,
    found: Sequence[StandingRow],
    today: date,
) -> list[Judged]:
    """The verdict on the class, then those on its enrolments; `found` stands in the class."""
    gathered = gather(connection, klass, found)
    controls, standing = _controls(connection, klass, record)
    scales = _scales(klass)
    running = today <= date.fromisoformat(klass.ends_on)
    judged = {
        name: Scale(pack, gathered, controls, today, running=running)
        for name, pack in scales.items()
    }
    applied = _applied(klass, scales)
    return Bodies(klass, gathered, record, judged, applied, standing).all()


def _scales(klass: ClassRow) -> dict[str, Pack]:
    """The class's pack, and its sibling of the same version, by scale."""
    own = pack_of(klass)
    stem, _, scale = own.id.rpartition("-")
    if scale not in SCALES:
        return {OWN: own}
    found = {}
    for name in SCALES:
        try:
            found[name] = packs.load(f"{stem}-{name}", own.version)
        except packs.UnknownPack:
            continue
    return found


def _applied(klass: ClassRow, scales: Mapping[str, Pack]) -> str:
    if klass.scale_chosen in scales:
        return str(klass.scale_chosen)
    return next(name for name, pack in scales.items() if pack.id == klass.pack_id)


def _controls(
    connection: Connection, klass: ClassRow, record: Conformity
) -> tuple[list[ControlAtWork], list[list[Any]]]:
    """The six as `judge_class` takes them, and what of them goes into the digest of the facts.

    A missing control that people overturned is there; who upheld it is counted once that is
    settled, so that what one of two thinks so far shows nowhere.
    """
    entered = store.class_findings(connection, klass.id)
    upheld = store.upholders(connection, {row.id for row in entered.values()})
    controls, told = [], []
    for it in record.body.controls:
        row = entered.get(conformity.key_of(klass, it.rule))
        missing, persons = it.missing, frozenset[str]()
        if missing and row is not None:
            missing = row.status != "overturned"
            persons = frozenset(map(str, upheld.get(row.id, ())))
        controls.append(ControlAtWork(it.rule, missing, persons))
        undecided = row is not None and row.status in UNDECIDED
        told.append([it.rule, it.missing, missing, 0 if undecided else len(persons)])
    return controls, told
