"""The audit log, newest first, found by the words it shows, and whether its chain is unbroken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.console import labels, readable
from app.console.actors import of_key
from app.console.findings_page import plain_text
from app.console.language import N_, Language
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, language_of, render
from app.domain.accounts import users as users_domain
from app.domain.accounts.users import Login, Role
from app.domain.review import review
from app.domain.wire import typed_day
from app.errors import BadInput, NotAllowed
from app.reports import csv
from app.reports.sheet import Value
from app.store.accounts import audit, audit_subjects, platforms, users
from app.store.accounts.audit import AuditFilter, AuditRow

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 100
SEALED = N_("初审的决定与理由，在复核作出决定后显示。")
_AT_ONCE = 500  # subjects that are named by one query
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
            wanted = _wanted(connection, typed, login)
        except BadInput as error:
            wanted, problem = AuditFilter(), labels.PROBLEMS[error.code]
        rows = audit.page(connection, wanted, before=below, size=PAGE + 1)
        sealed = review.sealed(connection, rows[:PAGE])
        broken = audit.first_broken(connection) if verify else None
        people = _people(connection, lang)
        subjects = _subjects(connection, rows, login)
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
        subjects=subjects,
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
    login: LogReader,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
) -> Response:
    """What the filters find, as a file. Raises BadInput."""
    services, lang = request.app.state.services, language_of(request)
    with services.database.read() as connection:
        wanted = _wanted(connection, _typed(actor, action, subject, since, until), login)
        rows = audit.page(connection, wanted, size=_EXPORTED)
        sealed = review.sealed(connection, rows)
        names = dict(_people(connection, lang))
        subjects = _subjects(connection, rows, login)
    with services.database.write() as connection:
        audit.append(
            connection,
            at_ms=services.clock(),
            actor=login.user.actor,
            action="export.taken",
            subject="audit-log",
            detail={"entries": len(rows), "format": "csv"},
        )
    name = f"audit-{day(services.clock())}.csv"
    return Response(
        _csv(_told(rows, sealed, wanted), sealed, names, subjects, lang),
        media_type=csv.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _typed(actor: str, action: str, subject: str, since: str, until: str) -> dict[str, str]:
    asked = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
    return {name: plain_text(text).strip() for name, text in asked.items()}


def _subjects(connection: Connection, rows: Sequence[AuditRow], login: Login) -> dict[str, str]:
    """The names of what the rows were done to, asked for in parts that a query can hold."""
    every, found = sorted({it.subject for it in rows}), dict[str, str]()
    for begin in range(0, len(every), _AT_ONCE):
        found |= audit_subjects.named(
            connection, every[begin : begin + _AT_ONCE], people=_told_people(login)
        )
    return found


def _told_people(login: Login) -> bool:
    """Who only reads the log is told of no learner by name."""
    return login.user.role is not Role.LOG_READER


def _wanted(connection: Connection, typed: dict[str, str], login: Login) -> AuditFilter:
    """The filter that the words mean. Raises BadInput."""
    since, until = _day(typed["since"]), _day(typed["until"])
    return AuditFilter(
        actors=(typed["actor"],) if typed["actor"] else None,
        action=typed["action"],
        subject=typed["subject"],
        subjects=tuple(
            audit_subjects.called(connection, typed["subject"], people=_told_people(login))
        )
        if typed["subject"] and ":" not in typed["subject"]
        else (),
        since_ms=midnight_ms(since) if since else None,
        until_ms=midnight_ms(until + timedelta(days=1)) if until else None,
    )


def _people(connection: Connection, lang: Language) -> list[tuple[str, str]]:
    """Who stands in the log, by how it writes them, under the names that pages show."""
    names = {f"user:{it.username}": it.display_name for it in users.all_users(connection)}
    keys = platforms.names_of_keys(connection)
    known = ((it, names.get(it) or of_key(it, keys, lang)) for it in audit.actors(connection))
    return sorted(known, key=lambda it: it[1])


def _deeds(lang: Language) -> list[tuple[str, str]]:
    """What may be asked for, under the names that pages show; decisions on findings as one."""
    single = [it for it in readable.ACTIONS if not it.startswith("finding.")]
    named = [(it, readable.action(it, lang)) for it in single]
    return sorted([*named, ("finding.", lang.say(N_("决定")))], key=lambda it: it[1])


def _told(rows: Sequence[AuditRow], sealed: Collection[int], wanted: AuditFilter) -> list[AuditRow]:
    """Without those of which the filter alone would tell what a first reviewer decided."""
    return [it for it in rows if it.id not in sealed or "finding.".startswith(wanted.action)]


def _csv(
    rows: Sequence[AuditRow],
    sealed: Collection[int],
    names: Mapping[str, str],
    subjects: Mapping[str, str],
    lang: Language,
) -> bytes:
    """`names` of who did something, `subjects` of what it was done to."""
    heads = (N_("时间"), N_("操作人"), N_("操作"), N_("对象"), N_("内容"), N_("哈希"))

    def told(it: AuditRow) -> tuple[Value, ...]:
        shut = it.id in sealed
        return (
            it.id,
            lang.moment(it.at_ms),
            names.get(it.actor) or readable.actor(it.actor, lang),
            lang.say(N_("决定")) if shut else readable.action(it.action, lang),
            readable.subject(it.subject, lang, subjects),
            lang.say(SEALED) if shut else readable.detail(it.detail, lang),
            it.chain.hex(),
        )

    return csv.plain([("#", *map(lang.say, heads)), *map(told, rows)])


def _day(text: str) -> date | None:
    """Raises BadInput."""
    try:
        return typed_day(text) if text else None
    except ValueError as error:
        raise BadInput("bad_date", "a day is written as 2026-11-28") from error
