"""Platforms and their keys, runs, and the face-data ledger: who sees what, and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import insert, update

from app.http.keyring import KeyRing
from models import Learner, LearnerKey, PhotoAccess, Run
from tests.console.conftest import Desk

NewDesk = Callable[[], Desk]


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("zhao", "/console/platforms/yunke", 200),
        ("zhao", "/console/platforms/zhixue", 404),  # no class of it in Huangchuan
        ("qian", "/console/platforms/yunke", 404),
        ("feng", "/console/platforms/yunke", 200),
        ("feng", "/console/platforms/zhixue", 404),
        ("root", "/console/platforms/zhixue", 200),
        ("zhao", "/console/face-data", 200),
        ("sun", "/console/face-data", 403),
        ("feng", "/console/face-data", 403),
        ("root", "/console/face-data", 200),
        ("feng", "/console/runs", 200),
    ],
)
def test_everyone_sees_what_is_theirs(desk: Desk, username: str, path: str, status: int) -> None:
    assert desk.sign_in(username).client.get(path).status_code == status


def test_the_list_of_platforms_ends_at_ones_counties(desk: Desk, new_desk: NewDesk) -> None:
    here = desk.sign_in("zhao").get("/console/platforms")
    assert "云课在线" in here and "智学网校" not in here
    assert "智学网校" in new_desk().sign_in("root").get("/console/platforms")


class TestKeys:
    def post(self, desk: Desk, path: str, **form: object) -> str:
        form |= {"csrf": desk.csrf("/console/platforms/yunke"), "reason": "合同到期"}
        return desk.client.post(f"/console/platforms/yunke/keys{path}", data=form).text

    def test_a_key_is_shown_once_and_opens_what_it_may(self, desk: Desk) -> None:
        page = self.post(desk.sign_in("root"), "", label="新平台", scope=["ingest", "read"])
        shown = re.search(r'<code class="secret[^>]*>(zx[^<]+)<', page)
        assert shown and shown[1] not in desk.get("/console/platforms/yunke")
        caller = KeyRing(desk.services.database, desk.services.clock, 0).caller(
            f"Bearer {shown[1]}"
        )
        assert caller.platform == desk.county.platforms[0]

    def test_a_rotated_key_goes_on_for_a_week_and_a_revoked_one_ends(self, desk: Desk) -> None:
        self.post(desk.sign_in("root"), "", label="旧", scope=["read"])
        assert "至" in self.post(desk, "/1/rotate")
        self.post(desk, "/2/revoke")
        assert "已吊销" in desk.get("/console/platforms/yunke")

    def test_a_key_without_a_scope_is_refused(self, desk: Desk) -> None:
        assert "至少选择一项权限" in self.post(desk.sign_in("root"), "", label="空")

    @pytest.mark.parametrize("username", ["zhao", "sun"])
    def test_nobody_of_the_authority_makes_keys_but_an_administrator(
        self, desk: Desk, username: str
    ) -> None:
        desk.sign_in(username)
        form = {"csrf": desk.csrf("/console"), "label": "偷", "scope": "admin"}
        answer = desk.client.post("/console/platforms/yunke/keys", data=form)
        assert answer.status_code == 403
        assert "偷" not in desk.get("/console/platforms/yunke")

    def test_a_platforms_people_make_keys_of_their_own_platform_alone(self, desk: Desk) -> None:
        desk.sign_in("feng")
        form = {"csrf": desk.csrf("/console"), "label": "回传", "scope": "ingest"}
        assert desk.client.post("/console/platforms/zhixue/keys", data=form).status_code == 404
        assert "回传" in desk.client.post("/console/platforms/yunke/keys", data=form).text


def test_runs_of_other_counties_are_not_listed(desk: Desk, new_desk: NewDesk) -> None:
    with desk.services.database.write() as connection:
        for klass in desk.county.classes.values():
            connection.execute(
                insert(Run).values(
                    kind="class",
                    class_id=klass,
                    requested_by="user:zhao",
                    state="running",
                    total=10,
                    done=4,
                    started_ms=desk.clock() - 4_000,
                    heartbeat_ms=desk.clock(),
                    summary={},
                )
            )
    page = desk.sign_in("zhao").get("/console/runs")
    assert "HC-2026-014" in page and "GS-2026-003" not in page
    assert "40.0%" in page and "约剩" in page
    assert "GS-2026-003" in new_desk().sign_in("qian").get("/console/runs")


def test_the_ledger_counts_persons_and_tells_what_was_destroyed_and_who_looked(desk: Desk) -> None:
    lin, wu = desk.county.learners["林静"], desk.county.learners["吴强"]
    with desk.services.database.write() as connection:
        connection.execute(
            insert(LearnerKey),
            [
                {"learner_id": lin, "wrapped": b"k", "created_ms": 1, "destroyed_ms": None},
                {"learner_id": wu, "wrapped": None, "created_ms": 1, "destroyed_ms": 2},
            ],
        )
        connection.execute(update(Learner).where(Learner.id == wu).values(face_consent=False))
        connection.execute(
            insert(PhotoAccess).values(
                at_ms=desk.clock(),
                user_id=1,
                snapshot_id=desk.county.snapshots["honest:0"],
                purpose="复核人脸比对结果",
            )
        )
    page = desk.sign_in("zhao").get("/console/face-data")
    assert re.search(r"现存人脸信息的自然人</dt><dd[^>]*>1 / 100,000", page)
    assert "已销毁" in page and "未同意" in page
    assert "赵明" in page.split("最近的查看")[1] and "林静" in page.split("最近的查看")[1]
    assert "何芳" not in page  # of another county
