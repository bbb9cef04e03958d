"""`zhenxue user`: who may sign in to the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from app.cli.answer import ACTOR, Json, refuse, say, say_json
from app.clock import system_clock
from app.db import Database
from app.domain.accounts import second_factors, users
from app.domain.catalogue import institutions
from app.errors import NotFound, ZhenxueError
from app.services import database_of
from app.settings import Settings
from app.store.accounts import users as store

app = typer.Typer(help="Users of the console.", no_args_is_help=True)

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]

OfOffice = Annotated[
    str | None,
    typer.Option(help="Of who decides: industry, labour or finance; labour if none is given."),
]


@app.command()
def add(
    username: str,
    role: Annotated[
        str,
        typer.Option(help="auditor, reviewer, platform_viewer, school, chief, admin or log_reader"),
    ],
    name: Annotated[str, typer.Option(help="Display name; the username if not given.")] = "",
    county: Annotated[
        list[str] | None, typer.Option(help="County to see; repeat it, or * for all.")
    ] = None,
    platform: Annotated[str | None, typer.Option(help="Platform of a platform_viewer.")] = None,
    institution: Annotated[
        str | None, typer.Option(help="Of a school: its code or name; --county says where.")
    ] = None,
    office: OfOffice = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Add a user. Without --password-stdin a password is made up and printed once."""
    password = _password(password_stdin)
    with _transaction() as connection:
        users.add_user(
            connection,
            username=username,
            display_name=name or username,
            password=password,
            role=role,
            counties=county or [],
            platform=platform,
            institution=_institution(connection, county or [], institution),
            office=office,
            actor=ACTOR,
            now_ms=system_clock(),
        )
    _say_once({"username": username, "role": role}, password, password_stdin, as_json)


@app.command()
def change(
    username: str,
    role: Annotated[str, typer.Option(help="The new role; as it is if not given.")] = "",
    county: Annotated[
        list[str] | None, typer.Option(help="County to see from now on; repeat it, or * for all.")
    ] = None,
    platform: Annotated[str | None, typer.Option(help="Platform of a platform_viewer.")] = None,
    office: OfOffice = None,
    as_json: Json = False,
) -> None:
    """Give a user another role, counties, platform or office; it ends their logins."""
    with _transaction() as connection:
        now = {row.username: row for row in store.all_users(connection)}.get(username)
        if now is None:
            raise NotFound("unknown_user", f"there is no user {username}")
        changed = users.change_user(
            connection,
            username,
            role=role or now.role,
            counties=now.counties if county is None else county,
            platform=platform or now.platform,
            institution=now.institution_id,
            office=office,
            actor=ACTOR,
            now_ms=system_clock(),
        )
    _say_answer({"username": username, "changed": changed}, as_json)


@app.command()
def enable(username: str, as_json: Json = False) -> None:
    """Let a disabled user in again."""
    with _transaction() as connection:
        users.enable_user(connection, username, actor=ACTOR, now_ms=system_clock())
    _say_answer({"username": username, "disabled": False}, as_json)


@app.command()
def disable(username: str, as_json: Json = False) -> None:
    """Shut a user out at once; history keeps the name."""
    with _transaction() as connection:
        users.disable_user(connection, username, actor=ACTOR, now_ms=system_clock())
    _say_answer({"username": username, "disabled": True}, as_json)


@app.command()
def password(username: str, password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Set a new password and end the user's logins."""
    new = _password(password_stdin)
    with _transaction() as connection:
        users.set_password(connection, username, new, actor=ACTOR, now_ms=system_clock())
    _say_once({"username": username}, new, password_stdin, as_json)


@app.command("second-factor-reset")
def reset_factors(username: str, as_json: Json = False) -> None:
    """Take a user's lost second factors away and end their logins; for who runs this machine."""
    with _transaction() as connection:
        second_factors.reset(connection, username, ACTOR, system_clock())
    _say_answer({"username": username, "second_factors": 0}, as_json)


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List all users with their roles and what they see."""
    with _database().read() as connection:
        rows = store.all_users(connection)
    found = [
        {
            "username": row.username,
            "name": row.display_name,
            "role": row.role,
            "counties": row.counties,
            "platform": row.platform,
            "institution": row.institution,
            "office": row.office,
            "disabled": row.disabled_ms is not None,
        }
        for row in rows
    ]
    if as_json:
        say_json({"users": found})
        return
    table = Table("username", "name", "role", "sees", "state")
    for row in rows:
        sees = row.platform or row.institution or "、".join(row.counties) or "–"
        state = "active" if row.disabled_ms is None else "disabled"
        table.add_row(row.username, row.display_name, row.role, sees, state)
    Console().print(table)


def _institution(connection: Connection, counties: list[str], said: str | None) -> int | None:
    if said is None:
        return None
    found = [it for name in counties if (it := institutions.called(connection, name, said))]
    if not found:
        raise NotFound("unknown_institution", f"no county given lists an institution {said}")
    return found[0].id


def _database() -> Database:
    return database_of(Settings())


@contextmanager
def _transaction() -> Iterator[Connection]:
    """A write transaction; a refusal becomes one line on standard error and exit code 2."""
    try:
        with _database().write() as connection:
            yield connection
    except ZhenxueError as error:
        refuse(error.detail)


def _password(from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\r\n") if from_stdin else users.new_password()


def _say_answer(answer: dict[str, Any], as_json: bool) -> None:
    say(answer, as_json, "  ".join(f"{key}: {value}" for key, value in answer.items()))


def _say_once(answer: dict[str, Any], password: str, given: bool, as_json: bool) -> None:
    _say_answer(answer if given else answer | {"password": password}, as_json)
