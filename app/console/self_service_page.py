"""The learner's own page, by signed link: what was counted, what was not and why, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from app.clock import day
from app.console import labels, learner_actions, learner_messages, material_page
from app.console.language import Language
from app.console.login import login_of
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain import standing
from app.domain.exchange import platform_notes
from app.domain.faces import enrolment_photos
from app.domain.judging import unsettled, wording
from app.domain.review import case_files, learner_link, material
from app.errors import BadInput, Conflict, NotFound, TooManyRequests
from app.store.bodies import EnrolmentVerdict, HourVerdict, StoredVerdict
from app.store.catalogue import class_file
from app.store.faces import reference_photos
from app.store.judging import study_days
from app.store.judging import unsettled as undecided_now
from app.store.review import crowds, reviews
from app.store.review import material as material_store
from app.store.scope import AccessScope
from detectors.eligibility import AWAITS_PEOPLE
from detectors.finding import Evidence

router = APIRouter(prefix="/my", route_class=ConsoleRoute, include_in_schema=False)

_FINDINGS, _SITTINGS = 200, 500
_PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@router.get("/{token}")
def own(request: Request, token: str, filed: int = 0) -> Response:
    return _page(request, token, filed=filed)


@router.post("/{token}/appeals")
def appeal(
    request: Request,
    token: str,
    finding: Annotated[int, Form(ge=1, le=2**62)],
    statement: Annotated[str, Form()] = "",
) -> Response:
    """File an appeal; a refusal shows the page again with what was typed."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            link = learner_link.read(connection, services.vault, token, now_ms)
            a_day = services.settings.learner_appeals_a_day
            learner_link.appeal(connection, link, finding, statement, a_day, now_ms)
    except (BadInput, Conflict, TooManyRequests) as error:
        typed = {"finding": finding, "statement": statement}
        problem = labels.PROBLEMS[error.code]
        return _page(request, token, problem=problem, typed=typed, status=error.status)
    return see_other(f"/my/{token}?filed={finding}#finding-{finding}")


