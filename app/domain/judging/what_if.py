"""What another pack would have made of stored evidence: a trial that changes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.clock import DAY_MS, midnight_ms
from app.domain.accounts.users import Role, User
from app.domain.judging import assess
from app.domain.policy import pack_draft, packs
from app.domain.policy.pack import Pack
from app.domain.policy.pack_draft import PackDraft
from app.domain.wire import typed_day
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.bodies import EnrolmentVerdict
from app.store.catalogue import catalogue, class_file
from app.store.judging import runs as store
from app.store.judging import verdicts
from app.store.scope import AccessScope
from detectors.assess import Decision

KIND = "what_if"
MOST_DAYS = 366
MOST_CHANGED = 300
_KINDS = ("session", "class_hour")


def request(
    connection: Connection,
    user: User,
    pack: str | PackDraft,
    since: str,
    until: str,
    now_ms: int,
) -> int:
    """Ask for a trial of `pack` (id@version, or a draft as it is now) over the days since..until,
    both inclusive, within the person's counties; the run's id. Raises NotAllowed, NotFound,
    BadInput; PackError for a draft that is wrong."""
    if not user.of_authority:
        raise NotAllowed("role", "only the authority tries packs")
    try:
        chosen = packs.load(pack) if isinstance(pack, str) else pack_draft.tried(pack)
        first, last = typed_day(since), typed_day(until)
    except packs.UnknownPack as error:
        raise NotFound("unknown_pack", error.detail) from error
    except ValueError as error:
        raise BadInput("bad_period", f"since, until: {error}", field="since") from error
    if not 0 <= (last - first).days < MOST_DAYS:
        raise BadInput("bad_period", f"since, until: 1 to {MOST_DAYS} days", field="until")
    scope = user.scope
    run_id = store.add(
        connection,
        kind=KIND,
        class_id=None,
        requested_by=user.actor,
        state="queued",
        started_ms=now_ms,
        heartbeat_ms=now_ms,
        summary={
            "pack": chosen.name,
            "since": since,
            "until": until,
            "counties": None if scope.counties is None else list(scope.counties),
            **({} if isinstance(pack, str) else {"draft": [pack.text, pack.clauses]}),
        },
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="pack.tried",
        subject=f"run:{run_id}",
        detail={"pack": chosen.name, "since": since, "until": until},
    )
    return run_id


def pack_of(asked: dict[str, Any]) -> Pack:
    """The pack of a trial. Raises UnknownPack, PackError."""
    if "draft" not in asked:
        return packs.load(asked["pack"])
    pack_id, _, version = asked["pack"].partition("@")
    return pack_draft.tried(PackDraft(pack_id, version, *asked["draft"]))


def seen(connection: Connection, user: User, run_id: int) -> Any:
    """The trial, for who asked for it and for administrators. Raises NotFound."""
    row = store.what_if(connection, run_id)
    if row is None or (user.role is not Role.ADMIN and row.requested_by != user.actor):
        raise NotFound("unknown_run", f"there is no run {run_id}")
    return row


def classes(connection: Connection, asked: dict[str, Any]) -> list[int]:
    """The classes that a trial is over."""
    counties = asked["counties"]
    scope = AccessScope(counties=None if counties is None else tuple(counties))
    first, last = date.fromisoformat(asked["since"]), date.fromisoformat(asked["until"])
    return list(
        store.studied_between(connection, scope, midnight_ms(first), midnight_ms(last) + DAY_MS)
    )


def tried(connection: Connection, class_id: int, pack: Pack) -> dict[str, Any]:
    """One class by another pack: counts before and after by kind and outcome, findings on sittings
    by rule that nobody took back, and the class-hours and learners that would change. What people
    decided holds on both sides."""
    now = verdicts.outcomes(connection, class_id, (*_KINDS, "enrolment"))
    evaluated = assess.evaluate_sittings(connection, class_id, pack)
    then = {(it.kind, it.subject_id, it.hour): it.outcome for it in evaluated.judged}
    then |= _enrolments(connection, class_id, pack)
    standing = class_file.open_rules(connection, class_id)
    found = Counter(
        it.body.rule
        for it in evaluated.found
        if it.session_id is not None
        and not it.shadow
        and evaluated.decided.get(it.body.key) != Decision.OVERTURNED
    )
    people = {row.enrolment_id: row for row in class_file.roster(connection, class_id)}
    klass = catalogue.class_by_id(connection, class_id)
    changed = [
        {
            "class_id": class_id,
            "class": klass.external_id,
            "learner_id": people[subject].id,
            "learner": people[subject].name,
            "class_hour": hour,
            "before": now.get((kind, subject, hour)),
            "after": outcome,
        }
        for (kind, subject, hour), outcome in sorted(then.items())
        if kind != "session"
        and subject in people
        and now.get((kind, subject, hour)) not in (None, outcome)
    ]
    return {
        "before": _tally(now, then),
        "after": _tally(then, then),
        "rules_before": dict(standing),
        "rules_after": dict(found),
        "changed": changed,
    }


def added(total: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """Two results as one; of those who would change, the first ones are named and all counted."""
    summed: dict[str, Any] = {
        name: dict(Counter(total.get(name, {})) + Counter(one[name]))
        for name in ("before", "after", "rules_before", "rules_after")
    }
    named = [*total.get("changed", []), *one["changed"]]
    count = total.get("changed_count", 0) + len(one["changed"])
    return summed | {"changed": named[:MOST_CHANGED], "changed_count": count}


def _enrolments(
    connection: Connection, class_id: int, pack: Pack
) -> dict[tuple[str, int, int], str]:
    """Eligibility on the pack's scale, where the class's verdicts hold it beside their own."""
    own = assess.pack_of_class(connection, class_id)
    stem, _, scale = pack.id.rpartition("-")
    if own.id.rpartition("-")[0] != stem or own.version != pack.version:
        return {}
    found = {}
    for row in verdicts.of_class(connection, class_id, EnrolmentVerdict):
        judged = row.body.on(scale)
        if judged:
            found["enrolment", row.subject_id, 0] = judged.outcome
    return found


def _tally(
    outcomes: dict[tuple[str, int, int], str], of: dict[tuple[str, int, int], str]
) -> dict[str, int]:
    return dict(Counter(f"{key[0]}:{outcomes[key]}" for key in of if key in outcomes))
