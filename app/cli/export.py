"""`zhenxue export`: lists of a class as files, and its audit package."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from app.cli.answer import ACTOR, Json, say
from app.domain.wire import typed_day
from app.whole_file import write_whole

if TYPE_CHECKING:
    from app.reports.exports import ExportOptions, File

app = typer.Typer(help="Lists of a class, and its audit package.")


@app.command()
def export(
    class_id: Annotated[str, typer.Argument(metavar="CLASS", help="The platform's id of it.")],
    file: Annotated[
        str | None,
        typer.Argument(metavar="[NAME.EXT]", help="E.g. admitted.xlsx; without: what there is."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File, or folder for --all.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every list as XLSX, CSV and PDF.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="The audit package.")] = False,
    photos: Annotated[
        bool, typer.Option("--photos", help="With the photos, decrypted; this is recorded.")
    ] = False,
    platform: Annotated[
        str | None, typer.Option("--platform", help="Its slug, where several have such a class.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="Day that ten-day and monthly reports look back from."),
    ] = None,
    columns: Annotated[
        str, typer.Option("--columns", help="Columns of 旬报 and 月报, with commas.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Write one list, all of them, or the audit package; say which files were written."""
    from app.domain.catalogue import classes
    from app.reports import exports, package
    from app.services import open_services
    from app.store.scope import EVERYTHING

    _require_one(file, every, audit, photos)
    options = _options(on, columns)
    with open_services() as services:
        with services.database.read() as connection:
            klass = classes.class_seen(connection, EVERYTHING, class_id, platform)
        if audit:
            made = package.export(services, klass, options, EVERYTHING, photos=photos)
            path = str(_write(made.file, out or Path(made.file.name)))
            report: dict[str, Any] = {"files": [path], "public_key": made.public_key}
        elif every:
            made_all = exports.export_all(services, klass, options)
            report = {"files": _write_all(made_all, out or Path(class_id))}
        elif file is not None:
            name, _, ext = file.rpartition(".")
            one = exports.export(services, klass, name, ext, options)
            report = {"files": [str(_write(one, out or Path(one.name)))]}
        else:
            report = msgspec.to_builtins(exports.offered(klass))
    say(report, as_json, "\n".join(_lines(report)))


def _require_one(file: str | None, every: bool, audit: bool, photos: bool) -> None:
    if sum((file is not None, every, audit)) > 1:
        raise typer.BadParameter("one of NAME.EXT, --all and --audit")
    if photos and not audit:
        raise typer.BadParameter("goes with --audit", param_hint="--photos")


def _write_all(files: Iterable[File], folder: Path) -> list[str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [str(_write(it, folder / it.name)) for it in files]


def _options(on: str | None, columns: str) -> ExportOptions:

    from app.reports.exports import ExportOptions

    try:
        day = typed_day(on) if on else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--on") from error
    chosen = tuple(it.strip() for it in columns.split(",") if it.strip())
    return ExportOptions(ACTOR, named=True, on=day, columns=chosen)


def _write(file: File, path: Path) -> Path:
    """The file where it was wished, its owner's alone to read; a folder gets it under its own
    name."""
    whole = path / file.name if path.is_dir() else path
    try:
        write_whole(whole, file.data)
    except OSError as error:
        raise typer.BadParameter(f"{whole}: {error.strerror}", param_hint="--out") from error
    return whole


def _lines(told: dict[str, Any]) -> list[str]:
    if "exports" in told:
        return [f"{it['name']:<15}{it['title']}" for it in told["exports"]]
    lines = list(told["files"])
    if "public_key" in told:
        lines.append(f"公钥 public key: {told['public_key']}")
    return lines
