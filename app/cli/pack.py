"""`zhenxue pack`: check, diff, list. Exits with 0 fine, 1 found something, 2 bad input."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.answer import FOUND, Json, refuse, say
from app.domain.policy import detector_lock, pack_lock, packs
from app.domain.policy.pack_schema import PackError

app = typer.Typer(
    help="Policy packs: the dated rules the service decides by.", no_args_is_help=True
)

Folder = Annotated[
    Path | None,
    typer.Option(
        help="This folder of packs alone; else the product's and that of ZHENXUE_PACKS_DIR.",
        exists=True,
        file_okay=False,
        show_default=False,
    ),
]


@app.command()
def check(
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Lock new versions of packs, and of rules not yet released."
        ),
    ] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> None:
    """Every pack is valid, no published one has changed, and no released rule."""
    try:
        rules = folder or packs.FOLDER
        added = [*detector_lock.publish(rules), *pack_lock.publish(folder)] if publish else []
        problems = [*pack_lock.check(folder), *detector_lock.check(rules)]
    except PackError as error:
        refuse(str(error))
    answer = {"ok": not problems, "published": added, "problems": [*map(asdict, problems)]}
    lines = [f"published {name}" for name in added]
    lines += [f"{it.code}: {it.detail}" for it in problems]
    lines += [] if problems else ["all packs are valid, and packs and rules stand as published"]
    say(answer, as_json, "\n".join(lines))
    if problems:
        raise typer.Exit(FOUND)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="<id> or <id>@<version>")],
    after: Annotated[str, typer.Argument(metavar="B", help="<id> or <id>@<version>")],
    as_json: Json = False,
    folder: Folder = None,
) -> None:
    """What B decides differently from A."""
    try:
        a, b = packs.load(before, folder=folder), packs.load(after, folder=folder)
    except (PackError, packs.UnknownPack) as error:
        refuse(str(error))
    changes = packs.diff(a, b)
    lines = [f"{it.path}: {_shown(it.before)} -> {_shown(it.after)}" for it in changes]
    answer = {"a": a.name, "b": b.name, "changes": [*map(asdict, changes)]}
    say(answer, as_json, "\n".join(lines) or f"{a.name} and {b.name} decide alike")
    if changes:
        raise typer.Exit(FOUND)


@app.command("list")
def list_packs(as_json: Json = False, folder: Folder = None) -> None:
    """All packs in all versions."""
    try:
        summaries = packs.available(folder=folder, strict=True)
        locks = [pack_lock.read_lock(it) for it in packs.shelves(folder)]
        published = {name: digest for lock in locks for name, digest in lock.items()}
    except PackError as error:
        refuse(str(error))
    rows = [(it, published.get(it.name) == it.digest) for it in summaries]
    lines = [
        f"{it.name}  {'published' if stands else 'unpublished'}  sha256 {it.digest[:12]}  "
        f"{it.title.zh}  {it.instrument}"
        for it, stands in rows
    ]
    answer = {"packs": [{**asdict(it), "published": stands} for it, stands in rows]}
    say(answer, as_json, "\n".join(lines))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{value['value']} {value['unit']} ({value['source']})"
    return str(value)
