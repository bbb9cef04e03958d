"""What a class still waits for before its lists can be signed: one source for pages and lists.

Nobody stands on a list of admitted or refused learners while people have to decide on something of
theirs. Verdicts say so from the moment they are concluded; what was found since counts as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from app.store.bodies import HourVerdict, ReasonBody, StoredVerdict
from app.store.judging import unsettled as store
from detectors.eligibility import AWAITS_PEOPLE, Eligibility

# Reasons that only repeat, by class-hours, what the others of the same learner say.
_REPEATS = frozenset({"hours_violation", "hours_in_review", "class_hours_undecided"})


Found = tuple[frozenset[str], frozenset[str]]  # keys of findings: undecided, upheld


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


def standing(outcome: str, learner_id: int, undecided: Collection[int]) -> str:
    """The outcome of an enrolment as it stands now; empty before it was judged."""
    return Eligibility.PENDING.value if outcome and learner_id in undecided else outcome


def hour_standing(outcome: str, keys: Collection[str], found: Found) -> str:
    """The outcome of a class-hour as it stands now: it is not lost while people decide on what was
    found in it (`keys`), and lost once one violation is upheld, whatever else is open."""
    undecided, upheld = found
    if outcome != "invalid" or not upheld.isdisjoint(keys):
        return outcome
    return outcome if undecided.isdisjoint(keys) else "pending_review"


def hour_now(mark: StoredVerdict[HourVerdict] | None, found: Found) -> str:
    """How a class-hour stands now by its verdict; without one it was not studied yet."""
    if mark is None:
        return "not_started"
    return hour_standing(mark.outcome, {it.key for it in mark.body.findings}, found)


def _told(reasons: Iterable[ReasonBody]) -> list[ReasonBody]:
    held = [it for it in reasons if not it.blocks]
    return [it for it in held if it.code not in _REPEATS] or held
