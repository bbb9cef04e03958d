"""Keeping users, in the console and by `zhenxue user`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli.user import app
from app.db import Database
from app.domain.accounts import users
from app.errors import Conflict
from app.store.accounts import audit
from app.store.review import assignments as store
from models import Assignment, Base, Finding, User
from tests.console.conftest import Desk

runner = CliRunner()


def add(desk: Desk, **fields: str) -> tuple[int, str]:
    form = {
        "csrf": desk.csrf("/console/users"),
        "username": "li",
        "display_name": "李复核",
        "role": "reviewer",
        "counties": "潢川县、光山县",
        "reason": "新到人社局",
        **fields,
    }
    answer = desk.client.post("/console/users", data=form)
    return answer.status_code, answer.text


def test_an_administrator_adds_a_person_who_can_then_sign_in(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    status, page = add(desk.sign_in("root"))
    assert status == 200
    secret = re.search(r'class="secret">([^<]+)<', page)
    assert secret and secret[1] not in desk.get("/console/users")
    text = new_desk().sign_in("li", secret[1]).get("/console/classes")
    assert "HC-2026-014" in text and "GS-2026-003" in text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("username", "Li Wei", "用户名须以小写字母开头"),
        ("username", "zhao", "该用户名已被使用"),
        ("role", "king", "请选择角色"),
        ("display_name", " ", "姓名须为"),
        ("counties", " ", "须指定至少一个县区"),
        ("reason", "新", "请写明理由"),
    ],
)
def test_a_form_with_a_mistake_comes_back_as_typed(
    desk: Desk, field: str, value: str, told: str
) -> None:
    status, page = add(desk.sign_in("root"), **{field: value})
    assert status == 422 and told in page
    assert 'value="李复核"' in page or field == "display_name"


def test_a_new_password_ends_the_old_login(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    zhao, root = desk.sign_in("zhao"), new_desk().sign_in("root")
    form = {"csrf": root.csrf("/console/users"), "reason": "本人忘记口令"}
    root.client.post("/console/users/zhao/password", data=form)
    assert zhao.client.get("/console", follow_redirects=False).status_code == 303


def test_an_administrator_cannot_shut_themselves_out(desk: Desk) -> None:
    desk.sign_in("root")
    form = {"csrf": desk.csrf("/console/users"), "reason": "不再需要"}
    assert desk.client.post("/console/users/root/disable", data=form).status_code == 409


def change(desk: Desk, username: str, **fields: str) -> Any:
    rights = {"role": "reviewer", "counties": "光山县", "reason": "调往光山", **fields}
    form = {"csrf": desk.csrf("/console/users"), **rights}
    return desk.client.post(f"/console/users/{username}/change", data=form)


def logged(desk: Desk) -> Any:
    with desk.services.database.read() as connection:
        (row,) = audit.page(connection, before=None, size=1)
        return row


def test_another_role_and_county_count_from_the_next_sign_in(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    zhao, root = desk.sign_in("zhao"), new_desk().sign_in("root")
    form = root.get("/console/users?edit=zhao")
    assert "修改 赵明" in form and 'value="潢川县"' in form
    page = change(root, "zhao")
    assert page.status_code == 200 and "赵明 的角色和范围已保存" in page.text
    assert zhao.client.get("/console", follow_redirects=False).status_code == 303
    classes = zhao.sign_in("zhao").get("/console/classes")
    assert "GS-2026-003" in classes and "HC-2026" not in classes


def test_a_change_is_on_record_with_what_was_before(desk: Desk) -> None:
    change(desk.sign_in("root"), "zhao", role="platform_viewer", counties="", platform="zhixue")
    entry = logged(desk)
    assert (entry.actor, entry.action, entry.subject) == ("user:root", "user.changed", "user:zhao")
    assert entry.detail == {
        "before": {
            "role": "auditor",
            "counties": ["潢川县"],
            "platform": None,
            "institution": None,
            "office": "labour",
        },
        "after": {
            "role": "platform_viewer",
            "counties": [],
            "platform": "zhixue",
            "institution": None,
            "office": None,
        },
        "reason": "调往光山",
    }
    assert "智学网校" in desk.get("/console/users")
    assert "此前" in desk.get("/console/audit?action=user.changed")


def test_a_chief_keeps_the_county_that_is_typed_and_needs_one(desk: Desk) -> None:
    desk.sign_in("root")
    assert "须指定至少一个县区" in change(desk, "zhao", role="chief", counties="").text
    change(desk, "zhao", role="chief", counties="潢川县")
    assert logged(desk).detail["after"]["counties"] == ["潢川县"]


def test_a_change_to_what_is_already_so_ends_no_login(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    zhao, root = desk.sign_in("zhao"), new_desk().sign_in("root")
    change(root, "zhao", role="auditor", counties="潢川县")
    assert logged(root).action != "user.changed"
    assert zhao.client.get("/console", follow_redirects=False).status_code == 200


def test_nobody_changes_their_own_role(desk: Desk) -> None:
    refused = change(desk.sign_in("root"), "root", role="auditor")
    assert refused.status_code == 422 and "不能修改自己的角色和范围" in refused.text
    assert "/console/users/root/change" not in desk.get("/console/users?edit=root")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("role", "king", "请选择角色"),
        ("counties", " ", "须指定至少一个县区"),
        ("role", "platform_viewer", "须指定所属平台"),
    ],
)
def test_a_wrong_change_comes_back_as_typed_and_changes_nothing(
    desk: Desk, field: str, value: str, told: str
) -> None:
    refused = change(desk.sign_in("root"), "zhao", **{field: value})
    assert refused.status_code == 422 and told in refused.text and "修改 赵明" in refused.text
    assert logged(desk).action == "login.opened"


def test_two_administrators_can_end_each_other_but_never_the_last(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk.sign_in("root")
    secret = re.search(r'class="secret">([^<]+)<', add(desk, role="admin", counties="")[1])
    assert secret
    li = new_desk().sign_in("li", secret[1])
    assert change(li, "root").status_code == 200
    with desk.services.database.write() as connection:
        demote = partial(users.change_user, role="reviewer", counties=["光山县"])
        for end in (users.disable_user, demote):
            with pytest.raises(Conflict, match="last active administrator"):
                end(connection, "li", actor="system:cli", now_ms=0)


def test_what_somebody_may_no_longer_decide_goes_back_to_nobody(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    finding = desk.county.findings["fast:fast_forward"]
    with desk.services.database.write() as connection:
        zhao = connection.execute(select(User).where(User.username == "zhao")).one()
        case = connection.execute(select(Finding.case_id).where(Finding.id == finding)).scalar_one()
        store.assign(connection, [case], zhao.id, zhao.id, 0)
    root = new_desk().sign_in("root")
    change(root, "zhao", role="auditor", counties="潢川县、光山县")
    assert assigned(desk) == [case]
    change(root, "zhao", role="auditor", counties="光山县")
    assert assigned(desk) == []


def assigned(desk: Desk) -> list[int]:
    with desk.services.database.read() as connection:
        return list(connection.scalars(select(Assignment.case_id)))


def test_ones_own_password_is_changed_on_ones_own_page_and_not_made_up(desk: Desk) -> None:
    desk.sign_in("root")
    assert "/console/users/root/password" not in desk.get("/console/users")
    form = {"csrf": desk.csrf("/console/users")}
    page = desk.client.post("/console/users/root/password", data=form).text
    assert "当前口令" in page and logged(desk).action == "login.opened"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs `zhenxue user …` on an empty database."""
    url = f"sqlite:///{tmp_path / 'users.sqlite'}"
    monkeypatch.setenv("ZHENXUE_DATABASE_URL", url)
    database = Database(url)
    Base.metadata.create_all(database.engine)
    database.close()

    def run(*words: str, stdin: str = "") -> tuple[int, str]:
        result = runner.invoke(app, list(words), input=stdin)
        return result.exit_code, result.stdout

    return run


