"""Signed lists, and their corrections, are told to platform and school: once, and without names."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, update

from app.db import Database
from app.domain import notify
from app.domain.accounts import users
from app.domain.exchange import webhooks
from app.domain.review import notices, sign_off
from app.domain.review.sign_off import Submission
from app.services import Services
from app.store.review import notices as outbox
from models import Institution, TrainingClass, WebhookDelivery
from tests.console import county as rows
from tests.console.county import NOW

REASON = "申诉成立，何芳改列准予名单"
BOTH = ["lists.signed", "lists.corrected"]
SCHOOL, OTHER = "示例培训学校", "另一所学校"


class Desk(NamedTuple):
    services: Services
    county: rows.County
    people: dict[str, users.User]

    def signs(self, digest: str, reason: str = "", at_ms: int = NOW) -> None:
        """Zhao submits the lists of the first class, and Sun signs them."""
        klass, vault = self.county.classes["HC-2026-014"], self.services.vault
        made = Submission(digest, {"eligible": 1, "ineligible": 2, "pending": 0}, b"[]")
        with self.services.database.write() as connection:
            zhao, sun = self.people["zhao"], self.people["sun"]
            sign_off.submit(connection, vault, klass, zhao, made, reason, at_ms)
            sign_off.sign(connection, klass, sun, digest, at_ms)

    def told(self) -> list[dict[str, Any]]:
        """What the webhook's outbox holds, in order."""
        with self.services.database.read() as connection:
            query = select(WebhookDelivery.payload).order_by(WebhookDelivery.id)
            return list(connection.scalars(query))

    def waiting(self, who: str, since_ms: int = NOW) -> dict[str, int]:
        with self.services.database.read() as connection:
            found = notices.waiting(connection, self.people[who], since_ms, NOW)
            return {str(it): count for it, count in found.items() if it.startswith("lists_")}


@pytest.fixture
def desk(services: Services, database: Database) -> Desk:
    with database.write() as connection:
        county = rows.build(connection)
        schools = []
        for name, code in ((SCHOOL, "ms"), (OTHER, "ot")):
            kept = {"name": name, "county": rows.HERE, "code": code}
            schools.append(rows.add(connection, Institution, **kept))
        mine = TrainingClass.id == county.classes["HC-2026-014"]
        connection.execute(update(TrainingClass).where(mine).values(institution_id=schools[0]))
        for username, school in zip(("cheng", "du"), schools, strict=True):
            users.add_user(
                connection,
                username=username,
                display_name=username,
                password=rows.PASSWORD,
                role="school",
                counties=[],
                institution=school,
                actor="system",
                now_ms=NOW,
            )
        for platform, events in ((0, BOTH), (0, ["finding.opened"]), (1, BOTH)):
            webhooks.register(
                connection,
                services.vault,
                county.platforms[platform],
                url="listen:",
                events=events,
                https_only=False,
                actor="system",
                now_ms=NOW,
            )
        names = ("zhao", "sun", "feng", "luo", "cheng", "du")
        found = [users.check_password(connection, it, rows.PASSWORD) for it in names]
    return Desk(services, county, {it.username: it for it in found if it is not None})


def test_the_platform_is_told_what_was_signed_and_what_to_do(desk: Desk) -> None:
    desk.signs("a" * 64)
    (message,) = desk.told()
    assert message["type"] == "lists.signed"
    data = message["data"]
    (advice,) = data.pop("what_to_do")
    assert advice["code"] == "take_lists" and "考核" in advice["zh"] and advice["en"]
    assert data == {
        "class_id": "HC-2026-014",
        "number": 0,
        "lists_sha256": "a" * 64,
        "counts": {"eligible": 1, "ineligible": 2, "pending": 0},
        "signed_at_ms": NOW,
    }


def test_a_correction_is_numbered_and_tells_no_reason_in_which_somebody_is_named(
    desk: Desk,
) -> None:
    desk.signs("a" * 64)
    desk.signs("b" * 64, REASON, NOW + 1)
    desk.signs("c" * 64, REASON, NOW + 2)
    types = [(it["type"], it["data"]["number"]) for it in desk.told()]
    assert types == [("lists.signed", 0), ("lists.corrected", 1), ("lists.corrected", 2)]
    assert desk.told()[1]["data"]["what_to_do"][0]["code"] == "take_corrected_lists"
    said = json.dumps(desk.told(), ensure_ascii=False)
    assert not [it for it in ("何芳", "赵明", "孙丽", "申诉成立") if it in said]


def test_nothing_is_told_of_what_only_waits_or_was_sent_back(desk: Desk) -> None:
    klass, vault = desk.county.classes["HC-2026-014"], desk.services.vault
    made = Submission("a" * 64, {"eligible": 1, "ineligible": 0, "pending": 0}, b"[]")
    with desk.services.database.write() as connection:
        sign_off.submit(connection, vault, klass, desk.people["zhao"], made, "", NOW)
        sign_off.withdraw(connection, klass, desk.people["sun"], "还有一人未定", NOW)
    assert desk.told() == [] and set(desk.waiting("cheng").values()) == {0}


def test_people_of_the_platform_and_of_the_school_have_it_among_their_notices(desk: Desk) -> None:
    nothing = {"lists_signed": 0, "lists_corrected": 0}
    assert desk.waiting("feng") == desk.waiting("cheng") == nothing
    desk.signs("a" * 64)
    assert desk.waiting("feng") == desk.waiting("cheng") == nothing | {"lists_signed": 1}
    desk.signs("b" * 64, REASON, NOW + 1)
    desk.signs("c" * 64, REASON, NOW + 2)
    both = {"lists_signed": 1, "lists_corrected": 1}
    assert desk.waiting("feng") == desk.waiting("cheng") == both
    assert desk.waiting("cheng", NOW + 1) == {"lists_signed": 0, "lists_corrected": 1}
    assert desk.waiting("du") == nothing, "another school's"
    assert desk.waiting("luo") == desk.waiting("zhao") == {}, "who signs knows"


def test_the_notice_leads_to_the_classes_and_says_what_to_do(desk: Desk) -> None:
    desk.signs("a" * 64)
    desk.signs("b" * 64, REASON, NOW + 1)
    with desk.services.database.write() as connection:
        ways = notices.NoticeWays(email="cheng@school.example")
        kinds = frozenset({"lists_signed", "lists_corrected"})
        plan = notices.NoticePlan(kinds, daily=False, ways=ways)
        vault, cheng = desk.services.vault, desk.people["cheng"]
        notices.choose(connection, vault, cheng, plan, (), NOW)
        notices.tell(connection, vault, cheng, "https://county.example", NOW)
        due = outbox.due(connection, NOW, 10)
    said = "\n".join(it.body for it in due)
    assert "有1个班的名单已签发" in said and "有1个班已签发的名单作了更正" in said
    assert "https://county.example/console/classes" in said and "何芳" not in said


def test_every_event_has_words_in_both_languages() -> None:
    assert set(notify.LABELS) == set(notify.WebhookEvent)
