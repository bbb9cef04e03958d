"""Telling people in time: what waits, in a feed of the console, by mail and by group robots.

A message holds counts and a link, and nothing of any person.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection

from app.clock import DAY_MS, at, day, midnight_ms
from app.domain.accounts.users import DECIDES, Role, User
from app.domain.review import subsidy_standards
from app.errors import BadInput
from app.languages import Text, locale_of, said
from app.store.accounts import audit
from app.store.review import notices as store
from app.vault import Vault

PURPOSE = "notice-ways"
SOON_DAYS = 2  # this product's default, as the hour of the daily message is
DAILY_HOUR = 8
_HOUR_MS = 3_600_000


class NoticeKind(StrEnum):
    """What a person is told of."""

    NEW_WORK = "new_work"
    APPEALS = "appeals"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PLATFORM_FAULT = "platform_fault"
    FAILED_NIGHT = "failed_night"
    MATERIAL_LATE = "material_late"
    MATERIAL_ASKED = "material_asked"
    UPHELD = "upheld"
    STANDARDS = "standards"
    LISTS_SIGNED = "lists_signed"
    LISTS_CORRECTED = "lists_corrected"


@dataclass(frozen=True, slots=True)
class NoticeText:
    """The sentence with its count, what to do, and the page to do it on."""

    told: Text
    act: Text
    path: str


TEXTS = {
    NoticeKind.NEW_WORK: NoticeText(
        Text(zh="新增待办%(n)s案", en="%(n)s new cases to decide"),
        Text(zh="打开待办，从最重要的看起。", en="Open the cases, the gravest first."),
        "/console/cases",
    ),
    NoticeKind.APPEALS: NoticeText(
        Text(zh="有%(n)s件申诉待答复", en="%(n)s appeals to answer"),
        Text(
            zh="由没有对该问题作过决定的人答复。", en="Answered by who has not decided the finding."
        ),
        "/console/findings?appeal=waiting",
    ),
    NoticeKind.DUE_SOON: NoticeText(
        Text(zh="有%(n)s案两天内到期", en="%(n)s cases fall due within two days"),
        Text(zh="请在期限前决定，或改期限。", en="Decide them in time, or set another day."),
        "/console/cases",
    ),
    NoticeKind.OVERDUE: NoticeText(
        Text(zh="有%(n)s案已逾期", en="%(n)s cases are overdue"),
        Text(zh="请尽快决定。", en="Decide them now."),
        "/console/cases?overdue=1",
    ),
    NoticeKind.PLATFORM_FAULT: NoticeText(
        Text(zh="新发现平台问题%(n)s案", en="%(n)s new cases of platforms' faults"),
        Text(
            zh="责任在平台，不要当作学员作弊处理。", en="The platform's fault, not its learners'."
        ),
        "/console/cases",
    ),
    NoticeKind.FAILED_NIGHT: NoticeText(
        Text(zh="夜间校验有%(n)s次没有顺利完成", en="%(n)s nightly runs met problems"),
        Text(zh="打开校验运行，看失败的班级和原因。", en="See the runs: what failed, and why."),
        "/console/runs",
    ),
    NoticeKind.MATERIAL_LATE: NoticeText(
        Text(zh="有%(n)s项补充材料过期未答复", en="%(n)s requests for material passed unanswered"),
        Text(zh="可以催办，或按现有材料决定。", en="Remind them, or decide on what there is."),
        "/console/cases?state=material",
    ),
    NoticeKind.MATERIAL_ASKED: NoticeText(
        Text(zh="有%(n)s项补充材料待您答复", en="%(n)s requests for material wait for you"),
        Text(zh="打开补充材料，在写明的日期前答复。", en="Answer by the day that each names."),
        "/console/requests",
    ),
    NoticeKind.UPHELD: NoticeText(
        Text(
            zh="有%(n)s案新认定了平台或培训机构的问题",
            en="a fault of platform or school was upheld in %(n)s cases",
        ),
        Text(
            zh="查看认定的事实和条款，整改后书面告知主管部门。",
            en="Read the facts and the clause, mend it, and tell the authority in writing.",
        ),
        "/console/findings?status=upheld",
    ),
    NoticeKind.STANDARDS: NoticeText(
        Text(zh="有%(n)s项补贴标准等您同意", en="%(n)s subsidy standards wait for your agreement"),
        Text(zh="核对文件后同意，或写明理由不同意。", en="Agree by the document, or say why not."),
        "/console/subsidies#waiting",
    ),
    NoticeKind.LISTS_SIGNED: NoticeText(
        Text(zh="有%(n)s个班的名单已签发", en="the lists of %(n)s classes were signed"),
        Text(
            zh="打开班级取回名单：准予的安排考核，其余的告知本人原因、补救办法和最晚日期。",
            en="Open the class and take them: who is admitted is assessed, the others are told "
            "why, what mends it and until when.",
        ),
        "/console/classes",
    ),
    NoticeKind.LISTS_CORRECTED: NoticeText(
        Text(
            zh="有%(n)s个班已签发的名单作了更正", en="signed lists of %(n)s classes were corrected"
        ),
        Text(
            zh="以更正后的名单为准，告知改到另一张名单的学员。",
            en="The corrected ones hold from now on: tell the learners who moved.",
        ),
        "/console/classes",
    ),
}


_HEAD = Text(zh="真学提醒", en="Zhenxue 真学")
_STOP = Text(zh="。", en=". ")


@dataclass(frozen=True, slots=True)
class NoticeWays:
    """Where messages go, and in which language; empty: not that way. `robot` is wecom (企业微信),
    dingtalk (钉钉) or webhook (an address that takes Standard Webhooks, signed with the secret)."""

    email: str = ""
    robot: str = ""
    robot_url: str = ""
    robot_secret: str = ""
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """What one person is told of outside the console, where, and whether once a day."""

    kinds: frozenset[str] = frozenset()
    daily: bool = True
    ways: NoticeWays = NoticeWays()


_OF_PLATFORMS_AND_SCHOOLS = (
    NoticeKind.MATERIAL_ASKED,
    NoticeKind.UPHELD,
    NoticeKind.LISTS_SIGNED,
    NoticeKind.LISTS_CORRECTED,
)


def kinds_for(user: User) -> tuple[NoticeKind, ...]:
    """What there is to tell this person."""
    kinds = NoticeKind
    if user.role in DECIDES:
        night = (kinds.FAILED_NIGHT,) if user.role is Role.AUDITOR else ()
        work = (kinds.NEW_WORK, kinds.APPEALS, kinds.DUE_SOON, kinds.OVERDUE)
        money = (kinds.STANDARDS,) if user.office in subsidy_standards.KEEPING else ()
        return (*work, kinds.PLATFORM_FAULT, kinds.MATERIAL_LATE, *money, *night)
    return {
        Role.ADMIN: (kinds.FAILED_NIGHT, kinds.PLATFORM_FAULT, kinds.STANDARDS),
        Role.CHIEF: (kinds.OVERDUE,),
    }.get(user.role, _OF_PLATFORMS_AND_SCHOOLS)


def cases_waiting(
    connection: Connection, user: User, since_ms: int, now_ms: int
) -> dict[str, list[int]]:
    """Cases that wait in this person's counties, the latest first, by what is told of them."""
    if not user.scope.of_authority:
        return {}
    today = day(now_ms)
    soon = (today + timedelta(days=SOON_DAYS)).isoformat()
    return store.cases_waiting(connection, user.scope, today.isoformat(), soon, since_ms)


