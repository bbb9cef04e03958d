"""A class outside the days of its rules is told so on every page that shows a verdict on it."""

from __future__ import annotations

import html
import re
from collections import deque

from sqlalchemy import update

from app.console import labels
from models import TrainingClass
from tests.console.conftest import Desk
from tests.verdicts import validate

TOLD = "不在所用规定的有效期内"
PAGE = re.compile(r'href="(/console[^"#]*)"')
ELSEWHERE = re.compile(r"/console/(static|language|logout|help|packs)|\.(xlsx|csv|pdf|json|jpg)\b")
BADGE = re.compile(r'<span class="badge tone-[^>]*><svg.*?</svg>([^<]*)</span>', re.DOTALL)
VERDICTS = {
    str(it.text)
    for book in (labels.VERDICTS, labels.ENROLMENTS, labels.OUTCOMES, labels.CHECK_RESULTS)
    for it in book.values()
} | {str(labels.VIOLATION.text)}
HOUR = re.compile(r'class="hour (?!not_started)[a-z_]+ t\d')
KINDS = {  # with a verdict, that the county's desk leads to
    "/console/cases",
    "/console/cases/n",
    "/console/classes",
    "/console/classes/n",
    "/console/classes/n/learners/n",
    "/console/classes/n/learners/n/hours/n",
    "/console/findings",
    "/console/findings/n",
    "/console/people/n",
    "/console/platforms/yunke",
    "/console/runs/n",
    "/console/sessions/n",
}


def kind_of(path: str) -> str:
    return re.sub(r"\d+", "n", path.partition("?")[0])


def pages(desk: Desk, most_alike: int = 4) -> dict[str, str]:
    """Pages that can be reached from the first one, a few of each kind."""
    found: dict[str, str] = {}
    alike: dict[str, int] = {}
    waiting = deque(["/console"])
    while waiting:
        path = waiting.popleft()
        kind = kind_of(path)
        if path in found or alike.get(kind, 0) >= most_alike or ELSEWHERE.search(path):
            continue
        alike[kind] = alike.get(kind, 0) + 1
        answer = desk.client.get(path)
        if answer.status_code != 200:
            continue
        found[path] = answer.text
        waiting.extend(map(html.unescape, PAGE.findall(answer.text)))
    return found


def judged_anew(desk: Desk, class_id: int, **terms: object) -> None:
    """A class of the county with all that its checks read, validated."""
    said = ("official_class_no", "institution", "occupation", "certificate_type")
    told: dict[str, object] = {**dict.fromkeys(said, "示例"), "course_ids": [], "mode": "online"}
    told |= {"starts_on": "2026-04-01", "ends_on": "2026-04-30", **terms}
    with desk.services.database.write() as connection:
        here = TrainingClass.id == class_id
        connection.execute(update(TrainingClass).where(here).values(terms=told))
    validate(desk.services, class_id)


def test_a_verdict_is_nowhere_shown_without_the_days_of_its_rules(desk: Desk) -> None:
    for class_id in desk.county.classes.values():
        judged_anew(desk, class_id)
    seen = pages(desk.sign_in("zhao"))
    judged = {
        path
        for path, text in seen.items()
        if VERDICTS & {*BADGE.findall(text)} or HOUR.search(text)
    }
    assert set(map(kind_of, judged)) >= KINDS
    assert sorted(path for path in judged if TOLD not in seen[path]) == []
