"""Platforms: their six controls class by class and month by month, their keys and webhooks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import Connection

from app.clock import DAY_MS
from app.console import consequences, forms, labels, once, weighty
from app.console.forms import Errors, FilledIn, Typed
from app.console.login import FormOfThisLogin, SignedIn, require_role
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts import platforms, refused_requests
from app.domain.accounts.platforms import KeyScope, Platform
from app.domain.accounts.users import KEEPS_KEYS, Login, Role, User
from app.domain.exchange import lost_evidence, webhooks
from app.domain.judging import conformity_report
from app.domain.notify import WebhookEvent
from app.errors import BadInput, Conflict, NotFound
from app.http.callers import callers_of
from app.store.accounts import platforms as store
from app.store.catalogue import catalogue, class_file, institutions

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 20
LATEST = 5  # messages shown of each webhook
OVERLAP_MS = 7 * DAY_MS
Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
Keeper = Annotated[Login, Depends(require_role(*KEEPS_KEYS))]


@router.get("/platforms")
def shelf(request: Request, login: SignedIn) -> Response:
    return _shelf(request, login, {}, {})


@router.post("/platforms", dependencies=[FormOfThisLogin])
def add(request: Request, login: Admin, form: FilledIn) -> Response:
    services, slug = request.app.state.services, form.get("slug", "").strip()
    try:
        with services.database.write() as connection:
            platforms.add_platform(
                connection,
                slug=slug,
                name=form.get("name", ""),
                county=form.get("county", ""),
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except (BadInput, Conflict) as error:
        return _shelf(request, login, form, forms.errors(error))
    return see_other(f"/console/platforms/{slug}#keys")


def _shelf(request: Request, login: Login, typed: Typed, errors: Errors) -> Response:
    with request.app.state.services.database.read() as connection:
        rows = store.with_counts(connection, login.user.scope)
        counties = [it.name for it in institutions.counties(connection)]
    return render(
        request,
        "platforms.html",
        login=login,
        rows=rows,
        counties=counties,
        typed=typed,
        errors=errors,
        status=422 if errors else 200,
    )


@router.get("/platforms/{slug}")
def platform(request: Request, login: SignedIn, slug: str, cursor: str = "") -> Response:
    return show(request, login, slug, cursor=cursor)


@router.post("/platforms/{slug}", dependencies=[FormOfThisLogin])
def change(request: Request, login: Admin, slug: str, form: FilledIn) -> Response:
    """Another name, or another county for classes that open from now on."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            platforms.change_platform(
                connection,
                slug,
                name=form.get("name", ""),
                county=form.get("county", ""),
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except BadInput as error:
        return show(request, login, slug, typed=form, errors=forms.errors(error))
    return see_other(f"/console/platforms/{slug}")


