"""`zhenxue keys`: this installation's own keys, exchanged while it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import ACTOR, Json, say
from app.domain.accounts import keyring, master_key
from app.jobs import key_exchange, photo_keys
from app.services import Services, open_services

app = typer.Typer(no_args_is_help=True, help="This installation's own keys: list, exchange.")
master = typer.Typer(no_args_is_help=True, help="The master key, exchanged in two steps.")
app.add_typer(master, name="master")

_SERVICES_MS = 10_000  # running services go by a new key after two seconds

Now = Annotated[
    bool,
    typer.Option(
        "--now",
        help="Do not wait a quarter of an hour for commands that began with the former key: none"
        " such runs.",
    ),
]


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """Each key with its generation, and what an exchange waits for."""
    with open_services() as services:
        rows = key_exchange.listed(services)
        fingerprint = services.vault.master.fingerprint
        still = photo_keys.left(services)
        with services.database.read() as connection:
            announced = master_key.next_announced(connection)
    lines = [f"master key {fingerprint}{', another one is announced' if announced else ''}"]
    lines += [
        f"{it['keys']:<11} {it['purpose']:<22} {it['generation']:>3}  {it['suite']}"
        f"{'  under way' if it['under_way'] else ''}"
        f"{': ' + it['waiting'] if it['waiting'] else ''}"
        for it in rows
    ]
    lines += [_photos_left(still)] if still.learners else []
    answer = {"master": fingerprint, "master_announced": announced, "keys": rows}
    say(answer, as_json, "\n".join(lines))


@app.command()
def exchange(
    keys: Annotated[
        list[str], typer.Argument(help=f"Of {', '.join(keyring.ALL)}; or all of them: all.")
    ],
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Links and what pages hold end now, with their key."),
    ] = False,
    now: Now = False,
    as_json: Json = False,
) -> None:
    """New keys, and what the former ones sealed is sealed anew. Running services go on; what is
    not over when this ends they finish, or `zhenxue keys resume` does."""
    groups = list(keyring.ALL) if keys == ["all"] else keys
    with open_services() as services:
        begun = key_exchange.exchange(services, groups, ACTOR, at_once=at_once)
        left = _go_on(services, now)
    _told(begun, left, as_json)


@app.command()
def resume(now: Now = False, as_json: Json = False) -> None:
    """Go on with exchanges that are not over."""
    with open_services() as services:
        left = _go_on(services, now)
        still = _photos_on(services, now)
    _told([], left, as_json, still)


@app.command()
def photos(now: Now = False, as_json: Json = False) -> None:
    """New keys for every learner, and all photos and templates encrypted anew, so that a key that
    leaked opens nothing any more. Running services go on with it; `zhenxue keys resume` too."""
    with open_services() as services:
        begun = photo_keys.begin(services, ACTOR)
        left = _photos_on(services, now)
    told = f"new keys: {begun} learners\n{_photos_left(left)}"
    say({"begun": begun, "learners_left": left.learners}, as_json, told)


def _photos_on(services: Services, now: bool) -> photo_keys.PhotoKeysLeft:
    left = photo_keys.left(services)
    if not left.learners:
        return left
    for _ in range(2 if now else 0):  # for everybody to know the new one, and to leave the former
        time.sleep(_SERVICES_MS / 1000)
        photo_keys.go_on(services, ACTOR, grace_ms=_SERVICES_MS)
    return photo_keys.go_on(services, ACTOR, grace_ms=_SERVICES_MS if now else photo_keys.GRACE_MS)


def _photos_left(left: photo_keys.PhotoKeysLeft) -> str:
    if not left.learners:
        return "no photo lies under a former key"
    return f"not over: photos of {left.learners} learners may lie under their former key"


@master.command()
def announce(
    file: Annotated[Path, typer.Argument(help="The file that holds the next master key.")],
    as_json: Json = False,
) -> None:
    """First step: from now on the present master key and this one are both right."""
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} holds no text", param_hint="FILE") from None
    with open_services() as services, services.database.write() as connection:
        master_key.announce(connection, text, actor=ACTOR, now_ms=services.clock())
    told = "announced: put it where ZHENXUE_MASTER_KEY_FILE points, then `zhenxue keys master done`"
    say({"announced": True}, as_json, told)


@master.command()
def done(as_json: Json = False) -> None:
    """Second step, once every service goes by the next one: the former master key opens nothing
    any more."""
    with open_services() as services:
        with services.database.write() as connection:
            master_key.settle(connection, actor=ACTOR, now_ms=services.clock())
        fingerprint = services.vault.master.fingerprint
    say({"master": fingerprint}, as_json, f"the master key is {fingerprint}")


@master.command()
def abandon(as_json: Json = False) -> None:
    """Instead of the second step: forget the next one."""
    with open_services() as services, services.database.write() as connection:
        master_key.abandon(connection, actor=ACTOR, now_ms=services.clock())
    say({"announced": False}, as_json, "the next master key is forgotten")


def _go_on(services: Services, now: bool) -> list[keyring.Exchange]:
    if not now:
        return key_exchange.resume(services, ACTOR)
    key_exchange.resume(services, ACTOR, grace_ms=_SERVICES_MS)
    time.sleep(_SERVICES_MS / 1000)
    return key_exchange.resume(services, ACTOR, grace_ms=_SERVICES_MS)


def _told(
    begun: list[str],
    left: list[keyring.Exchange],
    as_json: bool,
    photos_left: photo_keys.PhotoKeysLeft | None = None,
) -> None:
    waits = [{"purpose": it.purpose, "sealed_anew": it.swept, "waiting": it.waiting} for it in left]
    lines = [f"a new key: {it}" for it in begun]
    lines += [
        f"not over: {it.purpose}: {it.waiting or 'until nobody uses the former key any more'}"
        for it in left
    ]
    if photos_left is not None and photos_left.learners:
        waits.append(
            {"purpose": "photos", "sealed_anew": False, "waiting": _photos_left(photos_left)}
        )
        lines.append(_photos_left(photos_left))
    say({"begun": begun, "left": waits}, as_json, "\n".join(lines) or "no exchange is under way")
