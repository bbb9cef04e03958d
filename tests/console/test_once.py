"""What is shown once: reloading the page makes nothing new and shows the secret no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from app.console.once import COOKIE, LASTS_MS
from models import ApiKey, LearnerLink, PhotoAccess, User
from tests.console.conftest import Clock, Desk

KEYS, USERS = "/console/platforms/yunke", "/console/users"


@dataclass
class Form:
    """A form whose answer tells something once, and what it makes."""

    who: str
    path: str
    makes: Any
    shows: str
    typed: dict[str, str] = field(default_factory=dict)

    def send(self, desk: Desk) -> Any:
        csrf = desk.sign_in(self.who).csrf("/console")
        path = self.path.format(klass=desk.county.classes["HC-2026-014"], **desk.county.learners)
        form = {"csrf": csrf, **self.typed}
        return desk.client.post(path, data=form, follow_redirects=False)

    def made(self, desk: Desk) -> int:
        with desk.services.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(self.makes)) or 0


FORMS = {
    "a key": Form(
        *("root", f"{KEYS}/keys", ApiKey, r'secret break">(zx_[^<]+)<'),
        {"label": "新平台", "scope": "read"},
    ),
    "a person": Form(
        *("root", USERS, User, r'class="secret">([^<]+)<'),
        {"username": "li", "display_name": "李新", "role": "admin", "reason": "新到岗的管理员"},
    ),
    "a new password": Form(
        *("root", f"{USERS}/zhao/password", User, r'class="secret">([^<]+)<'),
        {"reason": "本人忘记口令"},
    ),
    "a link": Form(
        *("zhao", "/console/classes/{klass}/learners/{吴强}/link", LearnerLink),
        r'href="https?://[^"]*/my/([^"]+)"',
    ),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


def test_a_form_leads_on_to_the_page_that_tells_it_and_a_reload_neither_repeats_nor_shows_it(
    desk: Desk, form: Form
) -> None:
    answer = form.send(desk)
    made = form.made(desk)
    assert answer.status_code == 303
    page = answer.headers["location"]
    told = re.search(form.shows, desk.get(page))
    assert told and told[1] not in answer.headers["set-cookie"]
    again = desk.get(page)
    assert told[1] not in again and not re.search(form.shows, again)
    assert form.made(desk) == made


def test_what_waits_to_be_told_is_for_one_page_one_login_and_one_minute(
    desk: Desk, new_desk: Callable[[], Desk], clock: Clock, form: Form
) -> None:
    page = form.send(desk).headers["location"]
    sealed = desk.client.cookies[COOKIE]
    other = new_desk().sign_in("sun" if form.who == "zhao" else "root")
    for path in (page, "/console/findings"):
        other.client.cookies.set(COOKIE, sealed)
        assert not re.search(form.shows, other.get(path))
    clock.now_ms += LASTS_MS + 1
    assert not re.search(form.shows, desk.get(page))


@pytest.mark.parametrize("cookie", ["x", "AAAA", "é", "x" * 400])
def test_a_forged_cookie_tells_nothing_and_breaks_nothing(desk: Desk, cookie: str) -> None:
    desk.sign_in("root")
    token = desk.client.cookies["zhenxue_session"]
    header = f"zhenxue_session={token}; {COOKIE}={cookie}".encode()
    answer = desk.client.get(USERS, headers={b"cookie": header})
    assert answer.status_code == 200 and "只显示这一次" not in answer.text


def test_a_look_at_a_photo_can_be_reloaded_and_stays_one_look(desk: Desk, clock: Clock) -> None:
    photo = f"/console/photos/{desk.county.snapshots['other:1']}"
    form = {"csrf": desk.sign_in("sun").csrf("/console"), "purpose": "复核人脸比对结果"}
    answer = desk.client.post(photo, data=form, follow_redirects=False)
    assert answer.status_code == 303
    page = answer.headers["location"]
    assert "本次查看已记录，用途：复核人脸比对结果" in desk.get(page)
    assert "本次查看已记录" in desk.get(page)
    with desk.services.database.read() as connection:
        assert len(connection.execute(select(PhotoAccess)).all()) == 1
    clock.now_ms += 11 * 60_000
    assert "查看前请说明用途" in desk.get(page), "after a while a purpose is asked for again"


def test_somebody_elses_look_opens_nothing(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    photo = f"/console/photos/{desk.county.snapshots['other:1']}"
    form = {"csrf": desk.sign_in("sun").csrf("/console"), "purpose": "复核人脸比对结果"}
    page = desk.client.post(photo, data=form, follow_redirects=False).headers["location"]
    assert "查看前请说明用途" in new_desk().sign_in("zhao").get(page)
