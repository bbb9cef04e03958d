"""The steps of a class as they are answered to machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.answer import Answer, Date, EpochMs
from app.domain.policy.procedure import TermSource, TermUnit
from app.domain.review.stages import StepState, StepView
from app.languages import Text


class StepLimit(Answer, frozen=True, kw_only=True):
    """By when: `source` says whether the days are quoted from `clause` or the product's default."""

    days: int
    unit: TermUnit
    source: TermSource
    clause: str
    note: Text


class EarlierStep(Answer, frozen=True, kw_only=True):
    """The step as it was done for an earlier batch of claims, which was paid."""

    batch: int
    finished_on: Date
    body: dict[str, Any]


class StageStep(Answer, frozen=True, kw_only=True):
    """A step. `body`: what was filled in; who signed is told to people of the authority only.
    `objections` are of a public notice. `batch`: which batch of claims it stands for, from 1, and
    `earlier`: as it was done for those before."""

    id: str
    stage: str
    title: Text
    office: Text
    state: StepState
    due_on: Date | None
    finished_on: Date | None
    overdue: bool
    late: bool
    body: dict[str, Any]
    first_by: str | None
    first_ms: EpochMs | None
    second_by: str | None
    second_ms: EpochMs | None
    objections: int
    objections_open: int
    limit: StepLimit | None
    batch: int
    earlier: list[EarlierStep]


class ClassStages(Answer, frozen=True, kw_only=True):
    """The steps in their order; `next`: ids of those that somebody can do now."""

    class_id: str
    steps: list[StageStep]
    next: list[str]


def of(class_id: str, views: Sequence[StepView], *, told_people: bool) -> ClassStages:
    return ClassStages(
        class_id=class_id,
        steps=[_step(it, told_people) for it in views],
        next=[it.step.id for it in views if it.acts_next],
    )


def _step(view: StepView, told_people: bool) -> StageStep:
    first, second = view.first, view.second
    return StageStep(
        id=view.step.id,
        stage=view.step.stage,
        title=view.step.title,
        office=view.step.office_name,
        state=view.state,
        due_on=view.due_on.isoformat() if view.due_on else None,
        finished_on=view.finished_on.isoformat() if view.finished_on else None,
        overdue=view.overdue,
        late=view.late,
        body=dict(view.body),
        first_by=first.done_by if first and told_people else None,
        first_ms=first.done_ms if first else None,
        second_by=second.done_by if second and told_people else None,
        second_ms=second.done_ms if second else None,
        objections=len(view.objections),
        objections_open=sum(it.answer is None for it in view.objections),
        limit=_limit(view),
        batch=view.batch,
        earlier=[
            EarlierStep(batch=it.batch, finished_on=it.finished_on.isoformat(), body=dict(it.body))
            for it in view.earlier
        ],
    )


def _limit(view: StepView) -> StepLimit | None:
    limit, clause = view.step.limit, view.step.clause
    if limit is None:
        return None
    return StepLimit(
        days=limit.days,
        unit=limit.unit,
        source=limit.source,
        clause=clause.words if clause else "",
        note=limit.note,
    )
