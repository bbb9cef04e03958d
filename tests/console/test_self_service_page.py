"""The learner's own page: opened by a signed link, and by nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from app.clock import day
from models import Appeal, AuditEntry, Finding, TrainingClass
from tests.console.conftest import Clock, Desk

DAY_MS = 86_400_000
STATEMENT = "那天傍晚全村停电，村委会可以证明。"


def given(desk: Desk, learner: str = "吴强", username: str = "zhao") -> str:
    """A link that an auditor made, as its path."""
    klass = desk.county.classes["HC-2026-014"]
    path = f"/console/classes/{klass}/learners/{desk.county.learners[learner]}"
    desk.sign_in(username)
    form = {"csrf": desk.csrf(path)}
    answer = desk.client.post(f"{path}/link", data=form)
    found = re.search(r'href="https?://[^/"]+(/my/[^"]+)"', answer.text)
    assert found, answer.status_code
    desk.client.cookies.clear()
    return found[1]


def appeal(desk: Desk, link: str, finding: str, statement: str = STATEMENT) -> Any:
    form = {"finding": desk.county.findings[finding], "statement": statement}
    return desk.client.post(f"{link}/appeals", data=form)


def test_wu_sees_what_was_not_counted_and_why_without_an_account(desk: Desk) -> None:
    page = desk.get(given(desk))
    assert "吴强" in page and "视频播得太快" in page
    assert "人工复核中，还没有结论" in page and "现在不算您违规" in page
    for other in ("林静", "孙丽", "赵明", "身份证"):
        assert other not in page


def test_who_can_study_no_more_is_told_so_and_whom_to_ask(desk: Desk) -> None:
    link, over = given(desk), "之后学的不算数。要再学，请先找培训机构"
    assert over not in desk.get(link)
    yesterday = day(desk.clock() - DAY_MS).isoformat()
    with desk.services.database.write() as connection:
        connection.execute(update(TrainingClass).values(ends_on=yesterday))
    page = desk.get(link)
    assert over in page and "请接着学完" not in page and "重新学这一课时" not in page


def test_the_page_stays_out_of_caches_and_referrers_and_search(desk: Desk) -> None:
    headers = desk.client.get(given(desk)).headers
    assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
    assert "noindex" in headers["x-robots-tag"]


def test_english_is_one_press_away(desk: Desk) -> None:
    assert "Class-hours that count" in desk.get(given(desk) + "?lang=en")


@pytest.mark.parametrize("spoil", ["x", "other", "empty"])
def test_a_link_that_was_altered_opens_nothing(desk: Desk, spoil: str) -> None:
    link = given(desk)
    number, _, signature = link.rpartition("/")[2].partition("-")
    token = {
        "x": f"{number}-{signature[:-2]}xx",
        "other": f"{int(number) + 1}-{signature}",
        "empty": f"{number}-",
    }[spoil]
    assert desk.client.get(f"/my/{token}").status_code == 404


def test_a_link_ends_by_itself_and_when_it_is_revoked(desk: Desk, clock: Clock) -> None:
    link = given(desk)
    klass, wu = desk.county.classes["HC-2026-014"], desk.county.learners["吴强"]
    clock.now_ms += 60 * DAY_MS
    assert desk.client.get(link).status_code == 404
    clock.now_ms -= 60 * DAY_MS
    assert desk.client.get(link).status_code == 200
    path = f"/console/classes/{klass}/learners/{wu}"
    desk.sign_in("zhao")
    desk.client.post(f"{path}/link", data={"csrf": desk.csrf(path), "revoke": "1"})
    assert desk.client.get(link).status_code == 404


@pytest.mark.parametrize(("username", "status"), [("qian", 404), ("feng", 403), ("root", 403)])
def test_not_everybody_gives_links(desk: Desk, username: str, status: int) -> None:
    klass, wu = desk.county.classes["HC-2026-014"], desk.county.learners["吴强"]
    desk.sign_in(username)
    form = {"csrf": desk.csrf("/console")}
    path = f"/console/classes/{klass}/learners/{wu}/link"
    assert desk.client.post(path, data=form).status_code == status


def test_a_link_leads_to_the_service_whatever_host_was_asked(desk: Desk) -> None:
    klass, wu = desk.county.classes["HC-2026-014"], desk.county.learners["吴强"]
    desk.services.settings.public_url = "https://zhenxue.example"
    form = {"csrf": desk.sign_in("zhao").csrf("/console")}
    path = f"/console/classes/{klass}/learners/{wu}/link"
    page = desk.client.post(path, data=form, headers={"x-forwarded-host": "evil.example"}).text
    assert 'href="https://zhenxue.example/my/' in page and "evil" not in page


def test_an_appeal_is_kept_and_shown_with_its_reply(desk: Desk) -> None:
    link = given(desk)
    assert "申诉已提交" in appeal(desk, link, "fast:fast_forward").text
    with desk.services.database.write() as connection:
        (row,) = connection.execute(select(Appeal)).all()
        connection.execute(update(Appeal).values(reply="证明属实。", replied_ms=desk.clock()))
    assert row.filed_by.startswith("learner-link:") and row.statement == STATEMENT
    page = desk.get(link)
    with desk.services.database.read() as connection:
        actions = set(connection.execute(select(AuditEntry.action)).scalars())
    assert {"link.issued", "link.opened", "finding.appealed"} <= actions
    assert STATEMENT in page and "证明属实。" in page


def test_every_visit_is_on_record_once_whatever_the_address_says(desk: Desk, clock: Clock) -> None:
    link = given(desk)

    def visits() -> int:
        with desk.services.database.read() as connection:
            opened = select(AuditEntry.id).where(AuditEntry.action == "link.opened")
            return len(connection.execute(opened).all())

    assert "申诉已提交" not in desk.get(f"{link}?filed=1")
    assert visits() == 1
    desk.get(link)
    assert visits() == 1
    clock.now_ms += 2 * 3_600_000
    desk.get(link)
    assert visits() == 2


def test_a_refused_appeal_can_be_read_in_english(desk: Desk) -> None:
    link = given(desk)
    page = appeal(desk, link, "fast:fast_forward", "冤").text
    assert f'href="{link}?lang=en"' in page


def test_a_dead_link_says_what_to_do_and_leads_nowhere_else(desk: Desk) -> None:
    page = desk.client.get("/my/1-x")
    assert (
        page.status_code == 404
        and "索取新链接" in page.text
        and '<a class="button"' not in page.text
    )


def test_nobody_appeals_against_anothers_finding_nor_without_words(desk: Desk) -> None:
    link = given(desk)
    assert appeal(desk, link, "gap:popup_gap").status_code == 404
    short = appeal(desk, link, "fast:fast_forward", " 冤 ")
    assert short.status_code == 422 and "4至2000个字" in short.text


def test_appeals_are_counted_by_the_day(desk: Desk, clock: Clock) -> None:
    link = given(desk)
    for number in range(5):
        assert appeal(desk, link, "fast:fast_forward", f"{STATEMENT}{number}").status_code == 200
    assert appeal(desk, link, "fast:fast_forward", "再申诉一次").status_code == 429
    clock.now_ms += 86_400_001
    assert appeal(desk, link, "fast:fast_forward", "再申诉一次").status_code == 200


def test_what_is_only_a_statistic_is_not_told_to_the_learner(desk: Desk) -> None:
    link = given(desk)
    with desk.services.database.write() as connection:
        connection.execute(
            update(Finding)
            .where(Finding.id == desk.county.findings["fast:fast_forward"])
            .values(evidence="C-")
        )
    assert "视频播得太快" not in desk.get(link)
    assert appeal(desk, link, "fast:fast_forward").status_code == 404


def test_a_first_reviewers_opinion_does_not_reach_the_learner(desk: Desk) -> None:
    link = given(desk)
    with desk.services.database.write() as connection:
        connection.execute(update(Finding).values(needs_two_reviewers=True))
    desk.sign_in("zhao").decide("fast:fast_forward", "uphold", "初审意见：确系快进")
    desk.client.cookies.clear()
    page = desk.get(link)
    assert "初审" not in page and "人工复核中，还没有结论" in page
