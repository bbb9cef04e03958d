"""The second factor: set up by oneself, asked for at the login, needed for decisions."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from httpx2 import Response

from app.console.throttle import PER_NAME_AND_ADDRESS
from app.domain.accounts import second_factors, users
from app.settings import Environment, Settings
from app.store.accounts import users as store
from tests.console.conftest import Clock, Desk
from tests.console.county import PASSWORD
from tests.console.test_account import logged

NewDesk = Callable[[], Desk]
DAY_MS = 24 * 3600 * 1000
FAST, FACE = "fast:fast_forward", "other:face_liveness"


def seed_on(page: str) -> str:
    found = re.search(r'<code class="mono">([A-Z2-7 ]+)</code>', page)
    assert found
    return found[1].replace(" ", "")


def code_of(seed: str, now_ms: int) -> str:
    return pyotp.TOTP(seed).at(now_ms // 1000)


def sets_up_an_app(desk: Desk, name: str = "办公手机") -> tuple[str, list[str]]:
    """The app's seed and the recovery codes that were told."""
    seed = seed_on(desk.get("/console/account/app"))
    form = {"name": name, "code": code_of(seed, desk.clock.now_ms), "current": PASSWORD}
    answer = post(desk, "/console/account/app", **form)
    assert answer.status_code == 200 and "已添加" in answer.text
    told = re.search(r'<code class="secret">([^<]+)</code>', answer.text)
    return seed, told[1].split() if told else []


def post(desk: Desk, path: str, **form: str) -> Response:
    csrf = desk.csrf("/console/account")
    answer: Response = desk.client.post(path, data={"csrf": csrf, "reason": "手机丢失", **form})
    return answer