def waiting(connection: Connection, user: User, since_ms: int, now_ms: int) -> dict[str, int]:
    """How much of each kind waits for this person now; what is called new came since `since_ms`."""
    today, kinds, scope = day(now_ms), kinds_for(user), user.scope
    counts: dict[str, int] = {}
    if scope.of_authority:
        cases = cases_waiting(connection, user, since_ms, now_ms)
        counts |= {kind: len(ids) for kind, ids in cases.items()}
    if NoticeKind.APPEALS in kinds:
        counts[NoticeKind.APPEALS] = store.appeals_unanswered(connection, scope)
        counts[NoticeKind.MATERIAL_LATE] = store.requests_late(connection, scope, today.isoformat())
    if NoticeKind.FAILED_NIGHT in kinds:
        counts[NoticeKind.FAILED_NIGHT] = store.nights_failed(connection, now_ms - DAY_MS)
    if NoticeKind.STANDARDS in kinds:
        counts[NoticeKind.STANDARDS] = len(subsidy_standards.waiting_for(connection, user))
    if NoticeKind.UPHELD in kinds:
        counts[NoticeKind.MATERIAL_ASKED] = store.requests_open(connection, scope)
        counts[NoticeKind.UPHELD] = store.upheld(connection, scope, since_ms)
        signed, corrected = store.lists_signed(connection, scope, since_ms)
        counts |= {NoticeKind.LISTS_SIGNED: signed, NoticeKind.LISTS_CORRECTED: corrected}
    return {kind: counts.get(kind, 0) for kind in kinds}


def tell(connection: Connection, vault: Vault, user: User, link: str, now_ms: int) -> None:
    """Enter what is new into the person's feed, and into the outbox what they chose. Doing it
    twice, or in two processes, tells nothing twice."""
    on, begun_ms = day(now_ms).isoformat(), midnight_ms(day(now_ms))
    counts = waiting(connection, user, begun_ms, now_ms)
    more = store.note(connection, user.id, on, counts, now_ms)
    plan = plan_of(connection, vault, user)
    if not plan.daily:
        for kind in plan.kinds & set(more):
            body = _body({kind: counts[kind]}, link, plan.ways.language)
            _send(connection, user, plan, f"{kind}:{on}:{counts[kind]}", body, now_ms)
    elif plan.kinds and at(now_ms).hour >= DAILY_HOUR:
        # From one morning to the next, so that what came in the afternoon is told as well.
        since_ms = begun_ms + DAILY_HOUR * _HOUR_MS - DAY_MS
        counts = waiting(connection, user, since_ms, now_ms)
        chosen = {kind: counts[kind] for kind in counts if kind in plan.kinds and counts[kind]}
        if chosen:
            _send(
                connection,
                user,
                plan,
                f"daily:{on}",
                _body(chosen, link, plan.ways.language),
                now_ms,
            )


