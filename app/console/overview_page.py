"""The first page: what waits, how old it is, and what the last four weeks were like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from app.clock import DAY_MS, day
from app.console import charts, labels, readable
from app.console.case_lines import CaseFilters
from app.console.charts import Bar
from app.console.first_steps import first_steps
from app.console.language import N_, Language
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts.users import Role
from app.domain.review import funds, stages, subsidy_standards
from app.store.judging import overview as store
from app.store.review import acts, cases, sign_offs
from app.store.review.acts import ActsToApprove

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

DAYS = 28
_PLATFORMS, _ASSESSMENTS, _OVERDUE, _STEPS = 10, 6, 10, 20
_EPOCH = date(1970, 1, 1)
_AGES = (
    (0, N_("不到1天")),
    (1, N_("1至3天")),
    (3, N_("3至7天")),
    (7, N_("7至30天")),
    (30, N_("30天以上")),
)


@router.get("")
def overview(request: Request, login: SignedIn) -> Response:
    if login.user.role is Role.LOG_READER:
        return see_other("/console/audit")
    services, lang, scope = request.app.state.services, language_of(request), login.user.scope
    now_ms = services.clock()
    today = day(now_ms)
    since_ms = (_number(today) - DAYS + 1) * DAY_MS - store.SHANGHAI_MS
    with services.database.read() as connection:
        daily = store.by_day(connection, scope, since_ms)
        platforms = store.by_platform(connection, scope, since_ms)
        rules = store.by_rule(connection, scope, since_ms)
        waiting = store.waiting(connection, scope, now_ms)
        count, gravest = _to_decide(connection, login, now_ms)
        open_sessions = store.open_sessions(connection, scope)
        classes = store.classes(connection, scope)
        assessments = store.next_assessments(connection, scope, today.isoformat(), _ASSESSMENTS)
        overdue = stages.overdue(connection, scope, today)
        steps = stages.waiting(connection, login.user, today)
        of_second = _of_second(connection, login)
        first = first_steps(connection, login.user, classes)
        stakes = funds.stakes(connection, scope) if scope.of_authority else []
    return render(
        request,
        "overview.html",
        login=login,
        cases=count["todo"],
        waiting=count["findings"],
        gravest=gravest,
        second=sum(it.count for it in waiting if it.status == "first_review"),
        oldest=lang.age(now_ms - min(it.oldest_ms for it in waiting)) if waiting else "–",
        open_sessions=open_sessions,
        classes=classes,
        assessments=assessments,
        first_steps=first,
        steps=steps[:_STEPS],
        step_count=len(steps),
        **of_second,
        overdue=overdue[:_OVERDUE],
        overdue_count=len(overdue),
        stakes=stakes,
        found=sum(it.count for it in rules),
        trend=charts.columns(day_bars(daily, today, lang), lang, lang.say(N_("每日新增问题")), 7),
        rules=charts.rows(rule_bars(rules, lang), lang, lang.say(N_("按规则"))),
        platforms=charts.rows(platform_bars(platforms, lang), lang, lang.say(N_("按平台"))),
        ages=charts.rows(age_bars(waiting, lang), lang, lang.say(N_("等待时间"))),
        key=charts.key(lang),
    )


def _to_decide(
    connection: Connection, login: SignedIn, now_ms: int
) -> tuple[Mapping[str, int], int | None]:
    """How many cases and findings wait for this person, and the row id of the gravest case."""
    todo = CaseFilters.of({}).wanted(now_ms, login.user.id)
    gravest = cases.page(connection, login.user.scope, todo, None, 1)
    return cases.count(connection, login.user.scope, todo), gravest[0].id if gravest else None


def _of_second(connection: Connection, login: SignedIn) -> dict[str, Any]:
    """What somebody else began and this person may finish."""
    to_approve = _to_approve(connection, login)
    return {
        "to_sign": _to_sign(connection, login),
        "to_approve": to_approve[:_STEPS],
        "approvals": sum(it.count for it in to_approve),
        "standards": subsidy_standards.waiting_for(connection, login.user),
    }


def _to_sign(connection: Connection, login: SignedIn) -> Sequence[Any]:
    """Lists that wait for this person's signature."""
    if not login.user.decides:
        return ()
    return sign_offs.waiting_for(connection, login.user.scope, login.user.id)


def _to_approve(connection: Connection, login: SignedIn) -> Sequence[ActsToApprove]:
    """Classes with acts that wait for this person's approval."""
    if not login.user.decides:
        return ()
    return acts.waiting_for(connection, login.user.scope, login.user.actor)


def day_bars(rows: Iterable[Any], today: date, lang: Language) -> list[Bar]:
    """One bar for each of the last days, empty ones too."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for it in rows:
        counts[int(it.day)][it.outcome] = it.count
    bars = []
    for back in range(DAYS - 1, -1, -1):
        on = today - timedelta(days=back)
        found = counts.get(_number(on), {})
        bars.append(Bar(f"{on:%m-%d}", found, told=f"{on}: {_tally(found, lang)}"))
    return bars


def rule_bars(rows: Iterable[Any], lang: Language) -> list[Bar]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for it in rows:
        counts[it.rule][it.outcome] = it.count
    return _largest_first(
        Bar(
            readable.rule(rule, "", lang),
            found,
            href=f"/console/findings?status=all&rule={rule}",
            told=_tally(found, lang),
        )
        for rule, found in counts.items()
    )


def platform_bars(rows: Iterable[Any], lang: Language) -> list[Bar]:
    counts: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for it in rows:
        counts[it.id, it.name][it.outcome] = it.count
    bars = _largest_first(
        Bar(
            name,
            found,
            href=f"/console/findings?status=all&platform={platform_id}",
            told=f"{name}: {_tally(found, lang)}",
        )
        for (platform_id, name), found in counts.items()
    )
    return bars[:_PLATFORMS]


def age_bars(waiting: Sequence[Any], lang: Language) -> list[Bar]:
    """How long what waits has waited."""
    counts = [0] * len(_AGES)
    for it in waiting:
        reached = (i for i, (from_day, _) in enumerate(_AGES) if it.days >= from_day)
        counts[max(reached, default=0)] += it.count
    return [
        Bar(
            lang.say(text),
            {"review": count},
            href=f"/console/findings?age={from_day}" if from_day else "/console/findings",
        )
        for (from_day, text), count in zip(_AGES, counts, strict=True)
    ]


def _largest_first(bars: Iterable[Bar]) -> list[Bar]:
    return sorted(bars, key=lambda bar: (-bar.total, bar.label))


def _tally(counts: Mapping[str, int], lang: Language) -> str:
    said = [
        f"{lang.say(labels.OUTCOMES[outcome].text)} {lang.number(counts[outcome])}"
        for outcome in charts.OUTCOMES
        if counts.get(outcome)
    ]
    return lang.say(N_("，")).join(said) or "0"


def _number(on: date) -> int:
    return (on - _EPOCH).days
