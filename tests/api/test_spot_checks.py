"""核验一次: Zhao asks Lin's page for a face check at this moment, and reads what became of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.domain import notify
from app.domain.accounts import users
from app.domain.exchange import webhooks
from app.domain.review import spot_checks
from app.jobs import spot_checks as job
from app.jobs.face_worker import run_pending
from app.jobs.settler import settle_all
from app.services import Services
from models import AuditEntry, Session, WebhookDelivery
from tests.api.test_sessions_live import Lesson, lin
from tests.people import GUANGSHAN, HUANGCHUAN, County, training_class
from tests.verdicts import sign_in

__all__ = ["lin"]


class Board:
    """The live board in front of somebody."""

    def __init__(self, lesson: Lesson, services: Services) -> None:
        self.client, self.services = lesson.client, services
        self.here = sign_in(services, "zhao", HUANGCHUAN)

    def sitting(self) -> int:
        with self.services.database.read() as connection:
            return connection.execute(select(Session.id)).scalar_one()

    def asks(self, back: str = "/console/live") -> str:
        page = self.client.get("/console/account", headers=self.here).text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        path = f"/console/sessions/{self.sitting()}/spot-check"
        form = {"csrf": csrf, "back": back}
        answer = self.client.post(path, data=form, headers=self.here, follow_redirects=False)
        if answer.status_code != 303:
            return str(answer.text)
        return str(self.client.get(answer.headers["location"], headers=self.here).text)

    def says(self) -> str:
        """The state of the latest request."""
        page = self.client.get("/console/live", headers=self.here).text
        found = re.search(
            r'id="spot-checks".*?<span class="badge.*?</svg>\s*(\S+)</span>', page, re.S
        )
        return found[1] if found else ""


@pytest.fixture
def zhao(lin: Lesson, services: Services) -> Board:
    return Board(lin, services)


def studies(lin: Lesson, services: Services, beats: int = 2) -> None:
    for _ in range(beats):
        lin.play()
        run_pending(services)


@pytest.mark.both_databases
def test_lin_shows_the_face_when_zhao_asks_and_the_board_says_so(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    assert "face_check" not in lin.controls
    assert "等对方下次上报" in zhao.asks()
    lin.play()
    assert lin.controls["face_check"]["actions"] and "已向学员提出" in zhao.says()
    lin.play()
    assert "正在比对" in zhao.says()
    studies(lin, services, 4)
    assert "核验通过" in zhao.says()
    assert "十分钟内只能要求核验一次" in zhao.asks()
    lin.clock.advance(seconds=601)
    lin.play()
    assert "等对方下次上报" in zhao.asks()
    with services.database.read() as connection:
        asked = select(AuditEntry).where(AuditEntry.action == "spot_check.asked")
        kept = connection.execute(asked).all()
    assert [it.detail["learner"] for it in kept] == ["lin", "lin"]


def test_a_request_of_another_process_reaches_the_sitting_at_its_next_report(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    with services.database.write() as connection:
        user = users.named(connection, "zhao")
        spot_checks.ask(connection, user, zhao.sitting(), lin.clock())
    job.look(services)
    lin.play()
    assert "face_check" in lin.controls


def test_whoever_rests_is_not_called_back_until_something_plays(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    zhao.asks()
    rest(lin)
    assert "face_check" not in lin.controls and "在线但没有播放" in zhao.says()
    lin.play()
    assert "face_check" in lin.controls
    assert "已向学员提出" in zhao.says()


def rest(lin: Lesson, seconds: float = 10) -> None:
    """A beat without play."""
    lin.clock.advance(seconds=seconds)
    report(lin, lin.event("progress", position=lin.position_s, rate=1, visible=True, focused=True))


def says(lin: Lesson, code: str) -> None:
    """What the page reports of its camera."""
    report(lin, lin.event("error", code=code))


def report(lin: Lesson, event: dict[str, Any]) -> None:
    path = f"/v1/sessions/{lin.session}/events"
    answer = lin.client.post(path, json={"events": [event]}, headers=lin.county.huang.headers)
    lin.told(answer.json()["controls"])


def test_whoever_left_is_told_as_that_and_a_silent_page_too(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    zhao.asks()
    lin.clock.advance(seconds=121)
    assert "已断线" in zhao.says()
    headers = lin.county.huang.headers
    lin.client.post(f"/v1/sessions/{lin.session}/close", headers=headers)
    assert "学员已退出" in zhao.says()
    assert "不在线，没有提出核验" in zhao.asks()


def test_a_request_that_nobody_answers_accuses_nobody(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    zhao.asks()
    lin.answers = lambda: []  # type: ignore[method-assign]
    for _ in range(25):
        lin.play()
    assert "没有应答" in zhao.says()
    headers = lin.county.huang.headers
    lin.client.post(f"/v1/sessions/{lin.session}/close", headers=headers)
    settle_all(services)
    verdict: Any = lin.client.get(f"/v1/sessions/{lin.session}", headers=headers).json()["verdict"]
    mine = [it for it in verdict["findings"] if it["rule"] == "face_liveness"]
    assert {it["outcome"] for it in mine} <= {"clear"}


@pytest.mark.parametrize(
    ("code", "told"),
    [("camera_unavailable", "摄像头打不开"), ("camera_refused", "不同意使用摄像头")],
)
def test_a_page_without_a_camera_is_told_as_that_and_accuses_nobody(
    lin: Lesson, zhao: Board, services: Services, code: str, told: str
) -> None:
    lin.open()
    studies(lin, services, 5)
    zhao.asks()
    lin.photo = lambda *_: None  # type: ignore[method-assign]
    lin.play()
    says(lin, code)
    assert told in zhao.says()
    for _ in range(25):
        lin.play()
    assert told in zhao.says() and not accused(lin, services)
    assert told in zhao.says(), "also once the sitting's log is sealed"


def test_a_camera_that_failed_before_the_request_says_nothing_of_it(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    says(lin, "camera_unavailable")
    lin.clock.advance(seconds=20)
    zhao.asks()
    lin.play()
    assert "已向学员提出" in zhao.says()
    studies(lin, services, 4)
    assert "核验通过" in zhao.says()


def test_in_a_class_whose_rules_ask_for_no_face_a_check_that_is_not_answered_costs_nothing(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    terms = training_class(policy_id="aq-8011-2023")
    path = f"/v1/classes/{terms.pop('class_id')}"
    answer = lin.client.put(path, json=terms, headers=lin.county.huang.headers)
    assert answer.is_success, answer.text
    lin.open()
    studies(lin, services, 5)
    assert "等对方下次上报" in zhao.asks()
    lin.photo = lambda *_: None  # type: ignore[method-assign]
    for _ in range(25):
        lin.play()
    assert "没有应答" in zhao.says()
    lin.client.post(f"/v1/sessions/{lin.session}/close", headers=lin.county.huang.headers)
    settle_all(services)
    answer = lin.client.get(f"/v1/sessions/{lin.session}", headers=lin.county.huang.headers)
    verdict = answer.json()["verdict"]
    assert verdict["credited_ms"] == verdict["played_ms"] and not accused(lin, services)


def test_a_line_that_breaks_during_the_check_accuses_nobody(
    lin: Lesson, zhao: Board, services: Services
) -> None:
    lin.open()
    studies(lin, services, 5)
    zhao.asks()
    lin.play()
    lin.clock.advance(seconds=300)
    assert "已断线" in zhao.says()
    assert not accused(lin, services)


def accused(lin: Lesson, services: Services) -> set[tuple[str, str]]:
    """(rule, outcome) of what a sitting's verdict holds against the learner, at its end."""
    headers = lin.county.huang.headers
    lin.client.post(f"/v1/sessions/{lin.session}/close", headers=headers)
    settle_all(services)
    verdict: Any = lin.client.get(f"/v1/sessions/{lin.session}", headers=headers).json()["verdict"]
    found = {(it["rule"], it["outcome"]) for it in verdict["findings"]}
    return {it for it in found if it[1] != "clear"}