def _send(
    connection: Connection, user: User, plan: NoticePlan, message: str, body: str, now_ms: int
) -> None:
    row = {"user_id": user.id, "message_id": message, "body": body, "created_ms": now_ms}
    row |= {"attempts": 0, "next_attempt_ms": now_ms}
    ways = [way for way, on in (("email", plan.ways.email), ("robot", plan.ways.robot)) if on]
    store.enter(connection, [row | {"way": way} for way in ways])


def _body(counts: dict[str, int], link: str, language: str) -> str:
    """Lines of what waits, each with its page."""
    texts: Iterable[tuple[NoticeText, int]] = ((TEXTS[NoticeKind(it)], counts[it]) for it in counts)
    lines = [
        said(text.told, language) % {"n": count}
        + said(_STOP, language)
        + said(text.act, language)
        + f"\n{link}{text.path}"
        for text, count in texts
    ]
    return "\n".join((said(_HEAD, language), *lines))


def plan_of(connection: Connection, vault: Vault, user: User) -> NoticePlan:
    """What the person chose; by default nothing leaves the console."""
    return _plan(connection, vault, user.id)


def ways_of(connection: Connection, vault: Vault, user_id: int) -> NoticeWays:
    """Where that person is told."""
    return _plan(connection, vault, user_id).ways


def _plan(connection: Connection, vault: Vault, user_id: int) -> NoticePlan:
    row = store.choice(connection, user_id)
    if row is None:
        return NoticePlan()
    ways = NoticeWays(**json.loads(vault.open(row.ways_encrypted, PURPOSE)))
    return NoticePlan(frozenset(row.kinds), row.daily, ways)


def choose(
    connection: Connection,
    vault: Vault,
    user: User,
    plan: NoticePlan,
    robots: Collection[str],
    now_ms: int,
) -> None:
    """Keep what a person wants to be told. A robot's address and secret that are left empty stay
    as they are while the robot does. Raises BadInput `bad_email`, `bad_robot`."""
    before, ways = plan_of(connection, vault, user).ways, plan.ways
    if ways.robot and ways.robot == before.robot and not ways.robot_url:
        ways = replace(ways, robot_url=before.robot_url, robot_secret=before.robot_secret)
    if ways.email and not _is_email(ways.email):
        raise BadInput("bad_email", "email: an address like name@example.cn", field="email")
    if ways.robot:
        _check_robot(ways, robots)
    else:
        ways = replace(ways, robot_url="", robot_secret="")
    ways = replace(ways, language=locale_of(ways.language).code)
    told = {name: getattr(ways, name) for name in NoticeWays.__slots__}
    kinds = sorted(plan.kinds & set(kinds_for(user)))
    store.choose(
        connection,
        user_id=user.id,
        kinds=kinds,
        daily=plan.daily,
        ways_encrypted=vault.seal(json.dumps(told).encode(), PURPOSE),
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="notices.chosen",
        subject=user.actor,
        detail={"kinds": kinds, "daily": plan.daily, "robot": ways.robot or None},
    )


def _is_email(text: str) -> bool:
    name, _, host = text.rpartition("@")
    return (
        bool(name) and "." in host and len(text) <= 254 and text.isascii() and text.isprintable()
        and not set(text) & set(" ,;<>\"")
    )  # fmt: skip


def _is_secret(text: str) -> bool:
    """Of Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64."""
    try:
        return text.startswith("whsec_") and 24 <= len(b64decode(text[6:], validate=True)) <= 64
    except ValueError:
        return False


def _check_robot(ways: NoticeWays, robots: Collection[str]) -> None:
    """Raises BadInput unless the address is a robot's on a host that robots live on."""
    try:
        parts = urlsplit(ways.robot_url)
        asked = parse_qs(parts.query)
    except ValueError:
        raise BadInput("bad_robot", "robot_url: no address", field="robot_url") from None
    own_machine = parts.scheme == "http" and parts.hostname == "127.0.0.1"  # if `robots` has it
    good = parts.netloc in robots and (parts.scheme == "https" or own_machine)
    named = {"wecom": "key", "dingtalk": "access_token"}.get(ways.robot, "")
    known = bool(asked.get(named)) or (ways.robot == "webhook" and _is_secret(ways.robot_secret))
    too_long = len(ways.robot_url) > 1000 or len(ways.robot_secret) > 200
    if not good or not known or too_long or not ways.robot_url.isascii():
        raise BadInput("bad_robot", "robot_url: not the address of a robot", field="robot_url")
