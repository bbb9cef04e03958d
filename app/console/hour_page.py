"""One class-hour of one learner: what is credited of it, and every sitting behind it.

The matrix of a class shows this page's card beside the cell that was chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from app.console import labels
from app.console.finding_view import sentence_of
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render
from app.domain.judging import unsettled
from app.errors import NotFound
from app.store.bodies import HourVerdict
from app.store.catalogue import class_file as store
from app.store.judging import unsettled as undecided_now
from app.store.review import crowds

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

_SITTINGS = 200


@router.get("/classes/{class_id}/learners/{learner_id}/hours/{number}")
def class_hour(
    request: Request, login: SignedIn, class_id: RowId, learner_id: RowId, number: RowId
) -> Response:
    lang = language_of(request)
    with request.app.state.services.database.read() as connection:
        klass = store.klass(connection, class_id, login.user.scope)
        roster = store.roster(connection, class_id, learner_id) if klass else []
        hours = store.hours(connection, class_id)
        hour = next((it for it in hours if it.number == number), None)
        if not klass or not roster or hour is None:
            raise NotFound("unknown_class_hour", "there is no such class-hour of this learner")
        pack = f"{klass.pack_id}@{klass.pack_version}"
        hour_verdicts = store.latest(
            connection, class_id, HourVerdict, pack, roster[0].enrolment_id
        )
        mark = next((it for it in hour_verdicts if it.hour == number), None)
        told = mark.body if mark else None
        lessons = _lessons(hour)
        shared = {it for other in hours if other.number != number for it in _lessons(other)}
        sittings = list(store.sittings(connection, class_id, learner_id, _SITTINGS, lessons))
        stands = unsettled.sittings_now(connection, [it.id for it in sittings])
        if lessons & shared:  # a long lesson is cut into several class-hours
            sittings = _touching(sittings, told.sessions if told else (), stands)
        findings = store.findings_on(connection, [it.id for it in sittings])
        keys = undecided_now.finding_keys(connection, class_id)
        in_crowds = crowds.naming(connection, class_id, [it.external_id for it in sittings])
    by_sitting = defaultdict(list)
    for it in findings:
        by_sitting[it.session_id].append(it)
    rows = {it.external_id: it.id for it in sittings}
    for it, named in in_crowds:
        for external_id in named:
            by_sitting[rows[external_id]].append(it)
    return render(
        request,
        "hour.html",
        login=login,
        klass=klass,
        person=roster[0],
        number=number,
        word=labels.label(labels.HOURS, unsettled.hour_now(mark, keys)),
        told=told,
        withheld=[sentence_of(it, lang) for it in (told and told.withheld) or ()],
        share=lang.number(round((told.coverage if told else 0) * 100, 1)),
        sittings=[(it, by_sitting[it.id]) for it in sittings],
        stands=stands,
        earlier=number - 1 if number > hours[0].number else None,
        later=number + 1 if number < hours[-1].number else None,
    )


def _lessons(hour: Any) -> set[int]:
    return {piece["lesson_id"] for piece in hour.pieces}


def _touching(sittings: Sequence[Any], named: Sequence[str], judged: Collection[int]) -> list[Any]:
    """Those that played some of the class-hour, and those that nobody judged yet."""
    return [it for it in sittings if it.external_id in named or it.id not in judged]
