"""`zhenxue bench`: what this machine and this database can do, in about a minute."""

from __future__ import annotations

import os
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.answer import Json, say_json

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="What this machine and this database can do.")


class Part(StrEnum):
    INGEST = "ingest"
    JUDGING = "judging"
    FACES = "faces"


@app.command()
def bench(
    parts: Annotated[
        list[Part] | None, typer.Option("--part", help="Only this; repeat it. Default: all.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the time; rougher.")] = False,
    sittings: Annotated[
        int | None,
        typer.Option(min=1, help="Of the day. Default: 10,000; 2,000 when quick."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="That judge the day.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure ingest, the night and face checks, and say how many learners that is enough for.

    Works on a throw-away installation: a folder beside the configured SQLite file, or a database of
    its own on the configured PostgreSQL server. Real data is neither read nor written, and nothing
    is left. It takes what the machine has: run it while nobody studies. Exits with 2 when it cannot
    run.
    """
    from rich.console import Console

    from app.bench.machine import machine
    from app.bench.meaning import meaning
    from app.bench.parts import MINUTE, PARTS, QUICK
    from app.logging import configure
    from app.settings import Settings

    configure(as_json=as_json, level="WARNING")
    settings = Settings()
    effort = replace(QUICK if quick else MINUTE, processes=processes)
    if sittings is not None:
        effort = replace(effort, sittings=sittings)
    about, busy, answers = machine(), os.getloadavg()[0] > (os.cpu_count() or 1) / 2, {}
    for name in Part if not parts else dict.fromkeys(parts):
        with Console(stderr=True).status(f"measuring {name} ..."):
            answers[name.value] = PARTS[name](settings, effort)
    report = {
        "machine": about,
        "busy": busy,
        "quick": quick,
        **answers,
        "meaning": meaning(answers),
    }
    if as_json:
        say_json(report)
    else:
        _print(report, Console(highlight=False))


def _print(told: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    databases = {told[name]["database"]: None for name in Part if "database" in told.get(name, {})}
    console.print("; ".join([told["machine"], *databases]))
    if told["busy"]:
        console.print("other programs were busy on it: alone it can do more", style="red")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for row in _rows(told):
        table.add_row(*row)
    console.print(table)
    for name in Part:
        for notice in told.get(name, {}).get("notices", []):
            console.print(f"  {name}: {notice}", style="red")
    console.print("\nWhat it is enough for, with a third to spare")
    for line in _meant(told):
        console.print(f"  {line}")


def _rows(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    if taken := told.get("ingest"):
        for it in taken["batches"]:
            rows.append(
                (
                    f"ingest, {_some(it['batch'], 'event')} a request",
                    f"{it['events_per_s']:,} events/s",
                    f"durable after {it['p50_ms']:.1f} ms, 99 % after {it['p99_ms']:.1f} ms;"
                    f" {_cpu(it)}{it['bytes_per_event']:.0f} bytes an event",
                )
            )
    if judged := told.get("judging"):
        rows.append(
            (
                f"the night, {_processes(judged['processes'])}",
                f"{judged['sittings_per_s']:,} sittings/s",
                f"{judged['sittings']:,} in {judged['took_s']:.1f} s, all verdicts written;"
                f" peak {judged['peak_mib']:,} MiB",
            )
        )
    if seen := told.get("faces"):
        rows.append(
            (
                "face checks, one core",
                f"{seen['photos_per_s']:.0f} photos/s",
                f"{seen['size'][0]} × {seen['size'][1]}, {seen['model']}",
            )
        )
    return rows


def _meant(told: dict[str, Any]) -> list[str]:
    meant, lines = told["meaning"], []
    online = meant["online"]
    if "browsers" in online:
        lines += [
            f"one service process: {online['browsers']:,} learners online whose browsers post "
            "every 15 s;",
            f"    {online['forwarded']:,} whose platform forwards 50 events a request",
        ]
    if "photos" in online:
        workers = told["faces"]["face_workers"]
        lines += [
            f"face checks: {online['photos_a_core']:,} learners a core, one photo each 5 minutes;",
            f"    {online['photos']:,} with ZHENXUE_FACE_WORKERS={workers} and "
            f"{_some(told['faces']['cores'], 'core')} here",
        ]
    if "learners_online" in meant:
        lines.append(f"about {meant['learners_online']:,} learners online at once")
    if night := meant.get("night"):
        lines.append(
            f"their night, {night['sittings']:,} sittings of a full day: {_long(night['seconds'])} "
            "in one process"
            if "learners_online" in meant
            else f"a night of {night['sittings']:,} sittings: {_long(night['seconds'])} "
            "in one process"
        )
    return [*lines, "how this is counted: docs/scale.md"]


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


def _cpu(row: dict[str, Any]) -> str:
    spent = row["cpu_us_per_event"]
    return "" if spent is None else f"{spent:.1f} µs of CPU, "


def _some(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _long(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