@router.post("/{token}/requests/{request_id}")
def hand_in(
    request: Request,
    token: str,
    request_id: RowId,
    answer: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Hand in what the authority asked of the learner; a refusal keeps what was typed."""
    services = request.app.state.services
    with services.database.read() as connection:
        link = learner_link.read(connection, services.vault, token, services.clock())
        row = material.asked_of_learner(connection, link.enrolment_id, request_id)
    try:
        material_page.hand_in(services, row, learner_link.actor_of(link), answer, file)
    except (BadInput, Conflict) as error:
        typed = {"finding": 0, "statement": "", "request": request_id, "answer": answer}
        problem = labels.PROBLEMS[error.code]
        return _page(request, token, problem=problem, typed=typed, status=error.status)
    return see_other(f"/my/{token}#request-{request_id}")


def _page(
    request: Request,
    token: str,
    *,
    filed: int = 0,
    problem: str = "",
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    services, lang = request.app.state.services, language_of(request)
    now_ms = services.clock()
    try:
        with services.database.read() as connection:
            link = learner_link.read(connection, services.vault, token, now_ms)
    except NotFound as error:
        page = render(
            request, "own_gone.html", login=None, status=404, detail=labels.PROBLEMS[error.code]
        )
        return _private(page)
    of_console = login_of(request) is not None  # who looks at it there is not the learner
    if learner_link.visits_anew(link, now_ms) and not of_console:
        with services.database.write() as connection:
            learner_link.opened(connection, link, now_ms)
    with services.database.read() as connection:
        own = _own(connection, link, now_ms)
        wanted = material_store.addressed_to(connection, enrolment_id=link.enrolment_id)
    page = render(
        request,
        "own.html",
        login=None,
        status=status,
        token=token,
        name=link.learner_name,
        klass=own.klass,
        **_told(own, link, lang, now_ms, filed),
        hours=learner_messages.HOURS,
        photos=own.enrolled,
        photos_wanted=enrolment_photos.WANTED,
        answers=learner_messages.ANSWERS,
        not_yours=learner_messages.NOT_YOURS,
        a_day=services.settings.learner_appeals_a_day,
        problem=problem,
        typed={"finding": 0, "statement": "", "request": 0, "answer": "", **(typed or {})},
        wanted=[material_page.asked(it, now_ms) for it in wanted],
        kinds="、".join(case_files.TAKEN),
        until=learner_messages.day_of(day(link.expires_ms).isoformat(), lang),
    )
    return _private(page)


@dataclass(frozen=True, slots=True)
class _Own:
    """What stands of the learner: class-hours, verdicts, findings and appeals."""

    klass: Any
    enrolled: Any  # photos, by how they stand; None where there are none
    hours: Sequence[Any]
    judged: dict[int, StoredVerdict[HourVerdict]]
    concluded: StoredVerdict[EnrolmentVerdict] | None
    findings: list[Any]
    shared: list[Any]  # those of the findings that are cases with other people
    appeals: Sequence[Any]
    lost: Sequence[Any]  # statements of the learner's play that count for nobody, by reason
    found: standing.Found
    study_until: date | None  # the last day on which the learner's study counts
    outcome: str  # as the lists and the class's page have it; empty before it was judged

    @property
    def appealed(self) -> frozenset[str]:
        """Keys of what was upheld and appealed against without an answer yet."""
        waiting = {it.finding_id for it in self.appeals if it.replied_ms is None}
        upheld = (it for it in self.findings if it.status == "upheld")
        return frozenset(it.key for it in upheld if it.id in waiting)

    @property
    def awaits_people(self) -> bool:
        """Whether somebody of the authority has to say something yet."""
        reasons = self.concluded.body.reasons if self.concluded else ()
        return (
            bool(self.appealed)
            or any(learner_messages.in_review(it) for it in self.findings)
            or any(it.code in AWAITS_PEOPLE for it in reasons)
        )


def _own(connection: Connection, link: Any, now_ms: int) -> _Own:
    klass = class_file.klass(connection, link.class_id, AccessScope(platform_id=link.platform_id))
    assert klass is not None
    pack, enrolment = f"{klass.pack_id}@{klass.pack_version}", link.enrolment_id
    judged = class_file.latest(connection, link.class_id, HourVerdict, pack, enrolment)
    concluded = class_file.latest(connection, link.class_id, EnrolmentVerdict, pack, enrolment)
    found = class_file.findings(connection, link.class_id, link.learner_id, _FINDINGS)
    shared = _shared(connection, link)
    findings = [it for it in found if it.evidence != Evidence.STATISTIC] + shared
    appeals = reviews.appeals_of(connection, [it.id for it in findings])
    verdict = next(iter(concluded), None)
    undecided = undecided_now.found_undecided(connection, link.class_id)
    days = study_days.of_learners(connection, link.class_id, [link.learner_id]).get(link.learner_id)
    return _Own(
        klass=klass,
        enrolled=reference_photos.counts(connection, link.class_id, left_too=True).get(
            link.learner_id
        ),
        hours=class_file.hours(connection, link.class_id),
        judged={it.hour: it for it in judged},
        concluded=verdict,
        findings=findings,
        shared=shared,
        appeals=_theirs(appeals, link, shared),
        lost=platform_notes.lost_of_learner(connection, link.platform_id, link.learner_id, now_ms),
        found=undecided_now.finding_keys(connection, link.class_id),
        study_until=days.last if days else None,
        outcome=standing.of_learner(verdict.outcome if verdict else "", link.learner_id, undecided),
    )


def _told(own: _Own, link: Any, lang: Language, now_ms: int, filed: int) -> dict[str, Any]:
    """What the page says of class-hours and verdict, and what to do about it."""
    reviewing = {it.key for it in own.findings if learner_messages.in_review(it)}
    codes = {
        hour.number: unsettled.hour_now(own.judged.get(hour.number), own.found)
        for hour in sorted(own.hours, key=lambda it: it.number)
    }
    withheld = {
        number: own.judged[number].body
        for number, code in codes.items()
        if code != "valid" and number in own.judged
    }
    verdict, today = own.concluded, day(now_ms)
    body = verdict and wording.enrolment(verdict.body, verdict.created_ms, today)
    below = any(learner_messages.unproven(it) for it in own.findings)
    over = learner_messages.study_over(own.study_until, today, lang)
    by = learner_messages.study_by(body.cut_off if body else None, own.study_until)
    return {
        "codes": codes,
        "valid": sum(code == "valid" for code in codes.values()),
        "reviewing": len(reviewing),
        "appealed": len(own.appealed),
        "outcome": _standing(own),
        "withheld": learner_messages.withheld(withheld, lang),
        "lost": learner_messages.lost(own.lost, lang),
        "steps": learner_messages.steps(
            codes,
            body,
            today,
            lang,
            below=below,
            appealed=_appealed(own, codes),
            study_until=own.study_until,
        ),
        "over": over,
        "study_by": learner_messages.day_of(by, lang) if by else "",
        "planned": bool(body and body.cut_off and body.cut_off >= today.isoformat()),
        "last_day": learner_messages.day_of(body.cut_off, lang) if body and body.cut_off else "",
        "window": learner_messages.month_of(body.next_window.first, lang) if body else "",
        "findings": [_finding(own, it, link, lang, filed, over=bool(over)) for it in own.findings],
    }


def _standing(own: _Own) -> labels.Label | None:
    """Nobody is told to be admitted or refused before people decided."""
    if not own.outcome:
        return None
    if own.awaits_people:
        return learner_messages.IN_REVIEW
    return labels.label(learner_messages.STANDINGS, own.outcome)


def _appealed(own: _Own, codes: dict[int, str]) -> set[int]:
    """Class-hours that were lost by nothing but what an appeal waits against."""
    _, upheld = own.found
    lost = {
        number: {it.key for it in own.judged[number].body.findings} & upheld
        for number, code in codes.items()
        if code == "invalid"
    }
    return {number for number, keys in lost.items() if keys and keys <= own.appealed}


def _finding(
    own: _Own, it: Any, link: Any, lang: Language, filed: int, *, over: bool
) -> dict[str, Any]:
    shared, mine = it in own.shared, learner_link.actor_of(link)
    appeals = [each for each in own.appeals if each.finding_id == it.id]
    return {
        "id": it.id,
        "title": learner_messages.title(it.rule, lang),
        "hour": it.hour,
        "standing": learner_messages.standing(it),
        "sentence": learner_messages.message_of(it, lang),
        "not_theirs": learner_messages.not_theirs(it),
        "todo": learner_actions.what_to_do(it, lang, over=over),
        "when": "" if shared else learner_messages.when(it.start_ms, it.end_ms, lang),
        "shared": shared,
        "appeals": appeals,
        "filed": it.id == filed and any(each.filed_by == mine for each in appeals),
        "may_appeal": it.status not in ("overturned", "cured"),
    }


def _shared(connection: Connection, link: Any) -> list[Any]:
    """Cases in which the learner's sittings wait, or waited, with other people's."""
    sittings = class_file.sittings(connection, link.class_id, link.learner_id, _SITTINGS)
    named = crowds.naming(connection, link.class_id, [it.external_id for it in sittings])
    return [it for it, _ in named if it.body.holds and it.evidence != Evidence.STATISTIC]


def _theirs(appeals: Sequence[Any], link: Any, shared: Sequence[Any]) -> list[Any]:
    """Without what the others said who are in the same case."""
    cases = {it.id for it in shared}
    return [it for it in appeals if it.finding_id not in cases or it.filer_id == link.learner_id]


def _private(page: HTMLResponse) -> HTMLResponse:
    page.headers.update(_PRIVATE)
    return page
