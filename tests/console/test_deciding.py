"""Deciding findings: with a reason, by whom it concerns, and by two where two are needed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, select

from models import AuditEntry, Finding, Review
from tests.console.conftest import Desk

FAST, FACE = "fast:fast_forward", "other:face_liveness"


def status_of(desk: Desk, finding: str) -> str:
    with desk.services.database.read() as connection:
        query = select(Finding.status).where(Finding.id == desk.county.findings[finding])
        return connection.scalars(query).one()


def test_zhao_upholds_and_is_led_on(desk: Desk) -> None:
    page = desk.sign_in("zhao").decide(FAST, "uphold")
    assert status_of(desk, FAST) == "upheld"
    assert "决定已记录" in page.text and "data-next" in page.text


def test_a_decision_takes_effect_and_a_refused_one_does_not(desk: Desk) -> None:
    desk.sign_in("zhao").decide(FAST, "uphold", "短")
    assert desk.followed == []
    desk.decide(FAST, "uphold")
    assert desk.followed == [desk.county.findings[FAST]]


def test_a_decision_is_a_row_and_an_entry_in_the_log(desk: Desk) -> None:
    desk.sign_in("zhao").decide(FAST, "overturn", "  网络中断所致  ")
    with desk.services.database.read() as connection:
        review = connection.execute(select(Review)).one()
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (review.stage, review.decision, review.reason) == ("first", "overturn", "网络中断所致")
    assert (entry.actor, entry.action) == ("user:zhao", "finding.overturn")
    assert entry.detail["status"] == "overturned"


def test_what_was_typed_is_kept_when_the_reason_is_missing(desk: Desk) -> None:
    page = desk.sign_in("zhao").decide(FAST, "uphold", "短")
    assert page.status_code == 422
    assert "请写明理由" in page.text and ">短</textarea>" in page.text
    assert status_of(desk, FAST) == "open"


def test_an_unknown_decision_changes_nothing(desk: Desk) -> None:
    assert desk.sign_in("zhao").decide(FAST, "forgive").status_code == 422
    assert status_of(desk, FAST) == "open"


def test_a_settled_finding_stays_settled(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    desk.sign_in("zhao").decide(FAST, "uphold")
    assert new_desk().sign_in("sun").decide(FAST, "overturn").status_code == 422
    assert status_of(desk, FAST) == "upheld"


def test_nothing_is_called_a_violation_before_somebody_upheld_it(desk: Desk) -> None:
    number = desk.county.findings[FAST]

    def card() -> str:
        page = desk.get(f"/console/findings/{number}")
        return page.partition(f'id="finding-{number}">')[2].partition("</header>")[0]

    desk.sign_in("zhao")
    assert "疑似违规" in card() and ">违规" not in card()
    desk.decide(FAST, "uphold")
    assert "疑似违规" not in card() and ">违规" in card()


def test_asking_for_more_leaves_it_open(desk: Desk) -> None:
    desk.sign_in("zhao").decide(FAST, "need_more", "请平台提供日志")
    assert status_of(desk, FAST) == "open"
    assert "请平台提供日志" in desk.get(f"/console/sessions/{desk.county.sessions['fast']}")


def test_viewers_and_admins_decide_nothing(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    for username in ("feng", "root"):
        assert new_desk().sign_in(username).decide(FAST, "uphold").status_code == 403
    assert status_of(desk, FAST) == "open"


def test_another_county_finds_nothing_to_decide(desk: Desk) -> None:
    assert desk.sign_in("qian").decide(FAST, "uphold").status_code == 404


def test_one_person_cannot_be_both(desk: Desk) -> None:
    desk.sign_in("zhao").decide(FACE, "uphold")
    assert status_of(desk, FACE) == "first_review"
    again = desk.decide(FACE, "uphold")
    assert again.status_code == 422 and "须由另一人复核" in again.text
    assert status_of(desk, FACE) == "first_review"


def test_the_second_does_not_see_the_first_before_deciding(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk.sign_in("zhao").decide(FACE, "uphold", "两张照片明显不是同一人")
    page = f"/console/sessions/{desk.county.sessions['other']}"
    assert "两张照片明显不是同一人" in desk.get(page)
    sun = new_desk().sign_in("sun")
    seen = sun.get(page)
    assert "两张照片明显不是同一人" not in seen and "赵明" in seen
    sun.decide(FACE, "uphold", "同意，不是本人")
    assert status_of(desk, FACE) == "upheld"
    assert "两张照片明显不是同一人" in sun.get(page)


def test_two_who_disagree_settle_nothing_until_they_agree(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk.sign_in("zhao").decide(FACE, "uphold")
    sun = new_desk().sign_in("sun")
    sun.decide(FACE, "overturn")
    assert status_of(desk, FACE) == "first_review"
    desk.decide(FACE, "overturn", "再看照片，确为本人")
    assert status_of(desk, FACE) == "overturned"


def test_rules_on_trial_are_neither_shown_nor_decided(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    page = f"/console/sessions/{desk.county.sessions['far']}"
    assert "单日学习时间过长" not in desk.sign_in("qian").get(page)
    assert desk.decide("far:marathon", "uphold").status_code == 404
    assert "单日学习时间过长" in new_desk().sign_in("root").get(page)


def test_of_many_findings_on_a_sitting_the_first_forms_are_open_and_the_others_folded(
    desk: Desk,
) -> None:
    with desk.services.database.write() as connection:
        one = connection.execute(
            select(Finding).where(Finding.id == desk.county.findings[FAST])
        ).mappings()
        row = dict(one.one())
        del row["id"], row["weight"]  # the database's own
        rows = [row | {"key": f"more-{number}"} for number in range(8)]
        connection.execute(insert(Finding), rows)
    page = desk.sign_in("zhao").get(f"/console/sessions/{desk.county.sessions['fast']}")
    forms = page.count('class="decide"')
    assert forms == 10 and page.count("<summary>作出决定</summary>") == forms - 3
    assert "另有6条，见下方" in page
