"""One learner in one class: what counts, what does not and why, and every sitting."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.clock import day
from app.console import labels, once
from app.console.class_page import cell
from app.console.finding_view import interval, measured_of, sentence_of
from app.console.language import Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain import standing
from app.domain.faces import enrolment_photos
from app.domain.judging import unsettled, wording
from app.domain.review import learner_link
from app.errors import NotAllowed, NotFound
from app.http.middleware import public_address
from app.store.bodies import EnrolmentVerdict, HourVerdict
from app.store.catalogue import certificates as certificate_store
from app.store.catalogue import class_file as store
from app.store.faces import reference_photos
from app.store.judging import unsettled as undecided_now
from app.store.review import crowds, reviews
from app.store.review.finding_rows import FindingRow

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

_FINDINGS, _SITTINGS = 200, 200


@router.get("/classes/{class_id}/learners/{learner_id}")
def learner(request: Request, login: SignedIn, class_id: RowId, learner_id: RowId) -> Response:
    lang, today = language_of(request), day(request.app.state.services.clock())
    with request.app.state.services.database.read() as connection:
        klass = store.klass(connection, class_id, login.user.scope)
        roster = store.roster(connection, class_id, learner_id) if klass else []
        if not klass or not roster:
            raise NotFound("unknown_learner", "there is no such learner in the class")
        person, pack = roster[0], f"{klass.pack_id}@{klass.pack_version}"
        hours = store.hours(connection, class_id)
        of_person = person.enrolment_id
        hour_verdicts = store.latest(connection, class_id, HourVerdict, pack, of_person)
        concluded = store.latest(connection, class_id, EnrolmentVerdict, pack, of_person)
        verdict = next(iter(concluded), None)
        findings = store.findings(connection, class_id, learner_id, _FINDINGS)
        sittings = store.sittings(connection, class_id, learner_id, _SITTINGS)
        named = crowds.naming(connection, class_id, [it.external_id for it in sittings])
        findings += [it for it, _ in named if it.body.holds]
        certificates = certificate_store.of_learner(connection, class_id, learner_id)
        others = store.other_classes(connection, learner_id, class_id, login.user.scope)
        elsewhere = unsettled.enrolments_now(connection, others)
        stands = unsettled.sittings_now(connection, [it.id for it in sittings])
        enrolled = reference_photos.counts(connection, class_id, left_too=True)
        appeals = reviews.appeals_of(connection, [it.id for it in findings])
        undecided = undecided_now.found_undecided(connection, class_id)
        found = undecided_now.finding_keys(connection, class_id)
        outcome = standing.of_learner(verdict.outcome if verdict else "", learner_id, undecided)
    by_hour = {it.hour: it for it in hour_verdicts}
    cells = [cell(hour.number, by_hour.get(hour.number), found, lang) for hour in hours]
    return render(
        request,
        "learner.html",
        login=login,
        klass=klass,
        person=person,
        cells=cells,
        photos=enrolled.get(learner_id, 0),
        photos_wanted=enrolment_photos.WANTED,
        valid=sum(it.code == "valid" for it in cells),
        verdict=verdict,
        certificates=certificates,
        concluded=wording.enrolment(verdict.body, verdict.created_ms, today) if verdict else None,
        today=today.isoformat(),
        outcome=labels.label(labels.VERDICTS, outcome) if outcome else None,
        findings=[_told(it, lang) for it in findings],
        sittings=sittings,
        stands=stands,
        others=others,
        elsewhere=elsewhere,
        appeals=appeals,
    )


def _told(it: FindingRow, lang: Language) -> tuple[FindingRow, str, str, str]:
    """A finding with its sentence, when it was, and what was measured."""
    when = interval(it.start_ms, it.end_ms, lang)
    return it, sentence_of(it.body, lang), when, measured_of(it.body, lang)


@router.post("/classes/{class_id}/learners/{learner_id}/link", dependencies=[FormOfThisLogin])
def give_link(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    learner_id: RowId,
    revoke: Annotated[bool, Form()] = False,
) -> Response:
    """Make the learner a link to their own page, told once; or end all links they have."""
    page = f"/console/classes/{class_id}/learners/{learner_id}"
    services, user = request.app.state.services, login.user
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers give links")
    with services.database.write() as connection:
        if store.klass(connection, class_id, user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
        entry = {"actor": user.actor, "now_ms": services.clock()}
        if revoke:
            learner_link.revoke(connection, class_id, learner_id, **entry)
            return see_other(page)
        days = services.settings.learner_link_days
        issued = learner_link.issue(
            connection, services.vault, class_id, learner_id, days=days, **entry
        )
    link, until = public_address(request) + issued.path, day(issued.expires_ms).isoformat()
    return once.lead_on(request, login, page, link=link, until=until)
