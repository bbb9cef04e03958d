"""The audit log, newest first, found by the words it shows, and whether its chain is unbroken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.console import labels, readable
from app.console.findings_page import plain_text
from app.console.language import N_, Language
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, language_of, render
from app.domain.accounts import users as users_domain
from app.domain.accounts.users import Login
from app.domain.review import review
from app.errors import BadInput, NotAllowed
from app.reports import csv
from app.reports.sheet import Value
from app.store.accounts import audit, users
from app.store.accounts.audit import AuditFilter, AuditRow

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 100
SEALED = N_("初审的决定与理由，在复核作出决定后显示。")
_EXPORTED = 100_000  # rows of a file, the newest; an administrator narrows the days for more


def reads_log(request: Request, login: SignedIn) -> Login:
    """Dependency: the login of who reads the log. Raises NotAllowed."""
    with request.app.state.services.database.read() as connection:
        if not users_domain.reads_log(connection, login.user):
            raise NotAllowed("role", "the log is read by others than who keeps users")
    return login


LogReader = Annotated[Login, Depends(reads_log)]


@router.get("/audit")
def audit_log(
    request: Request,
    login: LogReader,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
    before: int | None = None,
    verify: bool = False,
) -> Response:
    """`verify` walks the whole chain, which takes a while on a long log: only when asked.

    What a first reviewer decided stays sealed until a second has decided too: neither the entry
    nor a filter by what was done tells it.
    """
    typed = _typed(actor, action, subject, since, until)
    below = before if before is not None and 0 < before < 2**62 else None
    lang, problem = language_of(request), ""
    with request.app.state.services.database.read() as connection:
        try:
            wanted = _wanted(typed)
        except BadInput as error:
            wanted, problem = AuditFilter(), labels.PROBLEMS[error.code]
        rows = audit.page(connection, wanted, before=below, size=PAGE + 1)
        sealed = review.sealed(connection, rows[:PAGE])
        broken = audit.first_broken(connection) if verify else None
        people = _people(connection, lang)
    return render(
        request,
        "audit.html",
        login=login,
        status=422 if problem else 200,
        rows=_told(rows[:PAGE], sealed, wanted),
        sealed=sealed,
        sealed_words=SEALED,
        typed=typed,
        problem=problem,
        people=people,
        names=dict(people),
        actions=_deeds(lang),
        before=below,
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        verified=verify,
        broken=broken,
    )


@router.get("/audit.csv")
def export(
    request: Request,
    login: LogReader,  # noqa: ARG001 (who may)
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
) -> Response:
    """What the filters find, as a file. Raises BadInput."""
    services, lang = request.app.state.services, language_of(request)
    with services.database.read() as connection:
        wanted = _wanted(_typed(actor, action, subject, since, until))
        rows = audit.page(connection, wanted, size=_EXPORTED)
        sealed = review.sealed(connection, rows)
    name = f"audit-{day(services.clock())}.csv"
    return Response(
        _csv(_told(rows, sealed, wanted), sealed, lang),
        media_type=csv.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _typed(actor: str, action: str, subject: str, since: str, until: str) -> dict[str, str]:
    asked = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
    return {name: plain_text(text).strip() for name, text in asked.items()}


def _wanted(typed: dict[str, str]) -> AuditFilter:
    """The filter that the words mean. Raises BadInput."""
    since, until = _day(typed["since"]), _day(typed["until"])
    return AuditFilter(
        actors=(typed["actor"],) if typed["actor"] else None,
        action=typed["action"],
        subject=typed["subject"],
        since_ms=midnight_ms(since) if since else None,
        until_ms=midnight_ms(until + timedelta(days=1)) if until else None,
    )


def _people(connection: Connection, lang: Language) -> list[tuple[str, str]]:
    """Who stands in the log, by how it writes them, under the names that pages show."""
    names = {f"user:{it.username}": it.display_name for it in users.all_users(connection)}
    known = ((it, names.get(it) or readable.actor(it, lang)) for it in audit.actors(connection))
    return sorted(known, key=lambda it: it[1])


def _deeds(lang: Language) -> list[tuple[str, str]]:
    """What may be asked for, under the names that pages show; decisions on findings as one."""
    single = [it for it in readable.ACTIONS if not it.startswith("finding.")]
    named = [(it, readable.action(it, lang)) for it in single]
    return sorted([*named, ("finding.", lang.say(N_("决定")))], key=lambda it: it[1])


def _told(rows: Sequence[AuditRow], sealed: Collection[int], wanted: AuditFilter) -> list[AuditRow]:
    """Without those of which the filter alone would tell what a first reviewer decided."""
    return [it for it in rows if it.id not in sealed or "finding.".startswith(wanted.action)]


def _csv(rows: Sequence[AuditRow], sealed: Collection[int], lang: Language) -> bytes:
    heads = (N_("时间"), N_("操作人"), N_("操作"), N_("对象"), N_("内容"), N_("哈希"))

    def told(it: AuditRow) -> tuple[Value, ...]:
        shut = it.id in sealed
        return (
            it.id,
            lang.moment(it.at_ms),
            readable.actor(it.actor, lang),
            lang.say(N_("决定")) if shut else readable.action(it.action, lang),
            readable.subject(it.subject, lang),
            lang.say(SEALED) if shut else readable.detail(it.detail, lang),
            it.chain.hex(),
        )

    return csv.plain([("#", *map(lang.say, heads)), *map(told, rows)])


def _day(text: str) -> date | None:
    """Raises BadInput."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadInput("bad_date", "a day is written as 2026-11-28") from error
