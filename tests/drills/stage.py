"""Where a drill is held: a throw-away installation, a service, learners who keep sending."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.bench.service import make_key, open_sittings
from app.bench.throw_away import installation
from app.clock import system_clock
from app.services import Services
from app.settings import Settings
from app.simulation.transport import Api, UrllibClient
from tests.drills.load import Crowd
from tests.drills.object_store import OwnStore
from tests.drills.postgres_pair import Pair
from tests.drills.postgres_server import OwnPostgres
from tests.drills.service import ServiceProcess
from tests.waiting import eventually

LEARNERS = 8
RECOVERED_S = 60


@dataclass
class Stage:
    folder: Path  # of this drill alone
    settings: Settings
    service: ServiceProcess
    api: Api
    crowd: Crowd
    postgres: OwnPostgres | None = None
    pair: Pair | None = None
    store: OwnStore | None = None
    wrong: list[str] = field(default_factory=list)
    _over_at: float = 0.0

    def trouble_is_over(self) -> None:
        """From now on the service has to come back by itself."""
        self._over_at = time.monotonic()

    def require(self, held: object, what: str) -> None:
        if not held:
            self.wrong.append(what)

    def recovered(self) -> float | None:
        """Seconds until every learner was heard again and the service said that it is ready."""
        since = self._over_at or time.monotonic()
        heard = eventually(lambda: self.crowd.all_heard_since(since), RECOVERED_S)
        ready = heard and eventually(self.service.ready, RECOVERED_S)
        return time.monotonic() - since if ready else None


@dataclass(frozen=True)
class Outcome:
    """`refused`: answers of 503 with Retry-After, `broken`: any other of 5xx, `unheard`: requests
    without an answer."""

    acknowledged: int
    lost: int
    refused: int
    broken: int
    unheard: int
    recovered_s: float | None
    wrong: list[str]

    @property
    def held(self) -> bool:
        fine = self.acknowledged and not self.lost and not self.broken
        return bool(fine and self.recovered_s is not None and not self.wrong)


@contextmanager
def stage(configured: Settings, blob_url: str = "", **how: Any) -> Iterator[Stage]:
    """The stage with everybody at work; `how` are options of ServiceProcess."""
    with installation(configured, system_clock()) as settings:
        settings.blob_url = blob_url or settings.blob_url
        service = ServiceProcess(settings, **how)
        try:
            service.start()
            api = Api(UrllibClient(service.url), make_key(settings))
            crowd = Crowd(service.url, api.key, open_sittings(api, LEARNERS, face=True))
            with crowd.posting():
                yield Stage(configured.data_dir, settings, service, api, crowd)
        finally:
            service.kill()
            service.log.unlink(missing_ok=True)


def outcome_of(held: Stage, recovered_s: float | None) -> Outcome:
    """Once nobody sends any more."""
    statuses = held.crowd.statuses
    services = Services.build(held.settings)
    try:
        lost = held.crowd.lost(services.database)
    finally:
        services.stop()
    errors = sum(count for status, count in statuses.items() if status >= 500)
    refused = statuses[503] - held.crowd.unhinted
    return Outcome(
        acknowledged=held.crowd.acknowledged,
        lost=lost,
        refused=refused,
        broken=errors - refused,
        unheard=statuses[0],
        recovered_s=recovered_s,
        wrong=held.wrong,
    )
