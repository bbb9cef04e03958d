"""Keeping users, in the console and by `zhenxue user`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli_user import app
from app.db import Database
from models import Base
from tests.console.conftest import Desk

runner = CliRunner()


def add(desk: Desk, **fields: str) -> tuple[int, str]:
    form = {
        "csrf": desk.csrf("/console/users"),
        "username": "li",
        "display_name": "李复核",
        "role": "reviewer",
        "counties": "潢川县、光山县",
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
    root.client.post("/console/users/zhao/password", data={"csrf": root.csrf("/console/users")})
    assert zhao.client.get("/console", follow_redirects=False).status_code == 303


def test_an_administrator_cannot_shut_themselves_out(desk: Desk) -> None:
    desk.sign_in("root")
    form = {"csrf": desk.csrf("/console/users")}
    assert desk.client.post("/console/users/root/disable", data=form).status_code == 409


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
    code, out = command("password", "li", "--password-stdin", "--json", stdin="long-enough-99\n")
    assert code == 0 and "password" not in json.loads(out)
    assert command("disable", "li")[0] == 0
    code, out = command("list", "--json")
    (only,) = json.loads(out)["users"]
    assert code == 0
    assert (only["username"], only["counties"], only["disabled"]) == ("li", ["潢川县"], True)
    assert "li" in command("list")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("add", "li", "--role", "king"),
        ("add", "li", "--role", "auditor"),
        ("add", "li", "--role", "platform_viewer", "--platform", "nowhere"),
        ("disable", "nobody"),
        ("password", "nobody"),
    ],
)
def test_the_command_says_no_with_exit_code_two(
    command: Callable[..., tuple[int, str]], words: tuple[str, ...]
) -> None:
    assert command(*words)[0] == 2
