"""`zhenxue backup`: the database and the photos of one moment, while the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import FOUND, Json, say

app = typer.Typer(help="Copy the database and all photos into a folder, while the service runs.")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the backups lie.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many to keep; older ones are removed.")
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A dump that pg_dump --format=custom made just before, on another machine.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a backup in a new folder under FOLDER. Keep the master key apart from it.

    Exits with 1 when it was made and the audit log in it is broken.
    """
    from app.jobs import backup as job
    from app.services import open_services

    with open_services() as services:
        made = job.make(services, folder, dump=dump, keep=keep)
    size = f"{made.photo_bytes / 1e6:,.1f} MB"
    lines = [
        made.folder,
        f"photos: {made.photos} ({size}), of them {made.linked} linked to the backup before",
        *(f"removed: {it}" for it in made.removed),
    ]
    if made.audit_broken:
        lines.append(f"audit log: {made.audit_broken}")
    say(made, as_json, "\n".join(lines))
    if made.audit_broken:
        raise typer.Exit(FOUND)
