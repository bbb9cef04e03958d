"""The queue: findings that wait for a person, gravest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from app.clock import DAY_MS
from app.console import labels, readable
from app.console.case_lines import BY_CASE, CaseFilters
from app.console.few_photos import Enrolled, few_photos
from app.console.finding_view import OF_SITTINGS, sentence_of
from app.console.labels import Label
from app.console.language import N_, Language
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts.users import Login
from app.domain.faces import face_confidence
from app.domain.review import review_queue
from app.domain.wire import whole
from app.store.review import assignments
from app.store.review import finding_queue as store
from app.store.review.finding_queue import Cursor, QueueFilter
from app.store.review.finding_rows import QueuedFinding

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50
_CLASSES_LISTED = 300
AGES = {"1": N_("1天以上"), "3": N_("3天以上"), "7": N_("7天以上"), "30": N_("30天以上")}
ORDERS = {
    "grave": N_("重要的在前"),
    "likely": N_("最不像本人的在前"),
    "old": N_("最早的在前"),
    "new": N_("最新的在前"),
}
SHARING = {"me": N_("由我负责"), "nobody": N_("尚无人负责")}
MONEY = {"500": N_("500元以上"), "1000": N_("1000元以上"), "10000": N_("1万元以上")}
_KNOWN = (
    *("status", "rule", "outcome", "fault", "about", "class", "platform", "age", "q", "order"),
    *("assigned", "appeal", "money"),
)
STATUS_CHOICES = {
    "todo": Label(N_("待办")),
    **{code: labels.STATUSES[code] for code in ("open", "first_review", "upheld", "overturned")},
    "all": Label(N_("全部")),
}
_CURSOR = re.compile(r"(\d{1,7})-(\d{1,12})-(\d{1,18})")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: its label, where it leads, how many findings it would show."""

    label: str
    href: str
    count: int
    chosen: bool
    letter: str = ""
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Facet:
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One finding as the queue shows it."""

    id: int
    href: str
    rule: str
    pack: str
    sentence: str
    outcome: Label
    status: Label
    fault: Label
    learner: str
    learner_href: str
    few_photos: str
    outside: str
    class_name: str
    class_href: str
    occupation: str
    platform: str
    happened: str
    waiting: str
    needs_two: bool
    mine: bool
    yuan: str  # subsidy at stake; empty where the class does not tell
    assignee: str
    with_me: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class FindingFilters:
    """The address's filters, kept as text so that links can change one of them."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> FindingFilters:
        return cls.from_values(request.query_params)

    @classmethod
    def parsed(cls, queue: str) -> FindingFilters:
        """The filters out of an address's text."""
        return cls.from_values(dict(parse_qsl(queue)))

    @classmethod
    def from_values(cls, given: Mapping[str, str]) -> FindingFilters:
        values = {key: given.get(key, "")[:80] for key in _KNOWN}
        values["q"] = plain_text(values["q"])
        return cls({key: value for key, value in values.items() if value})

    def get(self, key: str, fallback: str = "") -> str:
        return self.values.get(key, fallback)

    def href(self, **changes: str | None) -> str:
        """This queue with some filters changed; None or an empty string drops one."""
        merged = {key: value for key, value in {**self.values, **changes}.items() if value}
        return "/console/findings" + (f"?{urlencode(merged)}" if merged else "")

    def wanted(self, now_ms: int, user_id: int) -> QueueFilter:
        mine = {"me": user_id, "nobody": 0}
        status, age = self.get("status", "todo"), self.get("age")
        return QueueFilter(
            status="" if status == "all" else status,
            rule=self.get("rule"),
            outcome=self.get("outcome"),
            fault=self.get("fault"),
            about=self.get("about"),
            class_id=whole(self.get("class")),
            platform_id=whole(self.get("platform")),
            created_before_ms=now_ms - int(age) * DAY_MS if age in AGES else None,
            text=self.get("q"),
            order=self.get("order") if self.get("order") in ORDERS else "grave",
            asked_by=user_id,
            assigned_to=mine.get(self.get("assigned")),
            appealed=self.get("appeal") == "waiting",
            least_yuan=int(self.get("money")) if self.get("money") in MONEY else 0,
        )


@router.get("/findings")
def findings(request: Request, login: SignedIn, after: str = "", done: str = "") -> Response:
    if BY_CASE in request.query_params:
        return see_other(CaseFilters.of(request.query_params).href())
    return queue_page(
        request, login, FindingFilters.of(request), after=after, done=whole(done) or 0
    )


