"""A case in one line, as the queue and a case's own page show it, and which case comes next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection

from app.clock import day
from app.console import labels, readable
from app.console.few_photos import Enrolled, few_photos
from app.console.finding_view import sentence_of
from app.console.labels import Label
from app.console.language import N_, Language
from app.domain.accounts.users import User
from app.domain.faces import face_confidence
from app.domain.wire import whole
from app.store.review import cases as store
from app.store.review.cases import CaseFilter, CaseStake, QueuedCase
from app.store.review.finding_queue import WAITS_FOR_OTHERS, QueueFilter
from app.store.review.finding_rows import QueuedFinding

_KNOWN = ("state", "q", "rule", "platform", "class", "assigned", "overdue")
BY_CASE = "by_case"  # in a finding's queue: it came from the cases
STATES = {
    "todo": N_("待办"),
    "material": N_("待补材料"),
    "snoozed": N_("已搁置"),
    "done": N_("已办结"),
}


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """The address's filters, kept as text so that links can change one of them."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str]) -> CaseFilters:
        values = {key: given.get(key, "").strip()[:80] for key in _KNOWN}
        return cls({key: value for key, value in values.items() if value})

    @classmethod
    def parsed(cls, queue: str) -> CaseFilters:
        return cls.of(dict(parse_qsl(queue)))

    def get(self, key: str, fallback: str = "") -> str:
        return self.values.get(key, fallback)

    @property
    def queue(self) -> str:
        """As an address's text."""
        return urlencode(self.values)

    def href(self, **changes: str | None) -> str:
        merged = {key: value for key, value in {**self.values, **changes}.items() if value}
        return "/console/cases" + (f"?{urlencode(merged)}" if merged else "")

    def wanted(self, now_ms: int, user_id: int) -> CaseFilter:
        mine = {"me": user_id, "nobody": 0}
        state = self.get("state", "todo")
        return CaseFilter(
            QueueFilter(
                rule=self.get("rule"),
                class_id=whole(self.get("class")),
                platform_id=whole(self.get("platform")),
                text=self.get("q"),
                asked_by=user_id,
            ),
            day(now_ms).isoformat(),
            state=state if state in STATES else "todo",
            overdue=self.get("overdue") == "1",
            assigned_to=mine.get(self.get("assigned")),
        )


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case as the queue shows it. `due` is a day, `late` that it is past."""

    id: int
    href: str
    rule: str
    pack: str
    about: str
    sentence: str
    outcome: Label
    few_photos: str
    outside: str
    place: str
    findings: int
    waiting: int
    people: str
    yuan: str
    since: str
    due: str
    late: bool
    snoozed: str
    needs_two: bool
    elsewhere: bool  # this person has decided; it waits for another
    assignee: str
    with_me: bool


def lines(
    connection: Connection,
    user: User,
    rows: Sequence[QueuedCase],
    filters: CaseFilters,
    lang: Language,
    now_ms: int,
) -> list[CaseLine]:
    """The cases in their order."""
    shown = {it.id: it for it in store.shown_by(connection, [store.first_of(it) for it in rows])}
    stakes = store.stakes(connection, user.scope, [it.id for it in rows])
    enrolled = face_confidence.of_findings(
        connection, [(it.rule, it.learner_id) for it in shown.values()]
    )
    return [
        _line(it, shown[store.first_of(it)], stakes[it.id], enrolled, filters, user, lang, now_ms)
        for it in rows
    ]


def _line(
    row: QueuedCase,
    first: QueuedFinding,
    stake: CaseStake,
    enrolled: Enrolled,
    filters: CaseFilters,
    user: User,
    lang: Language,
    now_ms: int,
) -> CaseLine:
    return CaseLine(
        id=row.id,
        href=_href(row, filters),
        rule=first.rule,
        pack=first.pack,
        about=about(row.kind, first, lang),
        sentence=sentence_of(first.body, lang),
        outcome=labels.found(first.outcome, first.status),
        few_photos=few_photos(enrolled, first.learner_id, lang, first.rule),
        outside=readable.outside_term(first, lang),
        place=f"{first.occupation} {first.class_name} · {first.platform_name}",
        findings=row.findings,
        waiting=row.waiting,
        people=people_of(stake, lang),
        yuan="" if stake.yuan is None else f"¥{stake.yuan:,}",
        since=lang.age(now_ms - row.since_ms) if row.since_ms is not None else "",
        due=row.due_on,
        late=row.waiting > 0 and row.due_on < day(now_ms).isoformat(),
        snoozed=row.snoozed_until or "",
        needs_two=first.needs_two_reviewers,
        elsewhere=row.waiting > 0 and row.gravity >= WAITS_FOR_OTHERS,
        assignee=row.assignee or "",
        with_me=row.assignee_id == user.id,
    )


def about(kind: str, first: QueuedFinding, lang: Language) -> str:
    """Whom or what a case is about."""
    if kind == "platform":
        return first.platform_name
    if first.learner_name is None:
        return lang.say(N_("全班")) + f" {first.occupation} {first.class_name}"
    when = "" if first.start_ms is None else f" {day(first.start_ms).isoformat()}"
    return first.learner_name + when


def people_of(stake: CaseStake, lang: Language) -> str:
    if stake.whole_class:
        return lang.say(N_("全班"))
    return lang.say(N_("%(n)s人"), n=stake.people)


def case_address(case_id: int, queue: str) -> str:
    """A case's own address, keeping the queue that one came from."""
    return f"/console/cases/{case_id}" + (f"?{urlencode({'queue': queue})}" if queue else "")


def _href(row: QueuedCase, filters: CaseFilters) -> str:
    """The case; of a single finding the finding itself, from which one comes back to the cases."""
    if row.findings > 1:
        return case_address(row.id, filters.queue)
    queue = urlencode({BY_CASE: "1", **filters.values})
    return f"/console/findings/{store.first_of(row)}?{urlencode({'queue': queue})}"


def next_case(
    connection: Connection, user: User, queue: str, now_ms: int, but: Collection[int] = ()
) -> str | None:
    """The next case of the queue that this person may decide, but those that they look at."""
    if not user.decides:
        return None
    filters = CaseFilters.parsed(queue)
    rows = store.page(connection, user.scope, filters.wanted(now_ms, user.id), None, len(but) + 1)
    left = [it for it in rows if it.id not in but and it.gravity < WAITS_FOR_OTHERS]
    return _href(left[0], filters) if left else None


def rule_names(rules: Sequence[str], lang: Language) -> dict[str, str]:
    return {it: lang.say(word.text) for it, word in readable.rule_choices(rules, lang).items()}
