"""What auditors see: server-rendered pages, Chinese first, nothing loaded from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from app.console import (
    account_page,
    acts_page,
    assets,
    audit_page,
    calendar_page,
    case_page,
    cases_page,
    class_page,
    class_terms_page,
    county_page,
    courses_page,
    enrolment_page,
    events_page,
    face_case_page,
    faces_page,
    factors_page,
    finding_page,
    findings_page,
    help_page,
    holds_page,
    hour_page,
    inspection_page,
    institutions_page,
    learner_page,
    links_page,
    live_page,
    login_page,
    material_page,
    money_page,
    notices_page,
    overview_page,
    pack_drafts_page,
    packs_page,
    person_page,
    photo_batch_page,
    photo_page,
    platforms_page,
    queue_actions,
    recordings_page,
    runs_page,
    sandboxes_page,
    search_page,
    second_step_page,
    self_service_page,
    session_page,
    setups_page,
    sign_off_page,
    sign_on_page,
    spot_page,
    stages_page,
    standing_page,
    statements_page,
    status_page,
    systems_page,
    tables_page,
    users_page,
    webhooks_page,
)
from app.console.page import ConsoleRoute, see_other
from app.errors import NotFound

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@router.get("/")
def root() -> Response:
    return see_other("/console")


PAGES = (
    assets,
    login_page,
    second_step_page,
    sign_on_page,
    account_page,
    factors_page,
    notices_page,
    help_page,
    status_page,
    overview_page,
    standing_page,
    statements_page,
    search_page,
    cases_page,
    case_page,
    material_page,
    findings_page,
    queue_actions,
    finding_page,
    face_case_page,
    session_page,
    events_page,
    photo_page,
    setups_page,
    courses_page,
    class_terms_page,
    class_page,
    learner_page,
    recordings_page,
    person_page,
    enrolment_page,
    photo_batch_page,
    tables_page,
    systems_page,
    links_page,
    acts_page,
    sign_off_page,
    stages_page,
    hour_page,
    packs_page,
    pack_drafts_page,
    users_page,
    webhooks_page,
    calendar_page,
    money_page,
    audit_page,
    self_service_page,
    inspection_page,
    live_page,
    spot_page,
    institutions_page,
    platforms_page,
    runs_page,
    sandboxes_page,
    county_page,
    faces_page,
    holds_page,
)
for part in PAGES:
    router.include_router(part.router)


_ROUTES = [it for part in PAGES for it in part.router.routes if isinstance(it, APIRoute)]
_SHOWN = [it.path_regex for it in _ROUTES if "GET" in (it.methods or ())]
_FORMS = [it.path_regex for it in _ROUTES if "POST" in (it.methods or ())]


@router.get("/console/{rest:path}")
def nowhere(request: Request, rest: str) -> Response:  # noqa: ARG001 (a part of the path)
    """What only takes a form leads to the page that the form stood on: who signs in again, changes
    the language or reloads by the address asks for it where a form's answer was shown."""
    path = request.url.path
    if not any(it.match(path) for it in _FORMS):
        raise NotFound("no_such_page", "there is no such page")
    while path != "/console" and not any(it.match(path) for it in _SHOWN):
        path = path.rpartition("/")[0]
    return see_other(path)
