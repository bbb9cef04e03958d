"""The three offices of a county at work on the steps of one class."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.clock import day
from app.domain.accounts import users
from app.domain.policy import procedure
from app.domain.review import stages
from app.domain.review.stages import StepState, StepView
from app.store.scope import EVERYTHING, AccessScope
from models import TrainingClass
from tests.console.conftest import Clock, Desk

DAY_MS = 86_400_000
FIELDS: dict[str, dict[str, Any]] = {
    "opening_filed": {"filed_on": "2026-04-07"},
    "assessment_filed": {"filed_on": "2026-04-07"},
    "assessment": {"held_on": "2026-04-07"},
    "claim_filed": {
        "filed_on": "2026-04-08",
        "people": 1,
        "amount_yuan": Decimal("1200.50"),
        "promised_by": "经办人甲",
    },
}
BEFORE_NOTICE = (
    "opening_filed",
    "opening_industry",
    "opening_labour",
    "supervision",
    "assessment_filed",
    "assessment",
    "claim_filed",
    "claim_industry",
)


# Who signs first and second at each office: Zhao and Sun's fellows elsewhere.
SIGNERS = {
    "labour": {"zhao": "zhao", "sun": "sun"},
    "industry": {"zhao": "wei", "sun": "hu"},
    "finance": {"zhao": "jin", "sun": "cai"},
}


class Desks:
    """Zhao and Sun, who sign one after the other, and who does at the step's own office."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock: Clock = desk.clock
        with desk.services.database.read() as connection:
            self.class_id = connection.scalars(select(TrainingClass.id)).first()
            self.people = {
                it: users.named(connection, it)
                for it in ("zhao", "sun", "wei", "hu", "jin", "cai", "qian", "root")
            }

    @property
    def today(self) -> date:
        return day(self.clock())

    def does(self, who: str, step: str, deed: str = "first", remark: str = "同意", **body: Any):
        at = procedure.steps().get(step)
        signs = SIGNERS[at.office].get(who, who) if at else who
        return self.does_as(signs, step, deed, remark, **body)

    def does_as(self, who: str, step: str, deed: str = "first", remark: str = "同意", **body: Any):
        with self.desk.services.database.write() as connection:
            return stages.record(
                connection,
                self.class_id,
                self.people[who],
                step=step,
                deed=deed,
                body=body,
                remark=remark,
                now_ms=self.clock(),
            )

    def finish(self, *steps: str) -> None:
        for step in steps:
            body: dict[str, Any] = FIELDS.get(step, {})
            self.does("zhao", step, **body)
            if self.view(step).state is not StepState.DONE:
                self.does("sun", step, "second")

    def publish(self) -> None:
        first = self.today
        last = first + timedelta(days=6)
        notice: dict[str, Any] = {"from_on": first.isoformat(), "to_on": last.isoformat()}
        self.does("zhao", "publication", site="县人社局网站", **notice)

    def views(self) -> dict[str, StepView]:
        with self.desk.services.database.read() as connection:
            found = stages.of_class(connection, self.class_id, self.today)
        return {it.step.id: it for it in found}

    def view(self, step: str) -> StepView:
        return self.views()[step]

    def overdue(self, scope: AccessScope = EVERYTHING):
        with self.desk.services.database.read() as connection:
            return stages.overdue(connection, scope, self.today)