def test_the_command_adds_lists_and_disables(command: Callable[..., tuple[int, str]]) -> None:
    code, out = command("add", "li", "--role", "auditor", "--county", "潢川县", "--json")
    assert code == 0 and len(json.loads(out)["password"]) > 20
    code, out = command("change", "li", "--role", "reviewer", "--json")
    assert code == 0 and json.loads(out) == {"username": "li", "changed": True}
    code, out = command("password", "li", "--password-stdin", "--json", stdin="long-enough-99\n")
    assert code == 0 and "password" not in json.loads(out)
    assert command("disable", "li")[0] == 0
    code, out = command("list", "--json")
    (only,) = json.loads(out)["users"]
    assert code == 0
    assert (only["username"], only["counties"], only["disabled"]) == ("li", ["潢川县"], True)
    assert only["role"] == "reviewer"
    assert "li" in command("list")[1]
    assert command("enable", "li")[0] == 0
    assert not json.loads(command("list", "--json")[1])["users"][0]["disabled"]


@pytest.mark.parametrize(
    "words",
    [
        ("add", "li", "--role", "king"),
        ("add", "li", "--role", "auditor"),
        ("add", "li", "--role", "platform_viewer", "--platform", "nowhere"),
        ("disable", "nobody"),
        ("change", "nobody", "--role", "admin"),
        ("password", "nobody"),
    ],
)
def test_the_command_says_no_with_exit_code_two(
    command: Callable[..., tuple[int, str]], words: tuple[str, ...]
) -> None:
    assert command(*words)[0] == 2


def test_a_county_nobody_registered_is_named_and_not_given(desk: Desk) -> None:
    desk.sign_in("root")
    for name in ("潢川县", "光山县"):
        form = {"csrf": desk.csrf("/console/counties"), "name": name}
        desk.client.post("/console/counties", data=form)
    status, page = add(desk, counties="潢川、光山县")
    assert status == 422
    assert "没有登记过的县区：潢川。" in page
