"""The days of one learner, read for an opening, are those that the night judges by."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, null, select, update

from app.db import Database
from app.domain.sittings.carry_over import Ground
from app.store import stays
from app.store.judging import study_days
from models import Act, AssessmentRecord, Enrolment, LeaveRecord, TrainingClass
from tests.console import county as rows
from tests.console.county import NOW

DAYS = ("2026-04-03", "2026-04-18", "2026-04-20", "2026-04-25")


def add_act(connection: Connection, draw: Random, class_id: int, **columns: Any) -> None:
    approved, revoked = draw.choice([(None, None), (NOW, None), (NOW, None), (NOW, NOW)])
    known = {"reason": "核对", "document": "d", "recorded_by": "key:1", "recorded_ms": NOW}
    known |= {"approved_by": approved and "user:zhao", "approved_ms": approved}
    rows.add(connection, Act, class_id=class_id, **known, revoked_ms=revoked, **columns)


def put_on_record(connection: Connection, draw: Random, class_ids: list[int], who: int) -> None:
    """Some leave, extensions and assessments of a learner, in either class."""
    for class_id, number in product(class_ids, range(2)):
        span = {"from_on": draw.choice(DAYS[:2]), "to_on": draw.choice(DAYS[2:])}
        if draw.random() < 0.6:
            rows.add(
                connection,
                LeaveRecord,
                class_id=class_id,
                learner_id=who,
                item=f"leave-{who}-{number}",
                **span,
                written=draw.random() < 0.7,
                approved=draw.random() < 0.8,
            )
        if draw.random() < 0.6:
            of_leave = {"kind": "leave_approved", "learner_id": who, "body": span}
            add_act(connection, draw, class_id, **of_leave)
        if draw.random() < 0.4:
            body = {"ends_on": draw.choice(DAYS), "formerly": draw.choice(DAYS)}
            add_act(connection, draw, class_id, kind="class_extended", body=body)
        if draw.random() < 0.3:
            exam = {"class_id": class_id, "learner_id": who, "held_on": DAYS[number * 2 + 1]}
            rows.add(connection, AssessmentRecord, **exam)


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(12))
def test_the_days_of_a_stay_are_those_of_its_class(database: Database, seed: int) -> None:
    draw = Random(seed)
    with database.write() as connection:
        county = rows.build(connection)
        here, there = (county.classes[it] for it in ("HC-2026-014", "HC-2026-015"))
        mine = Enrolment.class_id == here
        for who in connection.scalars(select(Enrolment.learner_id).where(mine)).all():
            put_on_record(connection, draw, [here, there], who)
            moved = draw.random() < 0.5
            back = {"from_on": DAYS[0], "to_on": DAYS[1], "ended_by": "moved", "in_class": there}
            values = {
                "moved_from": there if moved else None,
                "first_on": draw.choice(DAYS) if moved else None,
                "last_on": draw.choice([None, *DAYS]),
                "away": [back] if draw.random() < 0.3 else null(),
            }
            chosen = update(Enrolment).where(mine, Enrolment.learner_id == who)
            connection.execute(chosen.values(**values))
        klass = connection.execute(select(TrainingClass).where(TrainingClass.id == here)).one()
        all_stays = stays.of_class(connection, here)
        judged = study_days.of_learners(connection, here, [it.learner_id for it in all_stays])
        for stay in all_stays:
            acts = Ground.read(connection, here, stay).acts
            assert study_days.of_stay(connection, klass, stay, acts) == judged[stay.learner_id]
            alone = stays.movers(connection, here, stay.learner_id)
            assert stays.moves(stay) == list(alone)
