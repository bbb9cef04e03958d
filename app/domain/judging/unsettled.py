"""What a class still waits for before its lists can be signed: one source for pages and lists.

Nobody stands on a list of admitted or refused learners while people have to decide on something of
theirs. Verdicts say so from the moment they are concluded; what was found since counts as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from app.domain import standing
from app.domain.standing import Found
from app.store.bodies import HourVerdict, ReasonBody, StoredVerdict
from app.store.catalogue import class_file
from app.store.judging import unsettled as store
from app.store.judging.verdicts import KINDS
from detectors.eligibility import AWAITS_PEOPLE

# Reasons that only repeat, by class-hours, what the others of the same learner say.
_REPEATS = frozenset({"hours_violation", "hours_in_review", "class_hours_undecided"})


@dataclass(frozen=True, slots=True)
class Matter:
    """One reason for which learners are undecided: how many, and until when it has to be settled
    (an ISO date) where an assessment is planned. `source` is a rule, a check or `class_hour`."""

    code: str
    source: str
    learners: int
    until: str | None
    reason: ReasonBody

    @property
    def awaits_people(self) -> bool:
        return self.code in AWAITS_PEOPLE


@dataclass(frozen=True, slots=True)
class Unsettled:
    """`learners` are the ids of who stands on neither list."""

    learners: frozenset[int]
    matters: tuple[Matter, ...]


class _Body(msgspec.Struct):
    reasons: list[ReasonBody] = []
    cut_off: str | None = None


_body = msgspec.json.Decoder(_Body)


def of_class(connection: Connection, class_id: int, pack: str) -> Unsettled:
    """Who of a class is undecided and why, most learners first."""
    waiting: set[int] = set(store.found_undecided(connection, class_id))
    why: dict[tuple[str, str], set[int]] = defaultdict(set)
    first: dict[tuple[str, str], tuple[ReasonBody, str | None]] = {}
    for learner_id, raw in store.pending(connection, class_id, pack):
        body = _body.decode(raw)
        waiting.add(learner_id)
        for reason in _told(body.reasons):
            key = reason.code, reason.source
            why[key].add(learner_id)
            first.setdefault(key, (reason, body.cut_off))
    matters = [
        Matter(code, source, len(why[code, source]), until, reason)
        for (code, source), (reason, until) in first.items()
    ]
    matters.sort(key=lambda it: (not it.awaits_people, -it.learners, it.code, it.source))
    return Unsettled(frozenset(waiting), tuple(matters))


def counted(connection: Connection, class_id: int) -> dict[str, dict[str, int]]:
    """How many sittings, class-hours and learners of a class stand how, by kind of verdict: what
    `verdicts.outcome_counts` counts of the machine's, as people left it."""
    found = store.finding_keys(connection, class_id)
    undecided = frozenset(store.found_undecided(connection, class_id))
    told: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for it in store.subject_verdicts(connection, class_id):
        if it.kind == "enrolment":
            stands = standing.of_learner(it.outcome, it.learner_id or 0, undecided)
        else:
            stands = standing.of_stored(it.outcome, it.body, found)
        told[it.kind][stands] += 1
    return {kind: dict(sorted(counts.items())) for kind, counts in told.items()}


def hour_now(mark: StoredVerdict[HourVerdict] | None, found: Found) -> str:
    """How a class-hour stands now by its verdict; without one it was not studied yet."""
    if mark is None:
        return "not_started"
    return standing.of_findings(mark.outcome, mark.body.findings, found)


def sittings_now(connection: Connection, session_ids: Collection[int]) -> dict[int, str]:
    """How sittings stand now, of whatever classes; one that nobody judged yet is not there."""
    found: dict[int, Found] = {}
    told = {}
    for it in store.session_verdicts(connection, session_ids):
        if it.body and it.class_id not in found:
            found[it.class_id] = store.finding_keys(connection, it.class_id)
        keys = found.get(it.class_id, standing.NOTHING)
        told[it.session_id] = standing.of_stored(it.outcome, it.body, keys)
    return told


def enrolments_now(
    connection: Connection, rows: Iterable[class_file.ClassElsewhere]
) -> dict[int, str]:
    """How one person's places in classes stand now, by class; empty before they were judged."""
    return {
        it.id: standing.of_learner(
            it.outcome or "", it.learner_id, store.found_undecided(connection, it.id)
        )
        for it in rows
    }


def _told(reasons: Iterable[ReasonBody]) -> list[ReasonBody]:
    held = [it for it in reasons if not it.blocks]
    return [it for it in held if it.code not in _REPEATS] or held