def queue_page(
    request: Request,
    login: Login,
    query: FindingFilters,
    *,
    after: str = "",
    done: int = 0,
    problem: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Response:
    """The queue. `done`: how many were just decided together; with `problem`, a form that was
    refused is shown again as it was typed."""
    services, lang = request.app.state.services, language_of(request)
    user, now_ms = login.user, services.clock()
    wanted = query.wanted(now_ms, user.id)
    with services.database.read() as connection:
        found = store.page(connection, user.scope, wanted, _cursor(after), PAGE + 1)
        cube = store.counts(connection, user.scope, wanted)
        shown = _rows(connection, found[:PAGE], lang, query, now_ms, user.id)
        classes = store.classes(connection, user.scope, _CLASSES_LISTED)
        platforms = store.platforms(connection, user.scope)
        views = assignments.views(connection, user.id)
        colleagues = review_queue.colleagues(connection, user) if user.decides else []
    last = found[PAGE - 1] if len(found) > PAGE else None
    return render(
        request,
        "findings.html",
        login=login,
        status=422 if problem else 200,
        query=query,
        queue=urlencode(query.values),
        views=[(it, FindingFilters.parsed(it.query)) for it in views],
        colleagues=colleagues,
        done=done,
        problem=problem,
        typed=typed or {"chosen": (), "decision": "", "reason": ""},
        reasons=OF_SITTINGS,
        sharing=SHARING,
        money=MONEY,
        rows=shown,
        facets=facets(cube, query, lang),
        total=sum(row.count for row in cube if _matches(row, wanted)),
        classes=classes,
        platforms=platforms,
        ages=AGES,
        orders=ORDERS,
        newer=query.href() if after else None,
        older=query.href(after=f"{last.gravity}-{last.yuan or 0}-{last.id}") if last else None,
    )


def _rows(
    connection: Connection,
    found: Sequence[QueuedFinding],
    lang: Language,
    query: FindingFilters,
    now_ms: int,
    user_id: int,
) -> list[QueueRow]:
    mine = store.first_decided_by(connection, user_id, [row.id for row in found])
    enrolled = face_confidence.of_findings(connection, [(it.rule, it.learner_id) for it in found])
    return [queue_row(it, lang, query, now_ms, it.id in mine, user_id, enrolled) for it in found]


def queue_row(
    row: QueuedFinding,
    lang: Language,
    query: FindingFilters,
    now_ms: int,
    mine: bool,
    user_id: int,
    enrolled: Enrolled,
) -> QueueRow:
    """One finding of the queue, with the link that comes back to this queue after deciding."""
    back = urlencode({"queue": urlencode(query.values)}) if query.values else ""
    href = f"/console/findings/{row.id}" + (f"?{back}" if back else "")
    return QueueRow(
        id=row.id,
        href=href,
        rule=row.rule,
        pack=row.pack,
        sentence=sentence_of(row.body, lang),
        outcome=labels.found(row.outcome, row.status),
        status=labels.label(labels.STATUSES, row.status),
        fault=labels.label(labels.FAULTS, row.fault),
        learner=row.learner_name or "",
        learner_href=f"/console/classes/{row.class_id}/learners/{row.learner_id}"
        if row.learner_id
        else "",
        few_photos=few_photos(enrolled, row.learner_id, lang, row.rule),
        outside=readable.outside_term(row, lang),
        class_name=row.class_name,
        class_href=f"/console/classes/{row.class_id}",
        occupation=row.occupation,
        platform=row.platform_name,
        happened=lang.minute(row.start_ms if row.start_ms is not None else row.created_ms),
        waiting=lang.age(now_ms - row.created_ms),
        needs_two=row.needs_two_reviewers,
        mine=mine,
        yuan="" if row.yuan is None else f"¥{row.yuan:,}",
        assignee=row.assignee or "",
        with_me=row.assignee_id == user_id,
        waits=row.status in store.TO_DO,
    )


def facets(cube: Sequence[Any], query: FindingFilters, lang: Language) -> list[Facet]:
    """The filters with counts: each counts what it would show with the others kept."""
    asked = [query.get("rule")] if query.get("rule") else []
    choices = readable.rule_choices([*(row.rule for row in cube), *asked], lang)
    return [
        _facet(cube, query, lang, N_("处理状态"), "status", STATUS_CHOICES),
        _facet(cube, query, lang, N_("针对"), "about", labels.SUBJECTS),
        _facet(cube, query, lang, N_("性质"), "outcome", labels.OUTCOMES),
        _facet(cube, query, lang, N_("规则"), "rule", choices),
        _facet(cube, query, lang, N_("责任方"), "fault", labels.FAULTS),
    ]


def _facet(
    cube: Sequence[Any],
    query: FindingFilters,
    lang: Language,
    title: str,
    key: str,
    choices: Mapping[str, Label],
) -> Facet:
    values = {name: value for name, value in query.values.items() if name != key}
    without = FindingFilters(values | {"status": "all"} if key == "status" else values).wanted(0, 0)
    tally: Counter[str] = Counter()
    for row in cube:
        if _matches(row, without):
            tally[getattr(row, key)] += row.count
    chosen = query.get(key, "todo" if key == "status" else "")
    shown = []
    for code, word in choices.items():
        count = _status_count(tally, code) if key == "status" else tally[code]
        if count or code == chosen or key == "status":
            leads_to = None if code == chosen and key != "status" else code
            shown.append(
                Choice(
                    label=lang.say(word.text),
                    href=query.href(**{key: leads_to}),
                    count=count,
                    chosen=code == chosen,
                    letter=lang.say(word.letter),
                    tone=word.tone,
                )
            )
    return Facet(lang.say(title), tuple(shown))


def _status_count(tally: Mapping[str, int], code: str) -> int:
    if code == "todo":
        return sum(tally.get(status, 0) for status in store.TO_DO)
    return sum(tally.values()) if code == "all" else tally.get(code, 0)


def _matches(row: Any, wanted: QueueFilter) -> bool:
    if wanted.status == "todo":
        status = row.status in store.TO_DO
    else:
        status = wanted.status in ("", row.status)
    return (
        status
        and wanted.rule in ("", row.rule)
        and wanted.outcome in ("", row.outcome)
        and wanted.fault in ("", row.fault)
        and wanted.about in ("", row.about)
    )


def plain_text(typed: str) -> str:
    """What someone typed into a search field, without what a database cannot hold."""
    return _CONTROL_CHARACTERS.sub("", typed[:80]).strip()


def _cursor(text: str) -> Cursor | None:
    match = _CURSOR.fullmatch(text)
    return Cursor(*map(int, match.groups())) if match else None
