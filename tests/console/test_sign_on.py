"""Single sign-on, with a service on loopback that is held to the protocol and can lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pyotp
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr, ValidationError

from app.domain.accounts import users
from app.settings import Environment, Settings
from app.store.accounts import foreign_identities
from tests.console.conftest import Clock, Desk
from tests.console.sign_on_provider import CLIENT, SECRET, Provider
from tests.console.test_account import logged
from tests.console.test_second_factor import sets_up_an_app

NewDesk = Callable[[], Desk]
Lie = Callable[[dict[str, Any], dict[str, Any]], Any]


@pytest.fixture
def provider(clock: Clock) -> Iterator[Provider]:
    with Provider(lambda: clock() // 1000).serving() as it:
        yield it


@pytest.fixture
def at_door(new_desk: NewDesk, provider: Provider) -> NewDesk:
    """Browsers at a console that knows the provider."""

    def made() -> Desk:
        desk = new_desk()
        known = {
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
        }
        desk.services.settings = desk.services.settings.model_copy(update=known)
        return desk

    return made


def led_to(desk: Desk, target: str = "/console") -> str:
    answer = desk.client.get(f"/console/login/sign-on?next={target}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def back_from(desk: Desk, url: str) -> httpx2.Response:
    """What the browser gets when the provider led it back."""
    there = httpx2.get(url, follow_redirects=False).headers["location"]
    path = there.removeprefix("http://testserver")
    assert path.startswith("/console/login/sign-on/back?")
    answer: httpx2.Response = desk.client.get(path, follow_redirects=False)
    return answer


def signs_on(desk: Desk, target: str = "/console") -> httpx2.Response:
    return back_from(desk, led_to(desk, target))


def linked(new_desk: NewDesk, username: str = "zhao") -> None:
    """The administrator gives the newest identity to a user."""
    admin = new_desk().sign_in("root")
    with admin.services.database.read() as connection:
        number = foreign_identities.listed(connection)[0].id
    form = {"csrf": admin.csrf("/console/identities"), "username": username}
    path = f"/console/identities/{number}"
    silent = admin.client.post(path, data=form, follow_redirects=False)
    assert silent.status_code == 422 and "请写明理由" in silent.text
    answer = admin.client.post(path, data=form | {"reason": "当面核对过工作证"})
    assert answer.status_code == 200 and "当面" not in answer.text


def test_who_is_known_to_the_bureau_alone_comes_in_nowhere_and_makes_no_user(
    at_door: NewDesk, provider: Provider
) -> None:
    provider.who = {"sub": "new-1", "name": "root", "preferred_username": "root", "role": "admin"}
    desk = at_door()
    assert "用统一身份认证登录" in desk.get("/console/login")
    answer = signs_on(desk)
    assert answer.status_code == 403 and "把编号1告诉管理员" in answer.text
    assert desk.client.get("/console", follow_redirects=False).status_code == 303
    with desk.services.database.read() as connection:
        rows = foreign_identities.listed(connection)
    assert [(it.subject, it.user_id) for it in rows] == [("new-1", None)]
    assert [it[1] for it in logged(desk, 1)] == ["sign_on.unknown"]


def test_a_linked_identity_opens_that_account_with_its_rights_and_no_others(
    at_door: NewDesk, provider: Provider
) -> None:
    signs_on(at_door())
    linked(at_door)
    provider.who |= {"role": "admin", "groups": ["admin"]}
    desk = at_door()
    answer = signs_on(desk, "/console/classes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/classes")
    assert "赵" in desk.get("/console/account")
    assert desk.client.get("/console/users").status_code == 403
    assert desk.client.get("/console/identities").status_code == 403


def test_an_identity_that_was_taken_away_or_whose_account_is_shut_opens_nothing(
    at_door: NewDesk, provider: Provider
) -> None:
    signs_on(at_door())
    linked(at_door)
    inside, admin = at_door(), at_door().sign_in("root")
    assert signs_on(inside).status_code == 303
    with admin.services.database.write() as connection:
        users.disable_user(connection, "zhao", actor="test", now_ms=admin.clock())
    assert signs_on(at_door()).status_code == 403
    with admin.services.database.write() as connection:
        users.enable_user(connection, "zhao", actor="test", now_ms=admin.clock())
    assert signs_on(inside).status_code == 303
    form = {"csrf": admin.csrf("/console/identities"), "reason": "已调离"}
    form["reason"] = "已调离本单位"
    admin.client.post("/console/identities/1/unlink", data=form)
    assert inside.client.get("/console", follow_redirects=False).status_code == 303
    assert signs_on(at_door()).status_code == 403


def test_nobody_links_an_identity_to_themselves(at_door: NewDesk, provider: Provider) -> None:
    signs_on(at_door())
    admin = at_door().sign_in("root")
    form = {"csrf": admin.csrf("/console/identities"), "username": "root", "reason": "我自己的"}
    answer = admin.client.post("/console/identities/1", data=form)
    assert answer.status_code == 422 and "另一位管理员" in answer.text


@pytest.mark.parametrize(
    ("told", "asked_here"),
    [
        ({"amr": ["pwd", "mfa"]}, False),
        ({"acr": "mfa"}, False),
        ({"amr": ["pwd"]}, True),
        ({}, True),
    ],
)
def test_the_second_factor_is_theirs_where_they_tell_of_one_and_ours_where_not(
    at_door: NewDesk, provider: Provider, told: dict[str, Any], asked_here: bool
) -> None:
    desk, zhao = at_door(), at_door()
    signs_on(desk)
    linked(at_door)
    seed, codes = sets_up_an_app(at_door().sign_in("zhao"))
    signs_on(zhao)
    form = {"csrf": zhao.csrf("/console/login/second"), "code": codes[0]}
    zhao.client.post("/console/login/second", data=form, follow_redirects=False)
    provider.who |= told
    answer = signs_on(desk)
    wanted = "/console/login/second" if asked_here else "/console"
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    if asked_here:
        assert desk.client.get("/console", follow_redirects=False).status_code == 303
        desk.clock.now_ms += 60_000
        code = pyotp.TOTP(seed).at(desk.clock.now_ms // 1000)
        form = {"csrf": desk.csrf("/console/login/second"), "code": code}
        answer = desk.client.post("/console/login/second", data=form, follow_redirects=False)
        assert answer.status_code == 303
    assert desk.client.get("/console", follow_redirects=False).status_code == 200


def another_key(head: dict[str, Any], claims: dict[str, Any]) -> Any:
    return RSAKey.generate_key(2048, {"kid": "one"})


def without(name: str) -> Lie:
    return lambda head, claims: claims.pop(name) and None


def saying(**told: Any) -> Lie:
    return lambda head, claims: claims.update(told)


LIES: dict[str, Lie] = {
    "another key": another_key,
    "no signature": lambda head, claims: head.update(alg="none"),
    "the public key as a secret": lambda head, claims: head.update(alg="HS256"),
    "another issuer": saying(iss="https://elsewhere.example"),
    "another client": saying(aud="somebody-else"),
    "several clients, for another": saying(aud=[CLIENT, "else"], azp="else"),
    "another attempt": saying(nonce="n" * 30),
    "no attempt": without("nonce"),
    "over": saying(exp=1),
    "of tomorrow": lambda head, claims: claims.update(
        iat=claims["iat"] + 86_400, exp=claims["exp"] + 86_400, nbf=claims["iat"] + 86_400
    ),
    "nobody": without("sub"),
    "nobody's name": saying(sub=""),
    "no text": saying(sub=["zhao-01"]),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_cannot_be_believed_lets_nobody_in(
    at_door: NewDesk, provider: Provider, lie: Lie
) -> None:
    provider.lie = lie
    answer = signs_on(at_door())
    assert answer.status_code == 401 and "没有完成" in answer.text


def test_an_answer_is_good_once_and_in_the_browser_that_asked(
    at_door: NewDesk, provider: Provider
) -> None:
    desk = at_door()
    there = httpx2.get(led_to(desk), follow_redirects=False).headers["location"]
    path = there.removeprefix("http://testserver")
    other = at_door()
    assert other.client.get(path).status_code == 401, "a stranger's browser never began"
    led_to(other)
    assert other.client.get(path).status_code == 401, "it began another one"
    wrong = path.replace("iss=", "iss=https%3A%2F%2Felsewhere.example&x=")
    assert desk.client.get(wrong).status_code == 401
    assert desk.client.get(path).status_code == 403, "right, and not linked"
    assert desk.client.get(path).status_code == 401, "a second time"
    for query in ("", "?state=x&code=y", "?error=access_denied"):
        assert desk.client.get(f"/console/login/sign-on/back{query}").status_code == 401


def test_five_minutes_are_enough_to_sign_on(at_door: NewDesk, provider: Provider) -> None:
    desk = at_door()
    url = led_to(desk)
    desk.clock.now_ms += 301_000
    assert back_from(desk, url).status_code == 401


def test_a_service_that_is_away_is_told_and_passwords_open_as_ever(
    at_door: NewDesk, provider: Provider
) -> None:
    desk = at_door()
    url = led_to(desk)
    provider.answers = False
    answer = desk.client.get("/console/login/sign-on", follow_redirects=False)
    assert answer.status_code == 503 and "暂时连不上" in answer.text
    assert desk.client.get(url.partition("?")[0].replace(provider.issuer, "")).status_code == 404
    desk.sign_in("zhao")


def test_where_no_service_is_set_up_there_is_no_such_page(new_desk: NewDesk) -> None:
    desk = new_desk()
    assert "sign-on" not in desk.get("/console/login")
    for path in ("/console/login/sign-on", "/console/login/sign-on/back?code=x&state=y"):
        assert desk.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"oidc_client_secret": ""}, "ZHENXUE_OIDC_CLIENT_SECRET"),
        ({"oidc_client_id": ""}, "ZHENXUE_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "http://sso.example"}, "https://"),
    ],
)
def test_half_a_set_up_does_not_start(wrong: dict[str, str], word: str) -> None:
    right = {"oidc_issuer": "https://sso.example", "oidc_client_id": "a"}
    settings: dict[str, Any] = {**right, "oidc_client_secret": "b", **wrong}
    production: dict[str, Any] = {
        "env": Environment.PRODUCTION,
        "master_key": "m" * 40,
        "public_url": "https://zhenxue.example",
    }
    with pytest.raises(ValidationError, match=word):
        Settings(**production, **settings)


def test_one_administrator_s_link_does_not_stand_for_the_factor_that_somebody_has(
    at_door: NewDesk, provider: Provider
) -> None:
    """Else an administrator alone decides as anybody, by an identity of the own."""
    _, codes = sets_up_an_app(at_door().sign_in("zhao"))
    signs_on(at_door())
    linked(at_door)
    provider.who |= {"amr": ["pwd", "mfa"]}
    thief, zhao, later = at_door(), at_door(), at_door()
    for desk in (thief, zhao):
        assert signs_on(desk).headers["location"] == "/console/login/second"
    assert thief.client.get("/console", follow_redirects=False).status_code == 303
    assert "待本人用二次验证确认" in at_door().sign_in("root").get("/console/identities")
    form = {"csrf": zhao.csrf("/console/login/second"), "code": codes[0]}
    zhao.client.post("/console/login/second", data=form, follow_redirects=False)
    assert signs_on(later).headers["location"] == "/console", "confirmed by the person"


def test_an_identity_linked_before_the_first_factor_is_confirmed_by_it(
    at_door: NewDesk, provider: Provider
) -> None:
    """Else the link of one administrator went past a factor that came later."""
    provider.who |= {"amr": ["pwd", "mfa"]}
    signs_on(at_door())
    linked(at_door)
    assert signs_on(at_door()).headers["location"] == "/console", "there is no factor yet"
    _, codes = sets_up_an_app(at_door().sign_in("zhao"))
    zhao = at_door()
    assert signs_on(zhao).headers["location"] == "/console/login/second"
    form = {"csrf": zhao.csrf("/console/login/second"), "code": codes[0]}
    zhao.client.post("/console/login/second", data=form, follow_redirects=False)
    assert signs_on(at_door()).headers["location"] == "/console", "confirmed by the person"
