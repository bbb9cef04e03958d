"""`zhenxue archive`: old months of sittings out of the database, into files, and back."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
import typer

from app.cli.answer import ACTOR, FOUND, Json, say
from app.jobs import archive
from app.services import open_services

app = typer.Typer(no_args_is_help=True, help="Old months of sittings in the object store.")


@app.command()
def run(
    months: Annotated[
        int,
        typer.Option(
            min=archive.LEAST_MONTHS, max=1_200, help="Whole months that stay in the database."
        ),
    ] = 12,
    most: Annotated[
        int | None, typer.Option("--sittings", min=1, help="Stop after about this many.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Move the events of older months, of classes that were over by then, into Parquet files; and
    controls and photos' rows, once the class's photos are removed and nobody waits for a decision.

    They are still shown, verified and judged. Run it again to go on.
    """
    with open_services() as services:
        done = archive.perform(services, ACTOR, months=months, most=most)
    text = f"events of {done.sittings} sittings, controls and photos' rows of {done.ledgers}"
    text += f", in {done.files} files, {done.bytes / 1e6:.1f} MB"
    if done.kept:
        text += f"; {done.kept} stay: changed meanwhile, or not fitting their chain"
    say(msgspec.to_builtins(done), as_json, text + ("; there is more" if done.more else ""))


@app.command("list")
def list_files(as_json: Json = False) -> None:
    """The files, month by month, and how many sittings are read from each."""
    with open_services() as services:
        rows: list[dict[str, Any]] = [
            {
                "month": it.month,
                "kind": it.kind,
                "class_id": it.klass,
                "sittings": it.held,
                "size": it.size,
                "object": it.object_key,
                "sha256": it.sha256.hex(),
            }
            for it in archive.files(services)
        ]
    lines = [
        f"{it['month']}  {it['kind']}  {it['class_id']}  {it['sittings']} sittings  {it['object']}"
        for it in rows
    ]
    say({"files": rows}, as_json, "\n".join(lines) or "nothing is archived")


@app.command()
def verify(as_json: Json = False) -> None:
    """Fetch every file and check its digest and each sitting's chain. Exits with 1 on a fault."""
    with open_services() as services:
        problems = archive.damaged(services)
    text = "\n".join(problems) or "the archive is whole"
    say({"ok": not problems, "problems": problems}, as_json, text)
    if problems:
        raise typer.Exit(FOUND)


@app.command("return")
def take_back(
    month: Annotated[str | None, typer.Option(help="Only this one, yyyy-mm.")] = None,
    as_json: Json = False,
) -> None:
    """Put what was moved back into the database; the files stay where they are."""
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise typer.BadParameter("a month like 2026-03", param_hint="--month")
    with open_services() as services:
        count = archive.take_back(services, ACTOR, month)
    say({"sittings": count}, as_json, f"{count} sittings are back in the database")
