"""`zhenxue partitions`: the tables that grow for good, cut into ranges on PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.answer import Json, say
from app.clock import day
from app.services import open_services
from app.store import partitions

app = typer.Typer(no_args_is_help=True, help="Ranges of the large tables on PostgreSQL.")


@app.command()
def cut(
    rows: Annotated[
        int,
        typer.Option(min=partitions.LEAST_ROWS, help="Ids of a range: a month or more."),
    ] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Cut event_logs, verdicts, controls and snapshots into ranges, while the service goes on.

    What is there becomes the first range as it lies; with each month a new one begins. Run it again
    if it was interrupted, or if an earlier version cut only some of them.
    """
    with open_services() as services:
        done = partitions.cut(services.database, rows)
        partitions.keep_ahead(services.database, day(services.clock()))
    say({"cut": done}, as_json, "\n".join(done) or "all were cut before")


@app.command("list")
def list_ranges(as_json: Json = False) -> None:
    """The ranges of each table, and the rows that lie outside of them."""
    with open_services() as services, services.database.read() as connection:
        tables = partitions.described(connection)
    told = [
        {
            "table": it.table,
            "ranges": [
                {"name": each.name, "from": each.lower, "below": each.upper, "bytes": each.bytes}
                for each in it.ranges
            ],
            "rows_outside": it.outside,
        }
        for it in tables
    ]
    lines = [
        f"{each.name}  {each.lower:,} to {each.upper - 1:,}  {each.bytes / 1e6:,.1f} MB"
        for it in tables
        for each in it.ranges
    ]
    lines += [f"{it.table}  outside of all ranges: {it.outside:,} rows" for it in tables]
    say({"tables": told}, as_json, "\n".join(lines) or "no table is cut into ranges")
