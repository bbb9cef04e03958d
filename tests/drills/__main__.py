"""`make drills`: hold each drill, or those named, and print what it cost.

Exits with 1 when something acknowledged was lost, an answer was any other 5xx than 503 with
Retry-After, or the service did not come back by itself within a minute.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from app.errors import NotReady
from app.settings import Settings
from tests.drills import failover, photos, store_away, troubles
from tests.drills.object_store import OwnStore
from tests.drills.postgres_pair import Pair
from tests.drills.postgres_server import OwnPostgres
from tests.drills.stage import Outcome, Stage, outcome_of, stage
from tests.drills.troubles import NotTried

DRILLS: dict[str, Callable[[Stage], None]] = {
    it.__name__.replace("_", "-"): it
    for it in (
        troubles.killed,
        troubles.told_to_end,
        troubles.disk_full,
        troubles.photos_away,
        troubles.photos_read_only,
        store_away.object_store_away,
        troubles.connections_cut,
        troubles.database_restarted,
        troubles.database_read_only,
        failover.failover_hosts,
        failover.failover_haproxy,
        failover.failover_pgbouncer,
        failover.primary_back,
        failover.standby_away,
        troubles.clock_set,
        troubles.few_descriptors,
        troubles.slow_clients,
        troubles.idle_connections,
        troubles.wrong_key,
        troubles.keys_exchanged,
        photos.photos_encrypted,
        troubles.restored,
    )
}
ON_POSTGRESQL = {"connections-cut", "database-restarted", "database-read-only"}
ON_A_PAIR = {
    *("failover-hosts", "failover-haproxy", "failover-pgbouncer", "primary-back", "standby-away"),
}
LINE = "{:18} {:>12} {:>6} {:>6} {:>10} {:>9} {:>10}  {}"


def hold(name: str, folder: Path) -> Outcome:
    """Raises NotTried."""
    with ExitStack() as held:
        postgres, pair, url = None, None, ""
        try:
            if name in ON_POSTGRESQL:
                postgres = held.enter_context(OwnPostgres(folder / "postgres").running())
                url = postgres.url
            elif name in ON_A_PAIR:
                pair = held.enter_context(Pair(folder / "pair").running())
                url = held.enter_context(failover.before(pair, name))
        except LookupError as lack:
            raise NotTried(str(lack)) from None
        configured = Settings(data_dir=folder / name, database_url=url)
        configured.data_dir.mkdir()
        more = troubles.under_faketime(configured.data_dir) if name == "clock-set" else {}
        store = None
        if name == "object-store-away":
            store = held.enter_context(OwnStore(folder / "store").running())
        at = held.enter_context(stage(configured, store.url if store else "", more=more))
        at.postgres, at.pair, at.store = postgres, pair, store
        DRILLS[name](at)
        recovered_s = at.recovered()
        at.crowd.stop()
        return outcome_of(at, recovered_s)


def main(names: list[str]) -> int:
    if unknown := [it for it in names if it not in DRILLS]:
        print(f"no drill: {', '.join(unknown)}; there are {', '.join(DRILLS)}")
        return 2
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
                why, *words = str(error).strip().split("\n")
                print(f"{name:18} FAILED: {why}", *words[-3:], sep="\n    ", flush=True)
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