@router.post("/platforms/{slug}/keys", dependencies=[FormOfThisLogin])
def add_key(
    request: Request,
    login: Keeper,
    slug: str,
    label: Annotated[str, Form()] = "",
    scope: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """Make a key; its secret is told once."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            made = platforms.create_key(
                connection,
                kept(connection, login, slug).id,
                label=label,
                scopes=scope,
                expires_ms=None,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except BadInput as error:
        return show(request, login, slug, problem=labels.PROBLEMS[error.code])
    return once.lead_on(request, login, f"/console/platforms/{slug}", secret=made.secret)


@router.get("/platforms/{slug}/keys/{key_id}/rotate")
def weigh_rotation(request: Request, login: Keeper, slug: str, key_id: RowId) -> Response:
    return _weigh(request, login, slug, key_id, rotated=True)


@router.post("/platforms/{slug}/keys/{key_id}/rotate", dependencies=[FormOfThisLogin])
def rotate_key(
    request: Request, login: Keeper, slug: str, key_id: RowId, reason: weighty.Reason = ""
) -> Response:
    """A successor, told once; the old key goes on for a week."""
    services = request.app.state.services
    try:
        why = weighty.words(reason)
        with services.database.write() as connection:
            made = platforms.rotate_key(
                connection,
                kept(connection, login, slug).id,
                key_id,
                overlap_ms=OVERLAP_MS,
                actor=login.user.actor,
                now_ms=services.clock(),
                reason=why,
            )
    except BadInput as error:
        return _weigh(request, login, slug, key_id, reason, error.code, rotated=True)
    except Conflict as error:
        return show(request, login, slug, problem=labels.PROBLEMS[error.code])
    callers_of(request).keys.forget()
    return once.lead_on(request, login, f"/console/platforms/{slug}", secret=made.secret)


@router.get("/platforms/{slug}/keys/{key_id}/revoke")
def weigh_revocation(request: Request, login: Keeper, slug: str, key_id: RowId) -> Response:
    return _weigh(request, login, slug, key_id, rotated=False)


@router.post("/platforms/{slug}/keys/{key_id}/revoke", dependencies=[FormOfThisLogin])
def revoke_key(
    request: Request, login: Keeper, slug: str, key_id: RowId, reason: weighty.Reason = ""
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, slug, key_id, reason, error.code, rotated=False)
    with services.database.write() as connection:
        platforms.revoke_key(
            connection,
            kept(connection, login, slug).id,
            key_id,
            actor=login.user.actor,
            now_ms=services.clock(),
            reason=why,
        )
    callers_of(request).keys.forget()
    return see_other(f"/console/platforms/{slug}#keys")


def kept(connection: Connection, login: Login, slug: str) -> Platform:
    """The platform whose keys and webhooks this person keeps. Raises NotFound for another's."""
    found = platforms.platform_of(connection, slug)
    if login.user.scope.platform_id not in (None, found.id):
        raise NotFound("unknown_platform", f"there is no platform {slug!r}")
    return found


def _weigh(
    request: Request,
    login: Login,
    slug: str,
    key_id: int,
    reason: str = "",
    problem: str = "",
    *,
    rotated: bool,
) -> Response:
    """What ending the key will do."""
    services, lang = request.app.state.services, language_of(request)
    ends = lang.minute(services.clock() + OVERLAP_MS) if rotated else ""
    with services.database.read() as connection:
        owner = kept(connection, login, slug)
        key = next((it for it in platforms.keys(connection, owner.id) if it.id == key_id), None)
        if key is None:
            raise NotFound("unknown_key", f"platform {slug} has no key {key_id}")
        deed = consequences.key(connection, key, owner, ends, lang)
    return weighty.page(request, login, deed, reason, problem)


def show(
    request: Request,
    login: Login,
    slug: str,
    *,
    cursor: str = "",
    problem: str = "",
    typed: Typed | None = None,
    errors: Errors | None = None,
    typed_url: str = "",
) -> Response:
    """The page of a platform, as far as this person keeps it."""
    services, user = request.app.state.services, login.user
    with services.database.read() as connection:
        record = conformity_report.of_platform(
            connection, user.scope, slug, services.clock(), cursor=cursor or None, size=PAGE
        )
        counties = [it.name for it in institutions.counties(connection)]
        desk = (
            _desk(connection, user, kept(connection, login, slug).id, services.clock())
            if user.keeps_keys
            else {}
        )
        row_ids = class_file.ids_of(
            connection, user.scope, [it.class_id for it in record.classes], slug
        )
    return render(
        request,
        "platform.html",
        login=login,
        status=422 if problem or errors else 200,
        counties=counties,
        typed=typed or {"name": record.name, "county": record.county},
        errors=errors or {},
        record=record,
        row_ids=row_ids,
        now_ms=services.clock(),
        scopes=list(KeyScope),
        told_of=[it for it in WebhookEvent if it is not WebhookEvent.WEBHOOK_TEST],
        problem=problem,
        typed_url=typed_url,
        **desk,
    )


def _desk(connection: Connection, user: User, platform_id: int, now_ms: int) -> dict[str, Any]:
    """What is kept on the page: keys, what was refused, webhooks and their latest messages; for the
    platform's own people its sandbox classes too, of which nobody else is told."""
    hooks = webhooks.webhooks(connection, platform_id)
    refused = refused_requests.of_platform(connection, platform_id, now_ms)
    own: dict[str, Any] = {}
    if user.role is Role.PLATFORM_VIEWER:
        courses = catalogue.listed_courses(connection, [platform_id])
        own = {"sandboxes": catalogue.sandboxes(connection, platform_id), "courses": courses}
    return own | {
        "keys": sorted(platforms.keys(connection, platform_id), key=lambda it: -it.id),
        "refused": refused,
        "reasons": {it.code: lost_evidence.said_of(it.code) for it in refused},
        "kept_days": refused_requests.KEPT_MS // DAY_MS,
        "most_refused": refused_requests.MOST,
        "hooks": hooks,
        "latest": {
            it.id: [
                one
                for one in webhooks.deliveries(connection, platform_id, it.id, None, LATEST)
                if own or not one.payload.get("data", {}).get("sandbox")
            ]
            for it in hooks
        },
        "most": LATEST,
    }
