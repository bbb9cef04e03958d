"""Signing in and out of the console."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.console.throttle import (
    KNOWN_COOKIE,
    PER_ADDRESS,
    PER_NAME_AND_ADDRESS,
    WINDOW_MS,
    LoginThrottle,
)
from app.db import Database
from app.domain.accounts.users import ABSOLUTE_MS, IDLE_MS
from app.security import token_digest
from app.settings import Settings
from app.store.accounts import audit
from models import AuditEntry, UserSession
from tests.console.conftest import Clock, Desk

MINUTE = 60_000


def attempt(desk: Desk, username: str, password: str) -> int:
    csrf = desk.csrf("/console/login")
    form = {"username": username, "password": password, "csrf": csrf}
    return desk.client.post("/console/login", data=form, follow_redirects=False).status_code


def test_a_stranger_is_led_to_the_login_page_and_back_to_where_they_wanted(desk: Desk) -> None:
    answer = desk.client.get("/console/findings?rule=popup_gap", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/login?next=/console/findings%3Frule%3Dpopup_gap"


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/console/classes/1/tables/take", "/console/classes/1/tables"),
        ("/console/classes/1/photos/take", "/console/classes/1/photos"),
        ("/console/courses/read", "/console/courses/new"),
        ("/console/subsidies/1/decide", "/console/subsidies"),
        ("/console/cases/1/decision", "/console/cases/1"),
    ],
)
def test_who_signs_in_again_on_the_answer_to_a_form_comes_to_its_page(
    desk: Desk, form: str, page: str
) -> None:
    """Nothing stands at the form's own address, to which a new login or language leads."""
    here = {"referer": f"http://testserver{form}"}
    sent = desk.client.post(form, data={"csrf": ""}, headers=here, follow_redirects=False)
    assert sent.headers["location"] == f"/console/login?next={form}"
    desk.sign_in("zhao")
    answer = desk.client.get(form, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) == (303, page)


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/console//x", "/x"])
def test_nobody_is_led_elsewhere_after_signing_in(desk: Desk, target: str) -> None:
    csrf = desk.csrf("/console/login")
    form = {"username": "zhao", "password": "correct-horse-7", "csrf": csrf, "next": target}
    answer = desk.client.post("/console/login", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/console"


def test_the_cookie_is_kept_from_scripts_and_only_its_digest_is_stored(desk: Desk) -> None:
    desk.sign_in("zhao")
    token = desk.client.cookies["zhenxue_session"]
    with desk.services.database.read() as connection:
        stored = connection.scalars(select(UserSession.token_digest)).one()
    assert stored == token_digest(token)
    csrf = desk.csrf("/console")
    answer = desk.client.post("/console/logout", data={"csrf": csrf}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie


def test_signing_out_ends_the_login_on_the_server(desk: Desk) -> None:
    desk.sign_in("zhao")
    token = desk.client.cookies["zhenxue_session"]
    desk.client.post("/console/logout", data={"csrf": desk.csrf("/console")})
    desk.client.cookies.set("zhenxue_session", token)
    assert desk.client.get("/console", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("after_ms", [IDLE_MS, ABSOLUTE_MS])
def test_a_login_ends_when_it_lies_idle_or_grows_old(
    desk: Desk, clock: Clock, after_ms: int
) -> None:
    desk.sign_in("zhao")
    begun = clock.now_ms
    while clock.now_ms + IDLE_MS // 2 < begun + after_ms and after_ms == ABSOLUTE_MS:
        clock.now_ms += IDLE_MS // 2
        desk.get("/console")
    clock.now_ms = begun + after_ms - 1
    desk.get("/console")
    clock.now_ms = begun + max(after_ms, ABSOLUTE_MS if after_ms == ABSOLUTE_MS else 2 * IDLE_MS)
    assert desk.client.get("/console", follow_redirects=False).status_code == 303


def test_a_login_under_a_clock_a_month_ahead_ends_once_the_clock_is_right(
    desk: Desk, clock: Clock
) -> None:
    """It lay idle for a month, and whoever came to that machine went on with it."""
    clock.now_ms += 31 * 24 * 3_600_000
    desk.sign_in("zhao")
    clock.now_ms -= 31 * 24 * 3_600_000
    assert desk.client.get("/console", follow_redirects=False).status_code == 303


def test_a_disabled_person_is_out_at_once(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    desk.sign_in("zhao")
    root = new_desk().sign_in("root")
    form = {"csrf": root.csrf("/console/users"), "reason": "已调离本局"}
    root.client.post("/console/users/zhao/disable", data=form)
    assert desk.client.get("/console", follow_redirects=False).status_code == 303
    assert attempt(desk, "zhao", "correct-horse-7") == 401


def test_wrong_names_and_wrong_passwords_are_answered_alike(desk: Desk) -> None:
    assert attempt(desk, "zhao", "wrong-password") == 401
    assert attempt(desk, "nobody", "wrong-password") == 401
    wrong = desk.client.post(
        "/console/login",
        data={"username": "zhao", "password": "no", "csrf": desk.csrf("/console/login")},
    )
    assert "用户名或口令不正确" in wrong.text


def test_guessing_is_slowed_and_ends_after_a_quarter_of_an_hour(desk: Desk, clock: Clock) -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        assert attempt(desk, "zhao", "wrong-password") == 401
    assert attempt(desk, "zhao", "correct-horse-7") == 429
    assert attempt(desk, "sun", "correct-horse-7") == 303
    desk.client.cookies.clear()
    clock.now_ms += WINDOW_MS
    assert attempt(desk, "zhao", "correct-horse-7") == 303


@pytest.mark.both_databases
def test_many_guesses_at_once_are_no_more_than_one_after_another(database: Database) -> None:
    throttle = LoginThrottle(database)
    under_way = [throttle.attempt("zhao", "10.0.0.9", 1000) for _ in range(PER_NAME_AND_ADDRESS)]
    assert under_way == [0] * PER_NAME_AND_ADDRESS
    assert throttle.attempt("zhao", "10.0.0.9", 1000) == WINDOW_MS
    throttle.succeeded("zhao", "10.0.0.9", 1000)
    assert throttle.attempt("zhao", "10.0.0.9", 1000) == 0


def test_all_addresses_of_one_subscriber_count_together(database: Database) -> None:
    throttle = LoginThrottle(database)
    for n in range(PER_ADDRESS):
        assert throttle.attempt(f"name-{n}", f"2001:db8:1:2:{n:x}::{n:x}", 1000) == 0
    assert throttle.attempt("another", "2001:db8:1:2:ffff::1", 1000) > 0
    assert throttle.attempt("another", "2001:db8:1:3::1", 1000) == 0


@pytest.mark.both_databases
def test_services_that_share_a_database_count_together(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    one, other = LoginThrottle(database), LoginThrottle(Database(url))
    for n in range(PER_NAME_AND_ADDRESS):
        assert (one, other)[n % 2].attempt("zhao", "10.0.0.9", 1000 + n) == 0
    assert one.attempt("zhao", "10.0.0.9", 2000) > 0 and other.attempt("zhao", "10.0.0.9", 2000) > 0
    assert one.attempt("zhao", "10.0.0.9", 2000 + WINDOW_MS) == 0, "it is over by itself"
    other.database.close()


def test_strangers_do_not_shut_out_who_signed_in_with_this_browser_before(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    """Five wrong passwords from each of four addresses were enough to lock any name for ever."""
    desk.sign_in("zhao")
    desk.client.post("/console/logout", data={"csrf": desk.csrf("/console")})
    throttle, now_ms = LoginThrottle(desk.services.database), desk.services.clock()
    for address in range(1, 5):
        for _ in range(PER_NAME_AND_ADDRESS):
            assert throttle.attempt("zhao", f"203.0.113.{address}", now_ms) == 0
    assert attempt(new_desk(), "zhao", "correct-horse-7") == 429, "a browser nobody knows"
    assert attempt(desk, "zhao", "correct-horse-7") == 303


def test_a_known_browser_guesses_no_more_than_any_other(desk: Desk) -> None:
    desk.sign_in("zhao")
    desk.client.post("/console/logout", data={"csrf": desk.csrf("/console")})
    for _ in range(PER_NAME_AND_ADDRESS):
        assert attempt(desk, "zhao", "wrong-password") == 401
    assert attempt(desk, "zhao", "correct-horse-7") == 429


def test_the_mark_of_a_known_browser_is_no_one_else_s_and_cannot_be_made(desk: Desk) -> None:
    desk.sign_in("zhao")
    desk.client.post("/console/logout", data={"csrf": desk.csrf("/console")})
    throttle, now_ms = LoginThrottle(desk.services.database), desk.services.clock()
    for name in ("sun", "zhao"):
        for address in range(1, 5):
            for _ in range(PER_NAME_AND_ADDRESS):
                throttle.attempt(name, f"203.0.113.{address}", now_ms)
    assert attempt(desk, "sun", "correct-horse-7") == 429
    desk.client.cookies.set(KNOWN_COOKIE, "made-up." + "0" * 64)
    assert attempt(desk, "zhao", "correct-horse-7") == 429


def test_signing_in_again_ends_the_login_that_the_browser_still_had(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    before = desk.sign_in("zhao").client.cookies["zhenxue_session"]
    again = new_desk()
    csrf = again.csrf("/console/login")
    again.client.cookies.set("zhenxue_session", before)
    form = {"username": "sun", "password": "correct-horse-7", "csrf": csrf}
    answer = again.client.post("/console/login", data=form, follow_redirects=False)
    assert before not in answer.headers["set-cookie"]
    assert desk.client.get("/console", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(("proxies", "seen"), [("127.0.0.1", "10.0.0.9"), ("10.0.0.9", "1.2.3.4")])
def test_only_a_trusted_proxy_says_where_somebody_comes_from(
    desk: Desk, proxies: str, seen: str
) -> None:
    behind = ProxyHeadersMiddleware(
        desk.client.app,  # type: ignore[arg-type]
        Settings(trusted_proxies=proxies).trusted_proxies,
    )
    desk.client = TestClient(
        behind,  # type: ignore[arg-type]
        headers={"x-forwarded-for": "6.6.6.6, 1.2.3.4"},
        client=("10.0.0.9", 5),
    )
    assert attempt(desk, "zhao", "wrong-password") == 401
    with desk.services.database.read() as connection:
        (row,) = audit.page(connection, before=None, size=1)
    assert row.detail == {"address": seen}


def test_the_login_form_needs_its_own_token(desk: Desk) -> None:
    form = {"username": "zhao", "password": "correct-horse-7", "csrf": "forged"}
    assert desk.client.post("/console/login", data=form).status_code == 403


def test_every_login_and_refusal_is_in_the_chained_log(desk: Desk) -> None:
    attempt(desk, "zhao", "wrong-password")
    desk.sign_in("zhao")
    desk.client.post("/console/logout", data={"csrf": desk.csrf("/console")})
    with desk.services.database.read() as connection:
        rows = audit.page(connection, before=None, size=3)
        assert [row.action for row in rows] == ["login.closed", "login.opened", "login.refused"]
        assert audit.first_broken(connection) is None


def test_a_password_typed_as_the_name_is_in_no_log(desk: Desk) -> None:
    assert attempt(desk, "correct-horse-7", "") == 401
    assert attempt(desk, "zhao", "wrong-password") == 401
    with desk.services.database.read() as connection:
        rows = audit.page(connection, before=None, size=2)
    assert [row.subject for row in rows] == ["user:zhao", "user:?"]


def test_a_changed_entry_breaks_the_chain(desk: Desk) -> None:
    with desk.services.database.write() as connection:
        second = connection.scalar(select(func.min(AuditEntry.id))) + 1
        connection.execute(
            AuditEntry.__table__.update().where(AuditEntry.id == second).values(actor="user:nobody")  # type: ignore[attr-defined]
        )
        assert audit.first_broken(connection) == second
