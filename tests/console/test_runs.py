"""A run's page: its classes, what failed and why, where it broke off, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.domain import runs
from models import Run, Session, Snapshot
from tests.console.conftest import Clock, Desk

NewDesk = Callable[[], Desk]
MINUTE = 60_000
DONE = {
    "sessions": 7,
    "settled": 0,
    "photos_compared": 0,
    "learners": 3,
    "verdicts_stored": 12,
    "new_findings": 2,
    "photos": {"checked": 21, "lost": 1},
    "outcomes": {"class": {"not_acceptable": 1}, "enrolment": {"eligible": 1, "ineligible": 2}},
    "standing": {"class": {"acceptable": 1}, "enrolment": {"eligible": 1, "pending": 2}},
    "seconds": {"judge": 0.25, "all": 0.31},
}


def enter(desk: Desk, **columns: Any) -> int:
    fresh = {
        "kind": "class",
        "requested_by": "user:sun",
        "state": "running",
        "total": 10,
        "done": 4,
        "started_ms": desk.clock() - 4_000,
        "heartbeat_ms": desk.clock(),
        "summary": {},
    }
    with desk.services.database.write() as connection:
        query = insert(Run).values(**(fresh | columns)).returning(Run.id)
        return int(connection.execute(query).scalar_one())


@pytest.fixture
def night(desk: Desk) -> int:
    """Three classes: one done, one failed over its memory, one of the other county done."""
    klass = desk.county.classes
    night = enter(
        desk,
        kind="nightly",
        requested_by="system:scheduler",
        state="done",
        total=3,
        done=3,
        finished_ms=desk.clock(),
        summary={
            "problems": ["faces"],
            "classes_failed": ["HC-2026-015"],
            "resumed": False,
            "seconds": {"classes": 3.5, "all": 4.0},
            **DONE,
            "sessions": 107,
        },
    )
    of_night = {"kind": "nightly", "requested_by": f"nightly:{night}", "finished_ms": desk.clock()}
    enter(desk, **of_night, class_id=klass["HC-2026-014"], state="done", summary=DONE)
    enter(
        desk,
        **of_night,
        class_id=klass["HC-2026-015"],
        state="failed",
        error="its worker died: exit code -9",
    )
    far = DONE | {"sessions": 100}
    enter(desk, **of_night, class_id=klass["GS-2026-003"], state="done", summary=far)
    return night


def test_a_night_shows_its_classes_and_leads_to_each(desk: Desk, night: int) -> None:
    page = desk.sign_in("zhao").get("/console/runs")
    assert f'href="/console/runs/{night}"' in page
    page = desk.get(f"/console/runs/{night}")
    assert "HC-2026-014" in page and "可受理" in page and "准予申请考核" in page
    assert "不接受考核申请" not in page.partition("<h2>班级")[2], (
        "nobody is refused before people say so"
    )
    assert "定时任务" in page and f'href="/console/runs/{night + 1}"' in page
    assert "规定不在有效期" in page.partition("<h2>班级")[2]


def test_a_failure_says_why_and_only_the_administrator_reads_the_program_s_words(
    desk: Desk, new_desk: NewDesk, night: int
) -> None:
    seen = desk.sign_in("zhao").get(f"/console/runs/{night}")
    assert "可能是内存不足" in seen and "exit code" not in seen
    assert "exit code -9" in new_desk().sign_in("root").get(f"/console/runs/{night}")


def test_nobody_sees_another_county_s_classes_nor_their_numbers(
    desk: Desk, new_desk: NewDesk, night: int
) -> None:
    here = desk.sign_in("zhao").get(f"/console/runs/{night}")
    assert "GS-2026-003" not in here and ">107<" not in here and ">7<" in here
    there = new_desk().sign_in("qian").get(f"/console/runs/{night}")
    assert "GS-2026-003" in there and "HC-2026" not in there and ">100<" in there
    assert ">107<" in new_desk().sign_in("root").get(f"/console/runs/{night}")
    platform = new_desk().sign_in("feng").get(f"/console/runs/{night}")
    assert "HC-2026-014" in platform and "GS-2026-003" not in platform


@pytest.mark.parametrize(
    ("username", "status"),
    [("zhao", 404), ("sun", 404), ("feng", 404), ("qian", 200), ("root", 200)],
)
def test_a_class_s_run_is_found_only_by_those_who_see_the_class(
    desk: Desk, night: int, username: str, status: int
) -> None:
    assert desk.sign_in(username).client.get(f"/console/runs/{night + 3}").status_code == status


@pytest.mark.parametrize("path", ["/console/runs/0", "/console/runs/99999", "/console/runs/x"])
def test_there_is_no_other_run(desk: Desk, path: str) -> None:
    assert desk.sign_in("root").client.get(path).status_code == 404


def test_classes_are_filtered_by_state_and_paged(desk: Desk, night: int) -> None:
    for _ in range(60):
        enter(
            desk,
            kind="nightly",
            requested_by=f"nightly:{night}",
            class_id=desk.county.classes["HC-2026-014"],
            state="queued",
        )
    desk.sign_in("zhao")
    waiting = desk.get(f"/console/runs/{night}?state=queued")
    assert waiting.count("等待校验") >= 50 and 'rel="next"' in waiting
    last = desk.get(f"/console/runs/{night}?state=queued&after={night + 53}")
    assert 'rel="next"' not in last and "回到第一页" in last


def test_a_run_under_way_tells_rate_and_time_left_and_looks_again(desk: Desk) -> None:
    run_id = enter(desk, class_id=desk.county.classes["HC-2026-014"])
    page = desk.sign_in("zhao").get(f"/console/runs/{run_id}")
    assert "40.0%" in page and "每秒1步" in page and "约剩" in page
    assert "data-running" in page and "progress" in page


def test_the_bureau_reads_who_asked_and_a_platform_does_not(desk: Desk, new_desk: NewDesk) -> None:
    run_id = enter(desk, class_id=desk.county.classes["HC-2026-014"])
    for path in ("/console/runs", f"/console/runs/{run_id}"):
        assert "孙丽" in new_desk().sign_in("zhao").get(path)
        theirs = new_desk().sign_in("feng").get(path)
        assert "孙丽" not in theirs and "user:sun" not in theirs


def test_a_run_that_fell_silent_is_told_apart(desk: Desk, clock: Clock) -> None:
    run_id = enter(desk, class_id=desk.county.classes["HC-2026-014"])
    clock.now_ms += runs.SILENT_MS + 1
    assert "中断，等待续做" in desk.sign_in("zhao").get(f"/console/runs/{run_id}")


def test_a_resumed_night_says_when_it_broke_off_who_went_on_and_what_was_done(
    desk: Desk, clock: Clock
) -> None:
    night = enter(desk, kind="nightly", requested_by="system:scheduler", heartbeat_ms=clock())
    clock.now_ms += 60 * MINUTE
    with desk.services.database.write() as connection:
        assert runs.begin_night(connection, "system:cli", clock()) == (night, True)
        connection.execute(
            update(Run).where(Run.id == night).values(done=7, heartbeat_ms=clock() + MINUTE)
        )
        runs.lock_night(connection, "me", clock() + MINUTE)
    clock.now_ms += MINUTE
    page = desk.sign_in("zhao").get(f"/console/runs/{night}")
    assert "当时完成4 / 10" in page and "由运维人员（命令行）续做" in page
    assert "每分钟3个班级" in page, "the hour that it lay idle is not counted"
    assert "约剩1分钟" in page
    with desk.services.database.write() as connection:
        runs.finish(connection, night, DONE | {"steps": 10, "problems": []}, clock())
    assert "当时完成4 / 10" in desk.get(f"/console/runs/{night}")
    assert "曾中断，已续做" in desk.get("/console/runs")


def test_the_class_says_that_photos_wait_as_its_run_does(desk: Desk) -> None:
    """Whoever looks only at the class reads why its hours are not proven yet."""
    desk.sign_in("zhao")
    class_id = desk.county.classes["HC-2026-014"]
    sentence = "张照片等待比对，所在的学习暂记为未能证实，比对后会自动重算。"
    assert sentence not in desk.get(f"/console/classes/{class_id}")
    with desk.services.database.write() as connection:
        its = select(Session.id).where(Session.class_id == class_id)
        mine = update(Snapshot).where(Snapshot.session_id.in_(its))
        waiting = connection.execute(mine.values(status="pending")).rowcount
    assert waiting
    assert f"还有{waiting}{sentence}" in desk.get(f"/console/classes/{class_id}")
