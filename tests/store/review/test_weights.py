"""What a finding weighs in the queue is what its row says, whatever was done to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from app import rules
from app.clock import day
from app.db import Database
from app.domain.accounts import users
from app.domain.review import case_desk, cases
from app.errors import ZhenxueError
from app.store.judging import enrolment_facts, verdicts
from app.store.review import cases as store
from app.store.review import finding_queue
from app.store.review.cases import CaseFilter
from app.store.review.finding_queue import GONE, TO_DO, QueueFilter
from app.store.scope import AccessScope
from models import Finding, ReviewCase
from tests.console import county as rows
from tests.console import stories
from tests.console.county import NOW

TODAY = day(NOW).isoformat()
HERE = AccessScope(counties=(rows.HERE,))
MISMATCHES = ("other_person", "enrolled_never_seen", "single_mismatch")


def weights(row: Any) -> set[int]:
    """What the row should weigh; of a half, either side: databases round it each their own way."""
    who = 5 if row.outcome == "credit" else ("violation", "review", "not_proven").index(row.outcome)
    if row.needs_two_reviewers:
        who = -2 if row.learner_id is None else -1
    own = ((who + 2) * 100 + {"S": 0, "C+": 1}.get(row.evidence, 2)) * 1000
    measured, limit = row.body.get("measured"), row.body.get("limit")
    faces = row.rule in ("face_liveness", "person_over_course", "one_face_several_accounts")
    if not (faces and row.body.get("unit") == "distance" and limit):
        return {own + 999}
    most, floor = (399, 600) if row.reason in MISMATCHES else (600, 0)
    beyond = 200 * (measured / limit - 1)
    near = {min(max(it, 1), most) for it in (round(beyond), int(max(beyond, 0) + 0.5))}
    return {own + 999 - floor - it for it in near}


def gravity(row: Any, weight: int, spoken: set[int]) -> int:
    """By what the queue of somebody is sorted who has decided the findings `spoken`."""
    level = rules.known()[row.rule].gravity
    mine = row.status == "first_review" and row.id in spoken
    return (2 if row.status not in TO_DO else int(mine)) * 1_000_000 + level * 10_000 + weight


def holds(connection: Connection, user_id: int) -> None:
    """Every weight is right, and so is the order of the cases and of the findings."""
    found = connection.execute(select(Finding)).all()
    assert [it.id for it in found if it.weight not in weights(it)] == []
    shown = [it for it in found if not it.shadow and it.status != GONE]
    shown = [it for it in shown if it.class_id != FAR]
    spoken = finding_queue.first_decided_by(connection, user_id, [it.id for it in shown])
    places = {it.id: gravity(it, it.weight, spoken) for it in shown}
    queue = finding_queue.page(
        connection, HERE, QueueFilter(status="", asked_by=user_id), None, 10_000
    )
    assert [(it.gravity, it.id) for it in queue] == sorted((places[it], it) for it in places)
    waiting: dict[int, int] = {}
    for it in shown:
        waiting[it.case_id] = waiting.get(it.case_id, 0) + (it.status in TO_DO)
    put_off = {
        it.id
        for it in connection.execute(select(ReviewCase.id, ReviewCase.snoozed_until))
        if it.snoozed_until is not None and it.snoozed_until > TODAY
    }
    wanted = CaseFilter(QueueFilter(asked_by=user_id), TODAY)
    page = store.page(connection, HERE, wanted, None, 10_000)
    expected = sorted(
        (min((places[it.id], it.id) for it in shown if it.case_id == case), case)
        for case, count in waiting.items()
        if count and case not in put_off
    )
    assert [(it.gravity, store.first_of(it), it.id, it.waiting) for it in page] == [
        (place, first, case, waiting[case]) for (place, first), case in expected
    ]
    counts = store.count(connection, HERE, wanted)
    assert counts["todo"] == len(page)
    assert counts["findings"] == sum(it.waiting for it in page)
    assert counts["done"] == sum(not it for it in waiting.values())


FAR = 3  # the class of the other county


class _TakenBack(Exception):
    """Ends an example, so that the next one begins as it did."""


class World(NamedTuple):
    county: rows.County
    people: dict[str, users.User]


def found_anew(connection: Connection, world: World, draw: Callable[..., Any], n: int) -> None:
    """A judgement of the class finds this and that, some of it again with other numbers."""
    klass = world.county.classes["HC-2026-014"]
    made = []
    for key in draw(st.lists(st.integers(0, 5), unique=True, max_size=3)):
        rule = draw(st.sampled_from(["face_liveness", "fast_forward", "popup_gap"]))
        unit = draw(st.sampled_from(["distance", "s"]))
        limit = draw(st.sampled_from([0, 0.25, 0.53, 1e-12]))
        measured = draw(st.sampled_from([0.2, 0.36, 0.537, 0.76, 5e8]))
        reason = draw(st.sampled_from(["near_threshold", "other_person"]))
        outcome = draw(st.sampled_from(["violation", "review", "not_proven"]))
        said = stories.said("fast_forward", outcome, NOW, NOW + 1000, 301.5, 300)
        said |= {"unit": unit, "limit": limit, "measured": measured, "rule": rule}
        said |= {"reason": reason, "key": f"drawn-{key}"}
        columns = rows.finding_columns(
            said,
            age_ms=0,
            platform_id=world.county.platforms[0],
            class_id=klass,
            learner_id=world.county.learners[draw(st.sampled_from(["林静", "吴强"]))],
            session_id=None,
        )
        columns["evidence"] = draw(st.sampled_from(["S", "C+", "C-"]))
        own = ("status", "created_ms", "updated_ms")
        made.append(_Entered({it: columns[it] for it in columns if it not in own}))
    rules_judged = {"face_liveness", "fast_forward", "popup_gap"}
    verdicts.keep_findings(connection, klass, made, {None}, rules_judged, None, NOW + n)  # type: ignore[arg-type]


class _Entered:
    def __init__(self, columns: dict[str, Any]) -> None:
        self.columns = lambda: dict(columns)


def act(connection: Connection, world: World, draw: Callable[..., Any], n: int) -> None:
    """Something that happens on the desk; what is refused changes nothing."""
    user = world.people[draw(st.sampled_from(sorted(world.people)))]
    filed = connection.scalars(
        select(Finding.case_id).where(Finding.class_id != FAR, ~Finding.shadow).distinct()
    ).all()
    case = draw(st.sampled_from(sorted(it for it in filed if it is not None)))
    held = connection.scalars(select(Finding.id).where(Finding.case_id == case)).all()
    deed = draw(st.sampled_from(["decide", "undo", "correct", "snooze", "over", "two", "anew"]))
    now = NOW + n
    if deed == "decide":
        decision = draw(st.sampled_from(["uphold", "overturn", "need_more"]))
        cases.decide(connection, case, user, decision, "已核对服务器记录", now_ms=now)
    elif deed == "undo":
        cases.undo(connection, user, case, now)
    elif deed == "correct":
        cases.correct(connection, user, case, held, "此前认定有误", now)
    elif deed == "snooze":
        until = draw(st.sampled_from(["", TODAY, "2026-05-01"]))
        case_desk.snooze(connection, user, case, until, now)
    elif deed == "over":
        case_desk.hand_over(connection, user, [case], draw(st.sampled_from([None, user.id])), now)
    elif deed == "two":
        enrolment_facts.ask_two(connection, held, now)
    else:
        found_anew(connection, world, draw, n)


@pytest.mark.both_databases
def test_a_weight_is_what_its_row_says_whatever_was_done_on_the_desk(database: Database) -> None:
    with database.write() as connection:
        county = rows.build(connection)
        found = [users.check_password(connection, it, rows.PASSWORD) for it in ("zhao", "sun")]
        world = World(county, {it.username: it for it in found if it is not None})

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def lived(data: st.DataObject) -> None:
        with suppress(_TakenBack), database.write() as connection:
            for number in range(data.draw(st.integers(1, 8))):
                with suppress(ZhenxueError), connection.begin_nested():
                    act(connection, world, data.draw, number + 1)
                holds(connection, world.people["zhao"].id)
            raise _TakenBack

    lived()


@pytest.mark.both_databases
def test_cases_on_pages_are_all_cases_once(database: Database) -> None:
    with database.write() as connection:
        county = rows.build(connection)
        rows.crowd(connection, county, 120)
        ones = select(Finding.id).where(Finding.session_id.is_(None)).order_by(Finding.id)
        for number in connection.scalars(ones).all()[:60]:  # a case each
            key = {"key": f"k{number}", "kind": "sitting", "opened_ms": NOW, "due_on": TODAY}
            case = rows.add(connection, ReviewCase, **key)
            connection.execute(update(Finding).where(Finding.id == number).values(case_id=case))
        wanted = CaseFilter(QueueFilter(), TODAY)
        whole = store.page(connection, HERE, wanted, None, 1000)
        turned: list[store.QueuedCase] = []
        cursor = None
        while page := store.page(connection, HERE, wanted, cursor, 7):
            turned += page
            cursor = store.CaseCursor(page[-1].gravity, page[-1].id)
        assert [it.id for it in turned] == [it.id for it in whole]
        assert len({it.id for it in whole}) == len(whole) > 60
