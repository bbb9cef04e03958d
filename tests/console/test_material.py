"""What a case lacks is asked of a platform or a learner, who answer where they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app.domain.review import learner_link
from models import AuditEntry, Enrolment, Finding
from tests.console.conftest import Desk
from tests.console.test_cases import FOUR, one_case, post
from tests.evidence import picture

NewDesk = Callable[[], Desk]
WANTED = "请提供4月8日晚间的原始播放日志。"


def ask(desk: Desk, case: int, kind: str = "platform", **form: Any) -> Any:
    page = desk.get(f"/console/cases/{case}")
    who = re.search(rf'<option value="({kind}:\d+)"', page)
    assert who, kind
    form = {"addressee": who[1], "wanted": WANTED, "due_on": "2026-04-12", **form}
    return post(desk, f"{case}/requests", **form)


def queued(desk: Desk, case: int, state: str = "") -> bool:
    return f"/console/cases/{case}" in desk.get(f"/console/cases?state={state}")


def answer(desk: Desk, number: int, words: str = "日志见附件。", **files: Any) -> Any:
    form = {"csrf": desk.csrf("/console/requests"), "answer": words}
    return desk.client.post(f"/console/requests/{number}", data=form, **files)


def kept_files(desk: Desk) -> int:
    blobs = desk.services.settings.data_dir / "blobs"
    return sum(it.is_file() for it in blobs.rglob("cases/**/*"))


def test_a_platform_answers_in_its_inbox_and_the_case_comes_back(
    desk: Desk, new_desk: NewDesk
) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    assert "待补材料" in ask(desk, case).text
    assert not queued(desk, case) and queued(desk, case, "material")
    feng = new_desk().sign_in("feng")
    page = feng.get("/console/requests")
    assert WANTED in page and "赵明" not in page
    assert "已提交" in answer(feng, 1, files={"file": ("日志.png", picture(0))}).text
    assert queued(desk, case)
    told = desk.get(f"/console/cases/{case}")
    assert "日志见附件。" in told and "日志.png" in told
    assert answer(feng, 1).status_code == 422


def test_what_is_not_answered_in_time_is_back_in_the_queue(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    ask(desk, case)
    feng = new_desk().sign_in("feng")
    assert "请尽快提交" not in feng.get("/console/requests")
    post(desk, f"{case}/requests/1", act="remind")
    assert "请尽快提交" in feng.get("/console/requests")
    desk.clock.now_ms += 5 * 86_400_000
    assert queued(desk.sign_in("zhao"), case)


def test_a_request_that_is_withdrawn_asks_nobody_any_more(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    ask(desk, case)
    post(desk, f"{case}/requests/1", act="withdraw")
    assert queued(desk, case)
    assert WANTED not in new_desk().sign_in("feng").get("/console/requests")


def test_a_learner_answers_on_the_page_of_their_own_link(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, "fast:fast_forward")
    with desk.services.database.write() as connection:
        asked = connection.execute(select(Finding).where(Finding.id == ids[0])).one()
        enrolled = connection.scalar(
            select(Enrolment.id).where(
                Enrolment.class_id == asked.class_id, Enrolment.learner_id == asked.learner_id
            )
        )
        assert enrolled is not None
        by: dict[str, Any] = {"actor": "user:zhao", "days": 30, "now_ms": desk.clock()}
        link = learner_link.issue(
            connection, desk.services.vault, asked.class_id, asked.learner_id, **by
        )
    ask(desk, case, "enrolment", wanted="请说明当晚是谁在学习。")
    assert "请说明当晚是谁在学习。" in desk.get(link.path)
    refused = desk.client.post(f"{link.path}/requests/1", data={"answer": "我"})
    assert refused.status_code == 422 and ">我</textarea>" in refused.text
    film = {"file": ("当晚.png", picture(0) + bytes(11 * 2**20))}
    refused = desk.client.post(f"{link.path}/requests/1", data={"answer": "见照片"}, files=film)
    assert refused.status_code == 422 and ">见照片</textarea>" in refused.text
    script = {"file": ("当晚.png", b"<script>alert(1)</script>")}
    refused = desk.client.post(f"{link.path}/requests/1", data={"answer": "见照片"}, files=script)
    assert refused.status_code == 422 and ">见照片</textarea>" in refused.text
    photo = {"file": ("当晚.png", picture(0))}
    refused = desk.client.post(f"{link.path}/requests/1", data={"answer": "我"}, files=photo)
    assert refused.status_code == 422 and kept_files(desk) == 0
    done = desk.client.post(f"{link.path}/requests/1", data={"answer": "当晚是我本人。"})
    assert "您已提交" in done.text
    assert "当晚是我本人。" in desk.get(f"/console/cases/{case}")
    assert desk.client.post(f"{link.path}/requests/2", data={"answer": "别的"}).status_code == 404


def test_nobody_but_who_is_asked_answers(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    assert ask(desk, case, addressee="platform:2").status_code == 422
    assert ask(desk, case, wanted="短").status_code == 422
    assert ask(desk, case, due_on="2027-01-01").status_code == 422
    ask(desk, case)
    assert answer(desk, 1).status_code == 403
    assert post(new_desk().sign_in("qian"), f"{case}/requests/1", act="remind").status_code == 404
    with desk.services.database.read() as connection:
        deeds = select(AuditEntry.action).where(AuditEntry.action.startswith("material."))
        assert connection.scalars(deeds).all() == ["material.asked"]
