"""Verdicts and findings: rows are added, never rewritten; only a finding's standing moves on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, Select, func, insert, select, update

from app.canonical import canonical
from app.store import bodies
from app.store.among import among
from app.store.bodies import Body, ClassVerdict, FindingBody, Kind, StoredVerdict, document, stored
from app.store.current_verdicts import current_ids
from app.store.review import cases
from app.store.row import stream
from app.store.upsert import insert_new
from models import Finding, Verdict

DECIDED = ("upheld", "overturned")
CONTROL_MISSING = "control_missing"  # the reason of findings on a control that a class lacks


class Judged(NamedTuple):
    """A verdict to be stored. `hour` is 0 except for a class-hour; `subject_id` is the id of the
    session, the enrolment (class-hours too) or the class; `body` is canonical JSON."""

    kind: str
    subject_id: int
    hour: int
    outcome: str
    facts: bytes
    body: bytes
    digest: bytes

    @classmethod
    def of(
        cls,
        kind: str,
        subject_id: int,
        hour: int,
        outcome: str,
        facts: bytes,
        body: Body,
    ) -> Judged:
        told = canonical(body)
        return cls(kind, subject_id, hour, outcome, facts, told, hashlib.sha256(told).digest())


class Entered(NamedTuple):
    """A finding to be entered: ids of the rows that it is about (of the class as a whole without
    learner and session), whether its rule is on trial, and the pack, id@version."""

    platform_id: int
    class_id: int
    learner_id: int | None
    session_id: int | None
    shadow: bool
    pack: str
    body: FindingBody

    def columns(self) -> dict[str, Any]:
        body = self.body
        return {
            "key": body.key,
            "platform_id": self.platform_id,
            "class_id": self.class_id,
            "learner_id": self.learner_id,
            "session_id": self.session_id,
            "hour": body.class_hour,
            "rule": body.rule,
            "reason": body.reason,
            "outcome": body.outcome.value,
            "fault": body.fault.value,
            "evidence": body.evidence_class.value,
            "needs_two_reviewers": body.needs_two_reviewers,
            "shadow": self.shadow,
            "start_ms": body.start_ms,
            "end_ms": body.end_ms,
            "body": body,
            "pack": self.pack,
        }


class FindingStanding(NamedTuple):
    """A finding that was entered, and what became of it."""

    id: int
    status: str


def add(
    connection: Connection,
    class_id: int,
    given: Sequence[Judged],
    pack: tuple[str, str],
    run_id: int | None,
    now_ms: int,
) -> int:
    """Store the verdicts that differ from the current ones under the same pack; how many did.

    pack: (id@version, digest).
    """
    rows = [
        {
            "subject_kind": item.kind,
            "subject_id": item.subject_id,
            "hour": item.hour,
            "class_id": class_id,
            "run_id": run_id,
            "outcome": item.outcome,
            "pack": pack[0],
            "pack_digest": pack[1],
            "facts_digest": item.facts,
            "body": item.body,
            "digest": item.digest,
            "created_ms": now_ms,
        }
        for item in _differing(connection, class_id, given, pack[0])
    ]
    if rows:
        connection.execute(insert(Verdict.__table__), rows)  # type: ignore[arg-type]
    return len(rows)


def stale(connection: Connection, class_id: int, given: Sequence[Judged], pack: str) -> bool:
    """Whether any of these differs from what is stored under the pack (id@version)."""
    return any(True for _ in _differing(connection, class_id, given, pack))


def newest(connection: Connection, class_id: int) -> int:
    """The id of the last verdict stored in a class, 0 without any: it tells whether somebody
    judged there meanwhile."""
    id_ = Verdict.id + 0  # of the plain one PostgreSQL walks back over all that came since
    query = select(func.coalesce(func.max(id_), 0)).where(Verdict.class_id == class_id)
    return int(connection.execute(query).scalar_one())


def _differing(
    connection: Connection, class_id: int, given: Sequence[Judged], pack: str
) -> Iterator[Judged]:
    """Verdicts that are not the current ones."""
    current = _current(connection, class_id, {item.kind for item in given}, pack)
    for item in given:
        if current.get((item.kind, item.subject_id, item.hour)) != item.digest:
            yield item


def _ids(class_id: int, kinds: Collection[str]) -> Select[int]:
    return current_ids(Verdict.class_id == class_id, Verdict.subject_kind.in_(kinds))


def _current(
    connection: Connection, class_id: int, kinds: Collection[str], pack: str
) -> dict[tuple[str, int, int], bytes]:
    query = select(Verdict.subject_kind, Verdict.subject_id, Verdict.hour, Verdict.digest).where(
        Verdict.id.in_(_ids(class_id, kinds).where(Verdict.pack == pack))
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def of_class(
    connection: Connection, class_id: int, kind: type[Kind], subject_id: int | None = None
) -> list[StoredVerdict[Kind]]:
    """The current verdicts of one kind in a class."""
    query = (
        select(Verdict)
        .where(Verdict.id.in_(_ids(class_id, (bodies.KINDS[kind],))))
        .order_by(Verdict.subject_id, Verdict.hour)
    )
    if subject_id is not None:
        query = query.where(Verdict.subject_id == subject_id)
    return stored(connection.execute(query), kind)


def written(connection: Connection, class_id: int) -> dict[tuple[str, int, int], bytes]:
    """The current verdicts byte for byte, by (kind, subject id, class-hour)."""
    query = select(Verdict.subject_kind, Verdict.subject_id, Verdict.hour, Verdict.body).where(
        Verdict.id.in_(_ids(class_id, KINDS))
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


KINDS = tuple(bodies.KINDS.values())


def outcome_counts(connection: Connection, class_id: int) -> dict[str, dict[str, int]]:
    """How many current verdicts of each kind have which outcome."""
    query = (
        select(Verdict.subject_kind, Verdict.outcome, func.count())
        .where(Verdict.id.in_(_ids(class_id, KINDS)))
        .group_by(Verdict.subject_kind, Verdict.outcome)
        .order_by(Verdict.subject_kind, Verdict.outcome)
    )
    found: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    for kind, outcome, count in connection.execute(query):
        found[kind][outcome] = count
    return found


def outcomes(
    connection: Connection, class_id: int, kinds: Collection[str]
) -> dict[tuple[str, int, int], str]:
    """The current outcome by (kind, subject id, class-hour), whatever the pack."""
    query = select(Verdict.subject_kind, Verdict.subject_id, Verdict.hour, Verdict.outcome).where(
        Verdict.id.in_(_ids(class_id, kinds))
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def on_class(connection: Connection, class_id: int) -> StoredVerdict[ClassVerdict] | None:
    """The current verdict on a class."""
    query = (
        select(Verdict)
        .where(Verdict.subject_kind == "class", Verdict.subject_id == class_id, Verdict.hour == 0)
        .order_by(Verdict.id.desc())
        .limit(1)
    )
    return next(iter(stored(connection.execute(query), ClassVerdict)), None)


def standing_on_class(
    connection: Connection, class_id: int, rules: Collection[str]
) -> list[FindingBody]:
    """Bodies of the findings on a class as a whole that still stand, by these rules."""
    query = select(Finding.body).where(
        Finding.class_id == class_id,
        Finding.session_id.is_(None),
        Finding.learner_id.is_(None),
        Finding.rule.in_(rules),
        Finding.status != "gone",
    )
    found = connection.execute(query.order_by(Finding.key)).scalars()
    return [msgspec.convert(body, FindingBody) for body in found]


def decisions(
    connection: Connection, learner_ids: Collection[int], class_id: int
) -> dict[str, str]:
    """What people decided on findings about these learners, and about the class as a whole:
    finding key → upheld, overturned."""
    of_class = select(Finding.key, Finding.status).where(
        Finding.class_id == class_id, Finding.learner_id.is_(None), Finding.status.in_(DECIDED)
    )
    found: dict[str, str] = {key: status for key, status in connection.execute(of_class)}
    ids = sorted(learner_ids)
    for at in range(0, len(ids), 500):
        query = select(Finding.key, Finding.status).where(
            Finding.learner_id.in_(ids[at : at + 500]), Finding.status.in_(DECIDED)
        )
        found.update({key: status for key, status in connection.execute(query)})
    return found


def measured(connection: Connection, keys: Collection[str]) -> dict[str, float]:
    """What findings that people struck came to when they did, by key."""
    query = select(Finding.key, Finding.body).where(
        among(connection, Finding.key, keys), Finding.status == "overturned"
    )
    return {row.key: float(row.body["measured"]) for row in connection.execute(query)}


def findings_by_key(
    connection: Connection, class_id: int, keys: Collection[str]
) -> dict[str, FindingStanding]:
    """Entered findings, by key."""
    query = select(Finding.key, Finding.id, Finding.status).where(
        Finding.class_id == class_id, Finding.key.in_(list(keys))
    )
    return {row.key: FindingStanding(row.id, row.status) for row in connection.execute(query)}


def keep_findings(
    connection: Connection,
    class_id: int,
    found: Sequence[Entered],
    judged_sessions: Collection[int | None],
    judged_rules: Collection[str],
    run_id: int | None,
    now_ms: int,
    outgrown: Collection[str] = (),
) -> list[str]:
    """Enter new findings, bring known ones up to date, and mark those that no longer stand.

    judged_sessions (None: the class as a whole) and
    judged_rules: what this evaluation spoke about. A control that a class lacks is spoken about by
    nobody but its own record. `outgrown`: keys of those that people struck when they were less, and
    are asked about again. Returns the keys that are new.
    """
    sessions = set(judged_sessions)
    known = _known(connection, class_id, of_class_alone=sessions == {None})
    rows = [it.columns() for it in found]
    fresh = [item for item in rows if item["key"] not in known]
    altered = [
        (row, item)
        for item in rows
        if (row := known.get(item["key"])) is not None
        and (row.status == "gone" or row.body != document(item["body"]))
    ]
    back = {row.key for row, _ in altered if row.status == "gone" or row.key in outgrown}
    anew = [item for row, item in altered if row.status == "open" or row.key in back]
    cases.file_under(connection, class_id, [*fresh, *anew], now_ms)
    returned = [item for row, item in altered if row.key in back]
    cases.wake(connection, {item["case_id"] for item in (*fresh, *returned)})
    _enter_new(connection, fresh, run_id, now_ms)
    for row, item in altered:
        status = "open" if row.key in back else row.status
        _bring_up_to_date(connection, row, status, item, run_id, now_ms)
    keys = {item["key"] for item in rows}
    gone = [
        row.id
        for row in known.values()
        if row.key not in keys
        and row.session_id in sessions
        and row.rule in judged_rules
        and row.status == "open"
        and (sessions == {None} or row.reason != CONTROL_MISSING)
    ]
    _say_gone(connection, gone, run_id, now_ms)
    return [item["key"] for item in fresh]


def _say_gone(
    connection: Connection, finding_ids: Sequence[int], run_id: int | None, now_ms: int
) -> None:
    if finding_ids:
        connection.execute(
            update(Finding)
            .where(Finding.id.in_(finding_ids))
            .values(status="gone", last_run_id=run_id, updated_ms=now_ms)
        )


class KnownFinding(Protocol):
    id: int
    key: str
    status: str
    session_id: int | None
    rule: str
    reason: str
    body: dict[str, Any]


def _known(
    connection: Connection, class_id: int, *, of_class_alone: bool
) -> dict[str, KnownFinding]:
    query = select(
        Finding.id,
        Finding.key,
        Finding.status,
        Finding.session_id,
        Finding.rule,
        Finding.reason,
        Finding.body,
    ).where(Finding.class_id == class_id)
    if of_class_alone:
        query = query.where(Finding.session_id.is_(None))
    return {row.key: row for row in stream(connection, query, KnownFinding)}


def _enter_new(
    connection: Connection, fresh: list[dict[str, Any]], run_id: int | None, now_ms: int
) -> None:
    if not fresh:
        return
    entered = {
        "first_run_id": run_id,
        "last_run_id": run_id,
        "status": "open",
        "created_ms": now_ms,
        "updated_ms": now_ms,
    }
    # Another judgement of the same class may be entering the same findings at this moment.
    rows = [item | entered for item in fresh]
    insert_new(connection, Finding, rows, ("class_id", "key"))


def _bring_up_to_date(
    connection: Connection,
    row: KnownFinding,
    status: str,
    item: Mapping[str, Any],
    run_id: int | None,
    now_ms: int,
) -> None:
    """What is found once more, as it stands now; it keeps its case once somebody has spoken, and
    stays as long as people saw it when they struck it."""
    changed = {
        name: item[name]
        for name in ("outcome", "fault", "body", "end_ms", "shadow", "pack", "case_id")
        if name in item
    }
    if status == "overturned":
        seen = row.body["measured"]
        changed["body"] = msgspec.structs.replace(item["body"], measured=seen)
    connection.execute(
        update(Finding)
        .where(Finding.id == row.id)
        .values(
            **changed,
            status=status,
            last_run_id=run_id,
            updated_ms=now_ms,
        )
    )
