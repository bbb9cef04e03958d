"""One's own account: changing one's password."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.console.throttle import PER_NAME_AND_ADDRESS, WINDOW_MS
from app.store.accounts import audit
from tests.console.conftest import Clock, Desk
from tests.console.county import PASSWORD

NEW = "another-horse-8"


def change(desk: Desk, current: str = PASSWORD, new: str = NEW, again: str | None = None):
    form = {"current": current, "password": new, "again": new if again is None else again}
    return desk.client.post(
        "/console/account/password", data={"csrf": desk.csrf("/console/account"), **form}
    )


def signs_in(desk: Desk, password: str) -> bool:
    form = {"username": "zhao", "password": password, "csrf": desk.csrf("/console/login")}
    answer = desk.client.post("/console/login", data=form, follow_redirects=False)
    return answer.status_code == 303


def logged(desk: Desk, size: int) -> list[tuple[str, str, str]]:
    with desk.services.database.read() as connection:
        rows = audit.page(connection, before=None, size=size)
    return [(row.actor, row.action, row.subject) for row in reversed(rows)]


def test_the_own_name_leads_to_the_own_account(desk: Desk) -> None:
    assert 'href="/console/account"' in desk.sign_in("zhao").get("/console/findings")
    page = desk.get("/console/account")
    assert "赵明" in page and "zhao" in page and "潢川县" in page and "修改口令" in page


def test_zhao_changes_her_password_and_stays_signed_in_here_alone(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    elsewhere, sun = new_desk().sign_in("zhao"), new_desk().sign_in("sun")
    before = desk.sign_in("zhao").client.cookies["zhenxue_session"]
    answer = change(desk)
    assert answer.status_code == 200 and "口令已修改" in answer.text
    assert desk.client.cookies["zhenxue_session"] != before, "the old token may be known"
    desk.get("/console/findings")
    assert elsewhere.client.get("/console", follow_redirects=False).status_code == 303
    sun.get("/console/findings")
    assert not signs_in(new_desk(), PASSWORD)
    assert signs_in(new_desk(), NEW)


def test_the_change_is_in_the_log_under_her_name(desk: Desk) -> None:
    change(desk.sign_in("zhao"))
    assert logged(desk, 2) == [
        ("user:zhao", "password.changed", "user:zhao"),
        ("user:zhao", "login.opened", "user:zhao"),
    ]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"current": "wrong-horse-9"}, "当前口令不正确"),
        ({"again": "something-else-8"}, "两次输入的新口令不一致"),
        ({"new": PASSWORD}, "新口令与当前口令相同"),
        ({"new": "short-1"}, "口令须为10至256个字符"),
        ({"new": "zhao-and-more-8"}, "口令须为10至256个字符"),
        ({"new": "abababababab"}, "口令须为10至256个字符"),
        ({"new": "Aa123456789"}, "这个口令很常见"),
        ({"new": "iloveyou123"}, "这个口令很常见"),
        ({"new": "qwertyuiop123"}, "这个口令很常见"),
    ],
)
def test_what_is_not_a_change_says_why_and_changes_nothing(
    desk: Desk, new_desk: Callable[[], Desk], form: dict[str, str], told: str
) -> None:
    answer = change(desk.sign_in("zhao"), **form)
    assert answer.status_code == 422 and told in answer.text
    assert NEW not in answer.text
    desk.get("/console")
    assert signs_in(new_desk(), PASSWORD)


def test_a_long_sentence_is_taken(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    sentence = "潢川的河水很安静，我每天早上沿着河边走到单位。" * 8
    assert "口令已修改" in change(desk.sign_in("zhao"), new=sentence).text
    assert signs_in(new_desk(), sentence)


def test_guesses_at_an_unlocked_desk_are_slowed_as_those_at_the_login_are(
    desk: Desk, new_desk: Callable[[], Desk], clock: Clock
) -> None:
    desk.sign_in("zhao")
    for n in range(PER_NAME_AND_ADDRESS):
        assert change(desk, current=f"guess-number-{n}").status_code == 422
    assert logged(desk, 1) == [("user:zhao", "password.refused", "user:zhao")]
    waiting = change(desk)
    assert waiting.status_code == 429 and int(waiting.headers["retry-after"]) > 0
    assert signs_in(new_desk(), PASSWORD), "her other browsers are free"
    clock.now_ms += WINDOW_MS
    assert "口令已修改" in change(desk).text


def test_a_form_from_elsewhere_changes_nothing(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    form = {"csrf": "forged", "current": PASSWORD, "password": NEW, "again": NEW}
    answer = desk.sign_in("zhao").client.post("/console/account/password", data=form)
    assert answer.status_code == 403
    assert signs_in(new_desk(), PASSWORD)


def test_nobody_without_a_login_has_an_account_page(desk: Desk) -> None:
    answer = desk.client.get("/console/account", follow_redirects=False)
    assert answer.headers["location"] == "/console/login?next=/console/account"


def test_one_s_logins_are_listed_and_ended_one_by_one_or_all(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    first, second, sun = (new_desk().sign_in(it) for it in ("zhao", "zhao", "sun"))
    desk.client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36"
    page = desk.sign_in("zhao").get("/console/account")
    assert page.count('name="which"') == 3 and "Chrome · Windows" in page and "当前" in page
    mark = page.split('name="which" value="')[1].split('"')[0]
    csrf = desk.csrf("/console/account")
    ending = {"csrf": csrf, "which": mark}
    assert "已退出1处登录" in desk.client.post("/console/account/logins/end", data=ending).text
    assert desk.get("/console/account").count('name="which"') == 2
    others = {"csrf": csrf, "which": "others"}
    assert "已退出1处登录" in desk.client.post("/console/account/logins/end", data=others).text
    for it in (first, second):
        assert it.client.get("/console", follow_redirects=False).status_code == 303
    sun.get("/console/findings")
    assert ("user:zhao", "login.ended", "user:zhao") in logged(desk, 5)


def test_nobody_ends_another_s_login(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    sun = new_desk().sign_in("sun")
    new_desk().sign_in("sun")
    mark = sun.get("/console/account").split('name="which" value="')[1].split('"')[0]
    desk.sign_in("zhao")
    form = {"csrf": desk.csrf("/console/account"), "which": mark}
    assert "已退出0处登录" in desk.client.post("/console/account/logins/end", data=form).text
    assert sun.get("/console/account").count('name="which"') == 2
