"""`make drills`: hold each drill, or those named, and print what it cost.

Exits with 1 when something acknowledged was lost, an answer was any other 5xx than 503 with
Retry-After, or the service did not come back by itself within a minute. ZHENXUE_TEST_POSTGRES_URL
names the server for the drill that needs one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from app.errors import NotReady
from app.settings import Settings
from tests.drills import troubles
from tests.drills.stage import Outcome, Stage, outcome_of, stage
from tests.drills.troubles import NotTried

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
DRILLS: dict[str, Callable[[Stage], None]] = {
    it.__name__.replace("_", "-"): it
    for it in (
        troubles.killed,
        troubles.told_to_end,
        troubles.disk_full,
        troubles.photos_away,
        troubles.photos_read_only,
        troubles.connections_cut,
        troubles.clock_set,
        troubles.few_descriptors,
        troubles.slow_clients,
        troubles.idle_connections,
        troubles.wrong_key,
        troubles.restored,
    )
}
ON_POSTGRESQL = {"connections-cut"}
LINE = "{:18} {:>12} {:>6} {:>6} {:>10} {:>9} {:>10}  {}"


def hold(name: str, folder: Path) -> Outcome:
    """Raises NotTried."""
    url = ""
    if name in ON_POSTGRESQL:
        url = os.environ.get("ZHENXUE_TEST_POSTGRES_URL", POSTGRES)
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.Error:
            raise NotTried(f"no PostgreSQL at {url}") from None
    configured = Settings(data_dir=folder / name, database_url=url)
    configured.data_dir.mkdir()
    more = troubles.under_faketime(configured.data_dir) if name == "clock-set" else {}
    with stage(configured, more=more) as held:
        DRILLS[name](held)
        recovered_s = held.recovered()
        held.crowd.stop()
        return outcome_of(held, recovered_s)


def main(names: list[str]) -> int:
    failed = []
    columns = ("acknowledged", "lost", "503", "other 5xx", "unheard", "back after")
    print(LINE.format("drill", *columns, ""))
    for name in names or DRILLS:
        with tempfile.TemporaryDirectory(prefix="zhenxue-drill-") as folder:
            try:
                it = hold(name, Path(folder))
            except NotTried as lack:
                print(f"{name:18} not tried: {lack}", flush=True)
                continue
            except (NotReady, AssertionError) as error:
                print(f"{name:18} FAILED: {error}", flush=True)
                failed.append(name)
                continue
        back = "never" if it.recovered_s is None else f"{it.recovered_s:.1f} s"
        figures = (it.acknowledged, it.lost, it.refused, it.broken, it.unheard, back)
        told = "held" if it.held else "; ".join(["FAILED", *it.wrong])
        print(LINE.format(name, *figures, told), flush=True)
        failed += [] if it.held else [name]
    print(f"failed: {', '.join(failed)}" if failed else "all held")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