def gives_password(desk: Desk, who: str = "zhao") -> None:
    form = {"username": who, "password": PASSWORD, "csrf": desk.csrf("/console/login")}
    answer = desk.client.post("/console/login", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/console/login/second"


def shows(desk: Desk, code: str) -> int:
    form = {"csrf": desk.csrf("/console/login/second"), "code": code}
    status: int = desk.client.post(
        "/console/login/second", data=form, follow_redirects=False
    ).status_code
    return status


def is_in(desk: Desk) -> bool:
    status: int = desk.client.get("/console", follow_redirects=False).status_code
    return status == 200


def demand(desk: Desk, grace_days: int) -> None:
    wanted = {"second_factor": "required", "second_factor_grace_days": grace_days}
    desk.services.settings = desk.services.settings.model_copy(update=wanted)


def test_with_an_app_the_password_alone_opens_nothing(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    seed, codes = sets_up_an_app(desk.sign_in("zhao"))
    assert len(set(codes)) == second_factors.CODES
    clock.now_ms += 30_000
    thief = new_desk()
    gives_password(thief)
    assert not is_in(thief)
    assert shows(thief, "000000") == 401 and not is_in(thief)
    assert ("user:zhao", "factor.refused", "user:zhao") in logged(desk, 3)
    zhao = new_desk()
    gives_password(zhao)
    assert shows(zhao, code_of(seed, clock.now_ms)) == 303 and is_in(zhao)


def test_a_code_is_good_once_and_a_recovery_code_too(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    seed, codes = sets_up_an_app(desk.sign_in("zhao"))
    for code in (code_of(seed, clock.now_ms), codes[0]):
        first, again = new_desk(), new_desk()
        gives_password(first)
        gives_password(again)
        shows(first, code)
        assert shows(again, code) == 401 and not is_in(again)
    assert "恢复码剩余9个" in desk.get("/console/account")
    assert ("user:zhao", "factor.code_used", "user:zhao") in logged(desk, 9)


def test_an_older_code_is_not_taken_after_a_newer_one(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    seed, _ = sets_up_an_app(desk.sign_in("zhao"))
    clock.now_ms += 60_000
    gives_password(newer := new_desk())
    assert shows(newer, code_of(seed, clock.now_ms)) == 303
    gives_password(older := new_desk())
    assert shows(older, code_of(seed, clock.now_ms - 30_000)) == 401


def test_guesses_of_codes_are_slowed_and_the_person_is_not_shut_out(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    sets_up_an_app(desk.sign_in("zhao"))
    gives_password(thief := new_desk())
    for n in range(PER_NAME_AND_ADDRESS):
        assert shows(thief, f"{n:06}") == 401
    assert shows(thief, "123456") == 429
    desk.get("/console/findings")


def test_who_has_the_password_does_not_shut_out_the_browser_that_signed_in_before(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    seed, _ = sets_up_an_app(desk.sign_in("zhao"))
    post(desk, "/console/logout")
    thief = new_desk()
    gives_password(thief)
    for _ in range(PER_NAME_AND_ADDRESS):
        assert shows(thief, "000000") == 401
    assert shows(thief, "000000") == 429
    clock.now_ms += 30_000
    gives_password(desk)
    assert shows(desk, code_of(seed, clock.now_ms)) == 303 and is_in(desk)
    post(desk, "/console/logout")
    gives_password(desk)
    for _ in range(PER_NAME_AND_ADDRESS):
        assert shows(desk, "000000") == 401
    assert shows(desk, "000000") == 429, "it guesses no more than any other"


@pytest.mark.parametrize("change", ["password", "disabled", "time"])
def test_a_half_login_ends_with_the_password_the_account_and_five_minutes(
    desk: Desk, new_desk: NewDesk, clock: Clock, change: str
) -> None:
    seed, _ = sets_up_an_app(desk.sign_in("zhao"))
    gives_password(half := new_desk())
    csrf = half.csrf("/console/login/second")
    by: dict[str, Any] = {"actor": "system", "now_ms": clock.now_ms}
    with desk.services.database.write() as connection:
        if change == "password":
            users.set_password(connection, "zhao", "another-horse-8", **by)
        elif change == "disabled":
            users.disable_user(connection, "zhao", **by)
    clock.now_ms += 300_000 if change == "time" else 30_000
    form = {"csrf": csrf, "code": code_of(seed, clock.now_ms)}
    answer = half.client.post("/console/login/second", data=form, follow_redirects=False)
    led_back = answer.headers.get("location") == "/console/login"
    assert (answer.status_code == 403 if change == "time" else led_back) and not is_in(half)


def test_who_decides_has_days_to_set_a_factor_up_and_then_reads_only(
    desk: Desk, clock: Clock
) -> None:
    demand(desk, grace_days=14)
    assert "起，作决定、管理账号需要二次验证" in desk.sign_in("zhao").get("/console")
    assert desk.decide(FAST, "overturn").status_code == 200
    clock.now_ms += 14 * DAY_MS
    desk.sign_in("zhao")
    refused = desk.decide(FAST, "overturn")
    assert refused.status_code == 403 and "/console/account#factors" in refused.text
    desk.get("/console/findings")
    sets_up_an_app(desk)
    assert desk.decide(FAST, "overturn").status_code != 403, "in the same login at once"


def test_who_keeps_accounts_makes_none_without_a_factor(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    """Else a stolen password of theirs would make two reviewers, who have days to decide without
    any."""
    demand(desk, grace_days=14)
    new_account = {"username": "made", "display_name": "甲", "role": "admin"}
    assert "起，作决定、管理账号需要二次验证" in desk.sign_in("root").get("/console")
    clock.now_ms += 14 * DAY_MS
    root = new_desk().sign_in("root")
    for path, form in (
        ("/console/users", new_account),
        ("/console/users/zhao/password", {}),
        ("/console/users/zhao/change", {"role": "admin"}),
    ):
        assert post(root, path, **form).status_code == 403, path
    sets_up_an_app(root)
    assert post(root, "/console/users", **new_account).status_code == 200


def test_without_the_setting_nobody_is_asked(desk: Desk, clock: Clock) -> None:
    assert "需要二次验证" not in desk.sign_in("zhao").get("/console")
    clock.now_ms += 400 * DAY_MS
    assert desk.sign_in("zhao").decide(FAST, "overturn").status_code != 403


def test_production_demands_it_unless_it_is_only_offered() -> None:
    settings = Settings()
    production = settings.model_copy(update={"env": Environment.PRODUCTION})
    assert production.factor_required and not settings.factor_required
    assert not production.model_copy(update={"second_factor": "offered"}).factor_required
    assert settings.model_copy(update={"second_factor": "required"}).factor_required


def test_another_password_does_not_make_a_shown_factor_forgotten(desk: Desk, clock: Clock) -> None:
    demand(desk, grace_days=0)
    sets_up_an_app(desk.sign_in("zhao"))
    form = {"current": PASSWORD, "password": "another-horse-8", "again": "another-horse-8"}
    assert "口令已修改" in post(desk, "/console/account/password", **form).text
    assert desk.decide(FAST, "overturn").status_code != 403


def test_factors_are_renamed_and_removed_with_the_password(desk: Desk, new_desk: NewDesk) -> None:
    sets_up_an_app(desk.sign_in("zhao"))
    page = desk.get("/console/account")
    found = re.search(r"/console/account/factors/(\d+)/rename", page)
    assert found
    path = f"/console/account/factors/{found[1]}"
    assert "家中平板" in post(desk, f"{path}/rename", name="家中平板").text
    assert "当前口令不正确" in post(desk, f"{path}/remove", current="wrong-horse-9").text
    sun = new_desk().sign_in("sun")
    assert post(sun, f"{path}/remove", current=PASSWORD).status_code == 404, "another's"
    assert "尚未设置" in post(desk, f"{path}/remove", current=PASSWORD).text
    new_desk().sign_in("zhao").get("/console/findings")


def test_a_login_from_before_the_first_factor_ends_with_it(desk: Desk, new_desk: NewDesk) -> None:
    thief = new_desk().sign_in("zhao")
    sets_up_an_app(desk.sign_in("zhao"))
    assert is_in(desk) and not is_in(thief), "it would set up a factor of its own by the password"


def test_who_takes_a_factor_away_ends_what_it_opened(desk: Desk, new_desk: NewDesk) -> None:
    demand(desk, grace_days=0)
    _, codes = sets_up_an_app(desk.sign_in("zhao"))
    gives_password(elsewhere := new_desk())
    assert shows(elsewhere, codes[0]) == 303 and is_in(elsewhere)
    found = re.search(r"/console/account/factors/(\d+)/remove", desk.get("/console/account"))
    assert found
    post(desk, found[0], current=PASSWORD)
    assert is_in(desk) and not is_in(elsewhere)
    assert desk.decide(FAST, "overturn").status_code == 403, "nothing is shown any more"


def test_a_wrong_code_or_password_sets_nothing_up(desk: Desk, clock: Clock) -> None:
    seed = seed_on(desk.sign_in("zhao").get("/console/account/app"))
    right = code_of(seed, clock.now_ms)
    for code, current in (("000000", PASSWORD), (right, "wrong-horse-9")):
        answer = post(desk, "/console/account/app", name="手机", code=code, current=current)
        assert answer.status_code == 422 and "不正确" in html.unescape(answer.text)
        desk.get("/console/account/app")
    assert "尚未设置" in desk.get("/console/account")


def test_new_recovery_codes_end_the_old_ones(desk: Desk, new_desk: NewDesk) -> None:
    _, old = sets_up_an_app(desk.sign_in("zhao"))
    page = post(desk, "/console/account/codes", current=PASSWORD).text
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found and not set(found[1].split()) & set(old)
    gives_password(zhao := new_desk())
    assert shows(zhao, old[0]) == 401
    assert shows(zhao, found[1].split()[0].upper()) == 303


def test_a_lost_factor_is_taken_away_by_two_administrators(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    demand(desk, grace_days=14)
    sets_up_an_app(desk.sign_in("zhao"))
    with desk.services.database.write() as connection:
        users.add_user(
            connection,
            username="root2",
            display_name="另一管理员",
            password=PASSWORD,
            role="admin",
            actor="system",
            now_ms=clock.now_ms,
        )
    first, second = new_desk().sign_in(admin_of(desk)), new_desk().sign_in("root2")
    path = "/console/users/zhao/second-factor"
    assert "须由另一名管理员" in post(first, path).text
    assert "须由另一名管理员同意" in post(first, path).text, "one person is one person"
    gives_password(new_desk())
    assert "同意清除二次验证" in second.get("/console/users")
    assert "已清除" in post(second, path).text
    assert not is_in(desk), "the logins end with the factors"
    zhao = new_desk().sign_in("zhao")
    assert zhao.decide(FAST, "overturn").status_code == 403, "no second grace"
    sets_up_an_app(zhao)
    wanted = [("factor.reset_asked", "user:zhao"), ("factor.reset", "user:zhao")]
    actions = [(action, subject) for _, action, subject in logged(desk, 12)]
    assert [it for it in actions if it in wanted] == wanted


def test_one_administrator_alone_takes_a_factor_away_but_never_the_own(
    desk: Desk, new_desk: NewDesk
) -> None:
    sets_up_an_app(desk.sign_in("zhao"))
    root = new_desk().sign_in(admin_of(desk))
    assert "已清除" in post(root, "/console/users/zhao/second-factor").text
    own = post(root, f"/console/users/{admin_of(desk)}/second-factor")
    assert own.status_code == 422
    new_desk().sign_in("zhao").get("/console/findings")


def admin_of(desk: Desk) -> str:
    with desk.services.database.read() as connection:
        return next(it.username for it in store.all_users(connection) if it.role == "admin")
