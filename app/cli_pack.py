"""`zhenxue pack`: check, diff, list. Exits with 0 fine, 1 found something, 2 bad input."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from app.domain import pack_lock, packs
from app.domain.pack_schema import PackError

app = typer.Typer(
    help="Policy packs: the dated rules the service decides by.", no_args_is_help=True
)

FOUND, BAD_INPUT = 1, 2

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]
Folder = Annotated[
    Path,
    typer.Option(help="Folder of packs.", exists=True, file_okay=False, show_default=False),
]


@app.command()
def check(
    publish: Annotated[
        bool, typer.Option("--publish", help="Add the digests of new pack versions to the lock.")
    ] = False,
    as_json: Json = False,
    folder: Folder = packs.FOLDER,
) -> None:
    """Every pack is valid, and no published one has changed."""
    try:
        added = pack_lock.publish(folder) if publish else []
        problems = pack_lock.check(folder)
    except PackError as error:
        _refuse(error)
    if as_json:
        _print_json({"ok": not problems, "published": added, "problems": [*map(asdict, problems)]})
    else:
        for name in added:
            typer.echo(f"published {name}")
        for problem in problems:
            typer.echo(f"{problem.code}: {problem.detail}")
        if not problems:
            typer.echo("all packs are valid and stand as published")
    if problems:
        raise typer.Exit(FOUND)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="<id> or <id>@<version>")],
    after: Annotated[str, typer.Argument(metavar="B", help="<id> or <id>@<version>")],
    as_json: Json = False,
    folder: Folder = packs.FOLDER,
) -> None:
    """What B decides differently from A."""
    try:
        a, b = packs.load(before, folder=folder), packs.load(after, folder=folder)
    except (PackError, packs.UnknownPack) as error:
        _refuse(error)
    changes = packs.diff(a, b)
    if as_json:
        _print_json({"a": a.name, "b": b.name, "changes": [*map(asdict, changes)]})
    else:
        for change in changes:
            typer.echo(f"{change.path}: {_shown(change.before)} -> {_shown(change.after)}")
        if not changes:
            typer.echo(f"{a.name} and {b.name} decide alike")
    if changes:
        raise typer.Exit(FOUND)


@app.command("list")
def list_packs(as_json: Json = False, folder: Folder = packs.FOLDER) -> None:
    """All packs in all versions."""
    try:
        summaries = packs.available(folder=folder)
        published = pack_lock.read_lock(folder)
    except PackError as error:
        _refuse(error)
    if as_json:
        rows = [
            {**asdict(it), "published": published.get(it.name) == it.digest} for it in summaries
        ]
        _print_json({"packs": rows})
        return
    for it in summaries:
        stands = "published" if published.get(it.name) == it.digest else "unpublished"
        typer.echo(f"{it.name}  {stands}  sha256 {it.digest[:12]}  {it.title.zh}  {it.instrument}")


def _refuse(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(BAD_INPUT)


def _print_json(body: Any) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False, indent=2))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{value['value']} {value['unit']} ({value['source']})"
    return str(value)
