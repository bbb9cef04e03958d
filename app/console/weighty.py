"""Weighty acts: a page of their own says what will happen, to whom and at what cost, and asks why.

An act's page and its form share an address: GET asks, POST does. What is typed into a form first is
shown by a POST that has no reason yet. `WEIGHTS` names every form of the console with its weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from fastapi import Form, Request, Response

from app.console import labels
from app.console.page import render
from app.domain.accounts.users import Login
from app.domain.wire import shown_text
from app.errors import BadInput

Reason = Annotated[str, Form()]
_REASON = (4, 2000)  # characters


@dataclass(frozen=True, slots=True)
class Weighty:
    """What somebody is about to do, in words. `to_whom`, `effects`, `money` and `undo` say what
    follows; `people` are those whom it turns, where a page can name them; `fields` go along, and
    with `again` back into their form."""

    title: str
    button: str
    back: str
    to_whom: str
    effects: tuple[str, ...]
    undo: str
    money: str = ""
    people: tuple[str, ...] = ()
    fields: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    again: bool = False


def page(
    request: Request, login: Login, deed: Weighty, reason: str = "", problem: str = ""
) -> Response:
    """What will happen, and the form that does it; `problem` is a code of `labels.PROBLEMS`."""
    return render(
        request,
        "weighty.html",
        login=login,
        deed=deed,
        reason=reason,
        problem=labels.PROBLEMS[problem] if problem else "",
        status=422 if problem else 200,
    )


def words(reason: str) -> str:
    """The reason as it is kept. Raises BadInput `reason_missing`."""
    if problem_of(reason):
        least, most = _REASON
        raise BadInput("reason_missing", f"reason: {least} to {most} characters", field="reason")
    return shown_text(reason)


def problem_of(reason: str) -> str:
    """The code of what is wrong with it; empty where nothing is."""
    least, most = _REASON
    return "" if least <= len(shown_text(reason)) <= most else "reason_missing"


class Weight(StrEnum):
    """LIGHT: of one's own account or desk, or done again and taken back as easily. OWN_PAGE: asks
    on the page of its subject, which shows what it does. WEIGHED: asks on a page of its own.
    CHECKED: what was typed is shown once more with what it will do, on a page that asks."""

    LIGHT = "light"
    OWN_PAGE = "own_page"
    WEIGHED = "weighed"
    CHECKED = "checked"


_CLASS = "/console/classes/{class_id}"
_USER = "/console/users/{username}"
_PLATFORM = "/console/platforms/{slug}"
WEIGHTS: Mapping[str, Weight] = {
    # turn verdicts, money, or who may come in
    f"{_CLASS}/scale": Weight.WEIGHED,
    f"{_CLASS}/terms": Weight.CHECKED,
    "/console/calendar": Weight.CHECKED,
    f"{_CLASS}/acts/{{act_id}}/approve": Weight.WEIGHED,
    f"{_CLASS}/acts/{{act_id}}/revoke": Weight.WEIGHED,
    f"{_PLATFORM}/keys/{{key_id}}/revoke": Weight.WEIGHED,
    f"{_PLATFORM}/keys/{{key_id}}/rotate": Weight.WEIGHED,
    f"{_USER}/change": Weight.WEIGHED,
    f"{_USER}/disable": Weight.WEIGHED,
    f"{_USER}/enable": Weight.WEIGHED,
    f"{_USER}/password": Weight.WEIGHED,
    f"{_USER}/second-factor": Weight.WEIGHED,
    "/console/users": Weight.OWN_PAGE,
    "/console/identities/{identity_id}": Weight.OWN_PAGE,
    "/console/identities/{identity_id}/unlink": Weight.OWN_PAGE,
    "/console/subsidies/{standard_id}/end": Weight.WEIGHED,
    "/console/pack-drafts/{draft_id}/publish": Weight.WEIGHED,
    "/console/pack-drafts/{draft_id}/discard": Weight.WEIGHED,
    # decide beside the evidence, with a reason or the paper that it rests on
    "/console/cases/{case_id}/decision": Weight.OWN_PAGE,
    "/console/cases/{case_id}/correction": Weight.OWN_PAGE,
    "/console/findings/{finding_id}/decision": Weight.OWN_PAGE,
    "/console/findings/{finding_id}/faces/answer": Weight.OWN_PAGE,
    "/console/findings/many": Weight.OWN_PAGE,
    "/console/cases/decide": Weight.OWN_PAGE,
    "/console/appeals/{appeal_id}/reply": Weight.OWN_PAGE,
    f"{_CLASS}/acts": Weight.OWN_PAGE,
    f"{_CLASS}/holds": Weight.OWN_PAGE,
    f"{_CLASS}/sign-off": Weight.OWN_PAGE,
    f"{_CLASS}/sign-off/sign": Weight.OWN_PAGE,
    f"{_CLASS}/sign-off/withdraw": Weight.OWN_PAGE,
    f"{_CLASS}/stages": Weight.OWN_PAGE,
    f"{_CLASS}/recoveries": Weight.OWN_PAGE,
    f"{_CLASS}/tables": Weight.OWN_PAGE,
    f"{_CLASS}/tables/take": Weight.OWN_PAGE,
    f"{_CLASS}/consents": Weight.OWN_PAGE,
    f"{_CLASS}/photos": Weight.OWN_PAGE,
    f"{_CLASS}/photos/take": Weight.OWN_PAGE,
    f"{_CLASS}/learners/{{learner_id}}/enrolment": Weight.OWN_PAGE,
    "/console/institutions/{institution_id}": Weight.OWN_PAGE,
    "/console/subsidies": Weight.OWN_PAGE,
    "/console/subsidies/{standard_id}/decide": Weight.OWN_PAGE,
    "/console/photos/{snapshot_id}": Weight.OWN_PAGE,
    "/console/sessions/{session_id}/photos": Weight.OWN_PAGE,
    "/console/findings/{finding_id}/faces": Weight.OWN_PAGE,
    # one's own account
    "/console/login": Weight.LIGHT,
    "/console/login/second": Weight.LIGHT,
    "/console/logout": Weight.LIGHT,
    "/console/account/password": Weight.LIGHT,
    "/console/account/logins/end": Weight.LIGHT,
    "/console/account/app": Weight.LIGHT,
    "/console/account/passkey": Weight.LIGHT,
    "/console/account/factors/{factor_id}/rename": Weight.LIGHT,
    "/console/account/factors/{factor_id}/remove": Weight.LIGHT,
    "/console/account/codes": Weight.LIGHT,
    # one's own desk: order, share out, note, ask, look
    "/console/notices/read": Weight.LIGHT,
    "/console/notices/ways": Weight.LIGHT,
    "/console/search": Weight.LIGHT,
    "/console/cases/next": Weight.LIGHT,
    "/console/cases/share": Weight.LIGHT,
    "/console/cases/undo": Weight.LIGHT,
    "/console/cases/{case_id}/undo": Weight.LIGHT,
    "/console/cases/{case_id}/notes": Weight.LIGHT,
    "/console/cases/{case_id}/arrange": Weight.LIGHT,
    "/console/cases/{case_id}/requests": Weight.LIGHT,
    "/console/cases/{case_id}/requests/{request_id}": Weight.LIGHT,
    "/console/requests/{request_id}": Weight.LIGHT,
    "/console/findings/views": Weight.LIGHT,
    "/console/findings/views/{view_id}/drop": Weight.LIGHT,
    "/console/findings/{finding_id}/assign": Weight.LIGHT,
    "/console/sessions/{session_id}/spot-check": Weight.LIGHT,
    "/console/what-if": Weight.LIGHT,
    "/console/pack-drafts": Weight.LIGHT,
    "/console/pack-drafts/{draft_id}": Weight.LIGHT,
    "/console/pack-drafts/{draft_id}/parameter": Weight.LIGHT,
    "/console/pack-drafts/{draft_id}/trial": Weight.LIGHT,
    f"{_CLASS}/inspections": Weight.LIGHT,
    "/console/inspections/{inspection_id}/checks": Weight.LIGHT,
    # entered, and entered again where it was wrong; nothing is judged by it before
    "/console/setups": Weight.LIGHT,
    "/console/setups/{setup_id}/platform": Weight.LIGHT,
    "/console/setups/{setup_id}/course": Weight.LIGHT,
    "/console/setups/{setup_id}/key": Weight.LIGHT,
    "/console/courses/read": Weight.LIGHT,
    "/console/courses": Weight.LIGHT,
    "/console/classes": Weight.LIGHT,
    "/console/counties": Weight.LIGHT,
    "/console/institutions": Weight.LIGHT,
    "/console/platforms": Weight.LIGHT,
    _PLATFORM: Weight.LIGHT,
    f"{_PLATFORM}/keys": Weight.LIGHT,
    f"{_PLATFORM}/statements": Weight.LIGHT,
    f"{_PLATFORM}/webhooks": Weight.LIGHT,
    f"{_PLATFORM}/webhooks/{{webhook_id}}/test": Weight.LIGHT,
    f"{_PLATFORM}/webhooks/{{webhook_id}}/secret": Weight.OWN_PAGE,
    f"{_PLATFORM}/webhooks/{{webhook_id}}/remove": Weight.OWN_PAGE,
    f"{_PLATFORM}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}": Weight.LIGHT,
    f"{_PLATFORM}/sandboxes": Weight.LIGHT,
    f"{_PLATFORM}/sandboxes/{{class_id}}/clock": Weight.LIGHT,
    "/console/county/{county}/targets": Weight.LIGHT,
    "/console/county/classes/{class_id}": Weight.LIGHT,
    f"{_CLASS}/run": Weight.LIGHT,
    f"{_CLASS}/systems": Weight.LIGHT,
    f"{_CLASS}/tables/to-mend.xlsx": Weight.LIGHT,
    # a link is given again with one click
    f"{_CLASS}/learners/{{learner_id}}/link": Weight.LIGHT,
    f"{_CLASS}/links/{{link_id}}/revoke": Weight.LIGHT,
    # learners, of themselves
    "/my/{token}/appeals": Weight.LIGHT,
    "/my/{token}/requests/{request_id}": Weight.LIGHT,
}
