"""A platform's sandbox classes: opened by its people, their clocks moved forward."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from app.clock import DAY_MS, day
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, see_other
from app.console.platforms_page import kept
from app.domain.accounts.users import Login, Role
from app.domain.catalogue import classes
from app.domain.catalogue.classes import ClassTerms
from app.errors import NotFound
from app.store.catalogue import catalogue

router = APIRouter(prefix="/console/platforms", route_class=ConsoleRoute, include_in_schema=False)

LASTS = timedelta(days=30)
Trying = Annotated[Login, Depends(require_role(Role.PLATFORM_VIEWER))]


@router.post("/{slug}/sandboxes", dependencies=[FormOfThisLogin])
def open_one(
    request: Request, login: Trying, slug: str, course: Annotated[str, Form()] = ""
) -> Response:
    """Open a class to try one of the platform's courses in, from today for a month."""
    services = request.app.state.services
    now_ms = services.clock()
    today = day(now_ms)
    with services.database.write() as connection:
        owner = kept(connection, login, slug)
        there = catalogue.listed_courses(connection, [owner.id])
        known = next((it for it in there if it.external_id == course), None)
        if known is None:
            raise NotFound("unknown_course", f"there is no course {course!r}")
        terms = ClassTerms.model_validate(
            {
                "sandbox": True,
                "institution": owner.name,
                "occupation": known.title[:128],
                "mode": "online",
                "course_ids": [course],
                "starts_on": today.isoformat(),
                "ends_on": (today + LASTS).isoformat(),
            }
        )
        classes.open_class(
            connection,
            owner.id,
            f"sandbox-{today:%Y%m%d}-{now_ms % DAY_MS // 1000:05}",
            terms,
            default_pack=services.settings.default_pack,
            actor=login.user.actor,
            now_ms=now_ms,
        )
    return see_other(f"/console/platforms/{slug}#sandboxes")


@router.post("/{slug}/sandboxes/{class_id}/clock", dependencies=[FormOfThisLogin])
def move_clock(
    request: Request,
    login: Trying,
    slug: str,
    class_id: RowId,
    advance_s: Annotated[int, Form(ge=1, le=classes.MOST_ADVANCE_S)],
) -> Response:
    """Move the clock of one of them."""
    services = request.app.state.services
    with services.database.write() as connection:
        owner = kept(connection, login, slug)
        mine = {it.id: it.external_id for it in catalogue.sandboxes(connection, owner.id)}
        if class_id not in mine:
            raise NotFound("unknown_class", "there is no such sandbox class")
        classes.move_clock(
            connection,
            owner.id,
            mine[class_id],
            advance_s,
            actor=login.user.actor,
            now_ms=services.clock(),
        )
    return see_other(f"/console/platforms/{slug}#sandboxes")
