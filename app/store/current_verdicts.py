"""Which verdict on a subject is the current one: the last that was written."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, func, select

from models import Verdict


def current_ids(*among: ColumnElement[bool]) -> Select[int]:
    """Ids of the current verdict on every subject, of the verdicts that fit all conditions.

    A condition on the outcome belongs around this query: within it, a verdict that was replaced
    would pass for the current one.
    """
    return (
        select(func.max(Verdict.id))
        .where(*among)
        .group_by(Verdict.subject_kind, Verdict.subject_id, Verdict.hour)
    )
