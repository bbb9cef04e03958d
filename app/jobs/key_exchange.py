"""Keys exchanged while the service runs: begun by a command, gone on with by whoever runs next.

Every process looks for new keys every few seconds, and for a new master key in its file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog
from prometheus_client import Gauge

from app.domain.accounts import keyring, master_key
from app.errors import NotReady
from app.jobs import photo_keys
from app.jobs.repeating import Repeating
from app.security import MasterKey, Unsealable
from app.services import Services
from app.store.accounts import vault_keys
from app.store.accounts.sealed import OBJECTS
from app.vault import GROUPS

LOOK_EVERY_S = 2.0
GO_ON_EVERY_S = 60.0
_TRIES, _PAUSE_S = 200, 0.05

log = structlog.get_logger("zhenxue.keys")


def exchange(
    services: Services, groups: Collection[str], actor: str, *, at_once: bool = False
) -> list[str]:
    """Begin with new keys for these groups; the purposes. Raises what `keyring.begin` raises."""
    for left in reversed(range(_TRIES)):
        try:
            with services.database.write() as connection:
                return keyring.begin(
                    connection, groups, actor=actor, now_ms=services.clock(), at_once=at_once
                )
        except keyring.Busy:
            if not left:
                raise
            time.sleep(_PAUSE_S)
    raise AssertionError("unreachable")


def resume(
    services: Services,
    actor: str,
    *,
    grace_ms: int = keyring.GRACE_MS,
    stopping: threading.Event | None = None,
) -> list[keyring.Exchange]:
    """Seal anew what former keys sealed, and let those go that nothing needs; what is not over."""
    with services.database.alone("keys") as mine:
        for purpose in sorted({it.purpose for it in _under_way(services)}) if mine else []:
            _go_on(services, purpose, actor, grace_ms, stopping)
    return _under_way(services)


def _go_on(
    services: Services, purpose: str, actor: str, grace_ms: int, stopping: threading.Event | None
) -> None:
    if not _sweep(services, purpose, stopping):
        return
    with services.database.write() as connection:
        again = keyring.ready_for_last_pass(connection, purpose, services.clock(), grace_ms)
        if again:
            keyring.begin_last_pass(connection, purpose)
    if again and not _sweep(services, purpose, stopping):
        return
    with services.database.write() as connection:
        if keyring.finish(connection, purpose, actor=actor, now_ms=services.clock()):
            log.info("a former key is gone", purpose=purpose)


def _sweep(services: Services, purpose: str, stopping: threading.Event | None) -> bool:
    """Through all places from where it stopped; False when it has to go on later."""
    for place in keyring.places_of(purpose):
        more: int | None = 1
        while more is not None:
            if stopping is not None and stopping.is_set():
                return False
            with _nobody_copies(services, purpose) as alone:
                if not alone:
                    return False
                with services.database.write() as connection:
                    more = keyring.step(connection, services.vault, purpose, place, services.blobs)
            if purpose in OBJECTS:
                time.sleep(_PAUSE_S * 2)  # let a backup come in between
    return True


def _nobody_copies(services: Services, purpose: str) -> AbstractContextManager[bool]:
    """Objects that a backup copies must open by the keys that it copied before."""
    return services.database.alone("backup") if purpose in OBJECTS else nullcontext(True)


def _under_way(services: Services) -> list[keyring.Exchange]:
    with services.database.read() as connection:
        return keyring.under_way(connection, services.clock())


def listed(services: Services) -> list[dict[str, Any]]:
    """Every purpose with its key, and what an exchange still waits for."""
    with services.database.read() as connection:
        rows = vault_keys.rows(connection)
        open_still = {it.purpose: it for it in keyring.under_way(connection, services.clock())}
    current = {it.purpose: it for it in rows if it.standing == "current"}
    found = []
    for group, purposes in GROUPS.items():
        for purpose in purposes:
            row, waits = current.get(purpose), open_still.get(purpose)
            found.append(
                {
                    "keys": group,
                    "purpose": purpose,
                    "generation": row.generation if row else 1,
                    "suite": row.suite if row else "international",
                    "made_at_ms": row.made_ms if row else None,
                    "under_way": waits is not None,
                    "waiting": _waiting(waits),
                }
            )
    return found


def _waiting(it: keyring.Exchange | None) -> str:
    if it is None:
        return ""
    return it.waiting or ("" if it.swept else "values of the former key are sealed anew")


def look(services: Services) -> None:
    """Take in new keys, and the next master key once its file holds it. Raises NotReady where this
    process's master key is no longer one."""
    with services.database.read() as connection:
        announced = master_key.next_announced(connection)
        ahead = announced and master_key.is_next(connection, services.vault.master)
    fresh = services.settings.master_key_now()
    if (announced or not _fits(services)) and not ahead and fresh != services.vault.master.text:
        _change(services, fresh)
    if not _fits(services):
        raise NotReady(
            "wrong_master_key",
            "the master key was exchanged: put the new one into ZHENXUE_MASTER_KEY_FILE",
        )


def _fits(services: Services) -> bool:
    try:
        with services.database.read() as connection:
            vault_keys.vault_of(connection)
            return master_key.require(connection, services.vault.master)
    except (Unsealable, master_key.WrongMasterKey):
        return False


def _change(services: Services, text: str) -> None:
    try:
        with services.database.read() as connection:
            master_key.require(connection, MasterKey(text))
        services.vault.change_master(text)
    except (Unsealable, master_key.WrongMasterKey):
        log.error("the file of the master key holds one that is not this database's")
    else:
        log.info("goes on with the next master key", fingerprint=services.vault.master.fingerprint)


def install(services: Services) -> None:
    """Look for new keys every few seconds; go on with exchanges that are not over."""
    former = Gauge(
        "zhenxue_master_key_former",
        "1 while another master key was announced that this process does not go by yet",
        registry=services.registry,
    )
    problem: list[NotReady] = []

    def round_() -> None:
        try:
            look(services)
            problem.clear()
        except NotReady as error:
            problem[:] = [error]
            log.error("keys", reason=error.detail)
        with services.database.read() as connection:
            behind = master_key.next_announced(connection) and not master_key.is_next(
                connection, services.vault.master
            )
        former.set(behind)

    def check() -> None:
        if problem:
            raise problem[0]

    def go_on() -> None:
        if _under_way(services):
            resume(services, "system", stopping=more.stopping)
        if photo_keys.left(services).learners:
            photo_keys.go_on(services, "system", stopping=more.stopping)

    eyes = Repeating("keys-look", LOOK_EVERY_S, round_)
    more = Repeating("keys-go-on", GO_ON_EVERY_S, go_on)
    services.checks["keys"] = check
    services.on_start += [eyes.start, more.start]
    services.on_stop += [eyes.stop, more.stop]
