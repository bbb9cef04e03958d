"""A platform's webhooks, kept by its people: registered, tried, changed, removed, sent again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.console import labels, once
from app.console.login import FormOfThisLogin
from app.console.page import ConsoleRoute, RowId, see_other
from app.console.platforms_page import Keeper, kept, show
from app.domain.exchange import webhooks
from app.errors import BadInput, Conflict

router = APIRouter(prefix="/console/platforms", route_class=ConsoleRoute, include_in_schema=False)


@router.post("/{slug}/webhooks", dependencies=[FormOfThisLogin])
def add(
    request: Request,
    login: Keeper,
    slug: str,
    url: Annotated[str, Form()] = "",
    event: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """Register an address; the secret that signs for it is told once."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            made = webhooks.register(
                connection,
                services.vault,
                kept(connection, login, slug).id,
                url=url.strip(),
                events=event,
                https_only=services.settings.production,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except (BadInput, Conflict) as error:
        problem = labels.PROBLEMS[error.code]
        return show(request, login, slug, problem=problem, typed_url=url)
    return once.lead_on(request, login, f"/console/platforms/{slug}", webhook_secret=made.secret)


@router.post("/{slug}/webhooks/{webhook_id}/test", dependencies=[FormOfThisLogin])
def test(request: Request, login: Keeper, slug: str, webhook_id: RowId) -> Response:
    """Send a test to that address."""
    services = request.app.state.services
    with services.database.write() as connection:
        platform_id = kept(connection, login, slug).id
        now_ms = services.clock()
        webhooks.test(connection, platform_id, webhook_id, actor=login.user.actor, now_ms=now_ms)
    return see_other(f"/console/platforms/{slug}#webhooks")


@router.post("/{slug}/webhooks/{webhook_id}/secret", dependencies=[FormOfThisLogin])
def rotate(request: Request, login: Keeper, slug: str, webhook_id: RowId) -> Response:
    """Another secret, told once; the former one signs beside it for a day."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            secret = webhooks.rotate_secret(
                connection,
                services.vault,
                kept(connection, login, slug).id,
                webhook_id,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except Conflict as error:
        return show(request, login, slug, problem=labels.PROBLEMS[error.code])
    return once.lead_on(request, login, f"/console/platforms/{slug}", webhook_secret=secret)


@router.post("/{slug}/webhooks/{webhook_id}/remove", dependencies=[FormOfThisLogin])
def remove(request: Request, login: Keeper, slug: str, webhook_id: RowId) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        platform_id = kept(connection, login, slug).id
        now_ms = services.clock()
        webhooks.remove(connection, platform_id, webhook_id, actor=login.user.actor, now_ms=now_ms)
    return see_other(f"/console/platforms/{slug}#webhooks")


@router.post(
    "/{slug}/webhooks/{webhook_id}/deliveries/{delivery_id}", dependencies=[FormOfThisLogin]
)
def redeliver(
    request: Request, login: Keeper, slug: str, webhook_id: RowId, delivery_id: RowId
) -> Response:
    """Send a message once more."""
    services = request.app.state.services
    with services.database.write() as connection:
        webhooks.redeliver(
            connection,
            kept(connection, login, slug).id,
            webhook_id,
            delivery_id,
            actor=login.user.actor,
            now_ms=services.clock(),
        )
    return see_other(f"/console/platforms/{slug}#webhooks")
