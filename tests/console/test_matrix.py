"""The matrix of a class: every cell leads to the sittings behind it; a full class stays light."""

from __future__ import annotations

import re

from sqlalchemy import insert, update

from app.canonical import canonical
from models import ClassHour, Verdict
from tests.bodies import class_hour
from tests.console import county as rows
from tests.console.conftest import Desk
from tests.console.county import NOW, PACK
from tests.console.stories import MINUTE

KLASS = "HC-2026-014"


def hour_of(desk: Desk, learner: str, number: int, klass: str = KLASS) -> str:
    ids = desk.county
    return f"/console/classes/{ids.classes[klass]}/learners/{ids.learners[learner]}/hours/{number}"


def judged(desk: Desk, enrolment: int, number: int, outcome: str, **body: object) -> None:
    with desk.services.database.write() as connection:
        connection.execute(
            insert(Verdict).values(
                subject_kind="class_hour",
                subject_id=enrolment,
                hour=number,
                class_id=desk.county.classes[KLASS],
                outcome=outcome,
                pack=PACK,
                pack_digest="0" * 64,
                facts_digest=bytes(32),
                body=canonical(class_hour(outcome=outcome, **body)),
                digest=bytes(32),
                created_ms=NOW,
            )
        )


class TestMatrix:
    def test_every_cell_leads_to_its_class_hour(self, desk: Desk) -> None:
        klass = desk.sign_in("zhao").county.classes[KLASS]
        page = desk.get(f"/console/classes/{klass}")
        cells = re.findall(r'<a class="hour [^>]*href="([^"]+)"', page)
        assert len(cells) == 3 * 3 and len(set(cells)) == 9
        for path in cells:
            desk.get(f"/console/classes/{path}")

    def test_a_cell_that_is_not_plainly_valid_tells_its_share(self, desk: Desk) -> None:
        judged(desk, 1, 1, "valid", coverage=1.0)
        judged(desk, 1, 2, "incomplete", coverage=0.355)
        page = desk.sign_in("zhao").get(f"/console/classes/{desk.county.classes[KLASS]}")
        assert 'title="第2课时 · 未学完 · 覆盖35.5%"' in page
        assert "第1课时 · 有效" not in page
        assert "有效 <b" in page and ">1</b>" in page

    def test_the_last_verdict_on_a_class_hour_counts(self, desk: Desk) -> None:
        judged(desk, 1, 1, "invalid", coverage=0.5)
        judged(desk, 1, 1, "valid", coverage=1.0)
        page = desk.sign_in("zhao").get(f"/console/classes/{desk.county.classes[KLASS]}")
        cells = page.split("<tbody>")[-1]
        assert "hour valid" in cells and "hour invalid" not in cells

    def test_a_full_class_is_light(self, desk: Desk) -> None:
        with desk.services.database.write() as connection:
            full = rows.full_class(connection, rows.County(desk.county.platforms), 80, 40)
        page = desk.sign_in("zhao").get(f"/console/classes/{full}")
        assert page.count('<a class="hour ') == 3_200
        assert len(page) < 400_000

    def test_a_class_without_learners_says_so(self, desk: Desk) -> None:
        with desk.services.database.write() as connection:
            empty = rows.full_class(connection, rows.County(desk.county.platforms), 0, 40)
        page = desk.sign_in("zhao").get(f"/console/classes/{empty}")
        assert "还没有学员" in page and "<table" not in page


class TestClassHour:
    def test_the_learners_page_leads_to_it_too(self, desk: Desk) -> None:
        ids = desk.sign_in("zhao").county
        page = desk.get(f"/console/classes/{ids.classes[KLASS]}/learners/{ids.learners['吴强']}")
        assert f'href="{hour_of(desk, "吴强", 1)}"' in page

    def test_it_shows_every_sitting_with_its_outcome_and_findings(self, desk: Desk) -> None:
        page = desk.sign_in("zhao").get(hour_of(desk, "吴强", 1))
        assert f"/console/sessions/{desk.county.sessions['fast']}" in page
        assert "无效" in page and "快进播放" in page
        assert f"/console/sessions/{desk.county.sessions['honest']}" not in page

    def test_one_that_nobody_sat_at_says_so(self, desk: Desk) -> None:
        page = desk.sign_in("zhao").get(hour_of(desk, "吴强", 2))
        assert "这一课时还没有学习会话" in page and "/console/sessions/" not in page

    def test_of_a_lesson_cut_into_several_only_sittings_that_played_it_are_shown(
        self, desk: Desk
    ) -> None:
        halves = [
            [{"lesson_id": 1, "start_ms": 0, "end_ms": 20 * MINUTE}],
            [{"lesson_id": 1, "start_ms": 20 * MINUTE, "end_ms": 45 * MINUTE}],
        ]
        with desk.services.database.write() as connection:
            for number, pieces in enumerate(halves, 1):
                connection.execute(
                    update(ClassHour)
                    .where(
                        ClassHour.class_id == desk.county.classes[KLASS],
                        ClassHour.number == number,
                    )
                    .values(pieces=pieces)
                )
        judged(desk, 1, 1, "valid", coverage=1.0, sessions=["s-honest"])
        judged(desk, 1, 2, "incomplete", coverage=0.0, sessions=[])
        sitting = f"/console/sessions/{desk.county.sessions['honest']}"
        desk.sign_in("zhao")
        assert sitting in desk.get(hour_of(desk, "林静", 1))
        assert sitting not in desk.get(hour_of(desk, "林静", 2))

    def test_none_is_there_beyond_the_plan_or_the_county(self, desk: Desk) -> None:
        desk.sign_in("zhao")
        for path in (
            hour_of(desk, "吴强", 4),
            hour_of(desk, "何芳", 1),
            hour_of(desk, "何芳", 1, "GS-2026-003"),
        ):
            assert desk.client.get(path).status_code == 404