def test_who_may_not_ask_asks_nothing(lin: Lesson, zhao: Board, services: Services) -> None:
    lin.open()
    studies(lin, services)
    zhao.here = sign_in(services, "qian", GUANGSHAN)
    assert "此页不存在" in zhao.asks()
    zhao.here = sign_in(services, "luo", HUANGCHUAN, role="chief")
    zhao.asks()
    assert zhao.says() == ""


class TestWhereThePlatformRunsTheControls:
    @pytest.fixture(autouse=True)
    def of_the_platform(self, lin: Lesson) -> None:
        terms = training_class(controls="platform")
        path = f"/v1/classes/{terms.pop('class_id')}"
        answer = lin.client.put(path, json=terms, headers=lin.county.huang.headers)
        assert answer.is_success, answer.text

    def test_nothing_is_asked_where_nobody_listens(
        self, lin: Lesson, zhao: Board, services: Services
    ) -> None:
        lin.open()
        studies(lin, services)
        assert "平台没有登记接收核验要求的地址" in zhao.asks() and zhao.says() == ""

    def test_it_is_told_by_webhook_and_answers_under_the_name_it_was_given(
        self, lin: Lesson, zhao: Board, services: Services, county: County
    ) -> None:
        with services.database.write() as connection:
            webhooks.register(
                connection,
                services.vault,
                county.huang.platform.id,
                url="https://platform.example/hook",
                events=[notify.WebhookEvent.FACE_CHECK_REQUESTED],
                https_only=True,
                actor="user:admin",
                now_ms=lin.clock(),
            )
        lin.open()
        studies(lin, services)
        assert "等对方下次上报" in zhao.asks()
        with services.database.read() as connection:
            told = connection.execute(select(WebhookDelivery.payload)).scalar_one()["data"]
        assert told["session_id"] == lin.session and told["learner_id"] == "lin"
        named = told["challenge_id"]
        control = {"control": "face_check", "challenge_id": named, "issued_at_ms": lin.clock()}
        answer = lin.client.post(
            f"/v1/sessions/{lin.session}/controls",
            json={"controls": [control]},
            headers=county.huang.headers,
        )
        assert answer.is_success, answer.text
        assert "已向学员提出" in zhao.says()
        lin.photo(named, "challenge")
        studies(lin, services)
        assert "核验通过" in zhao.says()
