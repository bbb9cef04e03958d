"""The queue with thousands of findings: filters, counts, and pages cut by key."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from models import Finding, TrainingClass
from tests.console.conftest import Clock, Desk, application, services_in, settle

MANY = 5_000


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Zhao at a desk with thousands of findings."""
    folder: Path = tmp_path_factory.mktemp("busy")
    clock = Clock()
    services = services_in(folder, clock)
    county = settle(services, crowd=MANY)
    yield Desk(TestClient(application(services)), county, services, clock, []).sign_in("zhao")
    services.stop()


def findings_on(page: str) -> list[int]:
    return [int(it) for it in re.findall(r"/console/findings/(\d+)[\"?]", page)]


def following(page: str) -> str | None:
    found = re.search(r'href="([^"]+)" rel="next"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("order", ["grave", "likely", "old", "new"])
def test_paging_shows_every_finding_once(busy: Desk, order: str) -> None:
    path: str | None = f"/console/findings?rule=popup_gap&order={order}"
    seen: list[int] = []
    while path:
        page = busy.get(path)
        seen += findings_on(page)
        path = following(page)
    assert len(seen) == len(set(seen)) == sum(i % 6 == 2 for i in range(MANY)) + 2


def test_two_persons_matters_come_first_and_after_them_violations(busy: Desk) -> None:
    seen, path = [], "/console/findings"
    for _ in range(20):
        page = busy.get(path)
        rows = page.split("<tbody")[1].split("</tbody>")[0].split("<tr ")[1:]
        seen += [
            "two" if "需两人" in it else re.search(r"疑似违规|存疑|未能证实", it)[0] for it in rows
        ]
        path = following(page)
    order = ["two", "疑似违规", "存疑"]
    assert set(seen) >= {"two", "疑似违规"} and seen == sorted(seen, key=order.index)


def test_a_count_beside_a_filter_is_what_the_filter_shows(busy: Desk) -> None:
    page = busy.get("/console/findings?outcome=review")
    link = re.search(
        r'href="([^"]+)">\s*<span>多窗口学习</span><span class="number">([\d,]+)', page
    )
    assert link
    shown = busy.get(link[1].replace("&amp;", "&"))
    assert re.search(rf'<h1>[^<]*<span class="count number">{link[2]}</span>', shown)


def test_filters_that_leave_nothing_to_choose_are_not_headed(busy: Desk) -> None:
    page = busy.get("/console/findings?q=nobody")
    assert "<h2>处理状态</h2>" in page and "<h2>责任方</h2>" not in page


def test_a_name_is_found(busy: Desk) -> None:
    page = busy.get("/console/findings?q=阿卜杜")
    assert len(set(findings_on(page))) == 1


@pytest.mark.parametrize(
    "path", ["/console", "/console/findings", "/console/classes/4", "/console/classes"]
)
def test_pages_stay_quick(busy: Desk, path: str) -> None:
    """In processor time, because test machines are busy; benchmarks measure properly."""
    busy.get(path)
    begun = time.process_time()
    busy.get(path)
    assert time.process_time() - begun < 1.0


class TestGravity:
    """Which of two findings comes first, all else being alike."""

    LIGHT, GRAVE = "gap:popup_gap", "fast:popup_gap"
    ALIKE: ClassVar = {
        "rule": "popup_gap",
        "outcome": "violation",
        "fault": "learner",
        "evidence": "S",
        "status": "open",
        "needs_two_reviewers": False,
    }

    def first_two(
        self, desk: Desk, light: dict[str, Any], grave: dict[str, Any], order: str = ""
    ) -> None:
        """The grave one is the younger, so that age alone would put it last."""
        names = (self.GRAVE, self.LIGHT)
        ids = [desk.county.findings[name] for name in names]
        late, early = max(ids), min(ids)
        with desk.services.database.write() as connection:
            others = update(Finding).where(Finding.id.not_in(ids)).values(status="gone")
            connection.execute(others)
            for finding, changes in ((early, light), (late, grave)):
                values = self.ALIKE | changes
                connection.execute(update(Finding).where(Finding.id == finding).values(**values))
        page = desk.sign_in("zhao").get(f"/console/findings?status=all{order}")
        assert findings_on(page) == [late, early]
        assert order or "重要的在前：" in page

    @pytest.mark.parametrize(
        ("light", "grave"),
        [
            ({"needs_two_reviewers": True}, {"needs_two_reviewers": True, "learner_id": None}),
            ({}, {"needs_two_reviewers": True, "outcome": "review"}),
            ({"outcome": "review"}, {}),
            ({"outcome": "not_proven"}, {"outcome": "review", "evidence": "C-"}),
            ({"rule": "lesson_order"}, {"rule": "popup_gap"}),
            ({"rule": "popup_gap"}, {"rule": "fast_forward"}),
            ({"rule": "fast_forward"}, {"rule": "face_liveness"}),
            ({"outcome": "review", "evidence": "C+"}, {"outcome": "review"}),
            ({"status": "upheld", "rule": "face_liveness"}, {"outcome": "not_proven"}),
        ],
        ids=[
            "the whole class before one learner",
            "what two must confirm before what one may decide",
            "a violation before a suspicion",
            "a suspicion before what is not proven",
            "a missing pop-up before the order of lessons",
            "fast play before a missing pop-up",
            "somebody else before fast play",
            "the server's evidence before the client's",
            "what waits before what is decided",
        ],
    )
    def test_comes_first(self, desk: Desk, light: dict[str, Any], grave: dict[str, Any]) -> None:
        self.first_two(desk, light, grave)

    @pytest.mark.parametrize("order", ["", "&order=likely"])
    @pytest.mark.parametrize(
        ("nearer", "further"),
        [
            (("near_threshold", 0.40, 0.35), ("near_threshold", 0.36, 0.25)),
            (("near_threshold", 0.60, 0.25), ("other_person", 0.55, 0.53)),
            (("single_mismatch", 0.55, 0.53), ("other_person", 0.76, 0.53)),
        ],
        ids=["further beyond, though nearer in all", "a mismatch before a doubt", "of mismatches"],
    )
    def test_the_likelier_somebody_else_comes_first(
        self, desk: Desk, nearer: Any, further: Any, order: str
    ) -> None:
        def face(reason: str, measured: float, limit: float) -> dict[str, Any]:
            body = {"unit": "distance", "measured": measured, "limit": limit}
            whole = {**self.a_body(desk), **body}
            return {"rule": "face_liveness", "reason": reason, "outcome": "review", "body": whole}

        self.first_two(desk, face(*nearer), face(*further), order)

    def a_body(self, desk: Desk) -> dict[str, Any]:
        with desk.services.database.read() as connection:
            found: dict[str, Any] = connection.scalars(select(Finding.body)).first()
        return found

    def test_more_subsidy_comes_first(self, desk: Desk) -> None:
        ids = desk.county.classes
        with desk.services.database.write() as connection:
            for name, yuan in (("HC-2026-014", 800), ("HC-2026-015", 1200)):
                connection.execute(
                    update(TrainingClass)
                    .where(TrainingClass.id == ids[name])
                    .values(terms={"subsidy_yuan": yuan})
                )
        self.first_two(desk, {}, {"class_id": ids["HC-2026-015"]})

    def test_what_i_decided_and_another_must_confirm_comes_later(
        self, desk: Desk, new_desk: Callable[[], Desk]
    ) -> None:
        two = {"needs_two_reviewers": True, "rule": "face_liveness"}
        self.first_two(desk, {}, two)
        desk.decide("gap:popup_gap", "uphold")
        mine = findings_on(desk.get("/console/findings"))
        hers = findings_on(new_desk().sign_in("sun").get("/console/findings"))
        assert len(mine) == 2 and hers == mine[::-1]


def test_what_concerns_a_class_is_told_apart_from_what_concerns_a_learner(desk: Desk) -> None:
    whole = desk.county.findings["gap:popup_gap"]
    with desk.services.database.write() as connection:
        values = {"learner_id": None, "session_id": None}
        connection.execute(update(Finding).where(Finding.id == whole).values(**values))
    page = desk.sign_in("zhao").get("/console/findings")
    link = re.search(r'href="([^"]+)">\s*<span>班级与平台</span><span class="number">(\d+)', page)
    assert link and link[2] == "1"
    of_class = desk.get(link[1])
    assert findings_on(of_class) == [whole] and '"tag">全班' in of_class
    of_learners = desk.get("/console/findings?about=learner")
    assert whole not in findings_on(of_learners) and '"tag">全班' not in of_learners
