"""What a running service holds: made once, handed to every edge, closed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from app.clock import Clock, system_clock
from app.db import Database
from app.keyring import KeyRing
from app.security import Vault
from app.settings import Settings


@dataclass
class Services:
    """`app.state.services` in the web process; commands and jobs build their own.

    Parts that need a start or a stop register it with `on_start` and `on_stop`; stops run in
    reverse order. `checks` are what `/readyz` asks: a check raises when its part is not ready.
    Nothing here opens a connection or a thread before `start()`.
    """

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    keys: KeyRing
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    checks: dict[str, Callable[[], Any]] = field(default_factory=dict)
    on_start: list[Callable[[], Any]] = field(default_factory=list)
    on_stop: list[Callable[[], Any]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: Settings, clock: Clock = system_clock) -> Services:
        database = Database(settings.resolved_database_url)
        return cls(
            settings=settings,
            clock=clock,
            database=database,
            vault=Vault(settings.master_key.get_secret_value()),
            keys=KeyRing(database, clock, settings.api_requests_per_minute),
        )

    def start(self) -> None:
        for begin in self.on_start:
            begin()

    def stop(self) -> None:
        for end in reversed(self.on_stop):
            end()
        self.database.close()
