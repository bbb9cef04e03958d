"""Stored photos encrypted anew, with the command killed on its way."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from sqlalchemy import select

from app.security import Unsealable, unseal
from app.services import Services
from app.settings import Settings
from app.store.faces import face_keys
from models import Learner
from tests.drills.service import environment
from tests.drills.stage import Stage
from tests.drills.troubles import people

LEARNERS, EACH, BYTES = 100, 40, 48_000  # photos of a burst, as large as they are
Kept = dict[str, bytes]


def photos_encrypted(at: Stage) -> None:
    """Photos of a hundred people get other keys, by a command that is killed twice."""
    people(at.settings, LEARNERS)
    before, leaked = _store(at.settings)
    variables = environment(at.settings)
    words = [sys.executable, "-m", "app.cli.main", "keys"]
    for kill in range(2):
        command = subprocess.Popen([*words, "photos", "--now"], env=variables)
        done, until = _anew(at.settings, leaked), time.monotonic() + 90
        while _anew(at.settings, leaked) <= done + 50 and time.monotonic() < until:
            time.sleep(0.02)
        command.kill()
        command.wait()
        left = len(before) - _anew(at.settings, leaked)
        at.require(0 < left < len(before), f"kill {kill}: it was over, or had not begun")
        at.require(_opened(at.settings) == before, "photos do not open half-way")
    began = time.monotonic()
    at.require(
        subprocess.run([*words, "resume", "--now"], env=variables).returncode == 0, "not gone on"
    )
    print(f"  {left} photos anew in {time.monotonic() - began:.1f} s, of it 20 s of grace")
    at.require(_anew(at.settings, leaked) == len(before), "a leaked key still opens photos")
    at.require(_opened(at.settings) == before, "photos are gone, or others")
    at.trouble_is_over()


def _store(settings: Settings) -> tuple[Kept, dict[int, bytes]]:
    """Photos of everybody who was entered, and their keys."""
    services = Services.build(settings)
    kept: Kept = {}
    leaked: dict[int, bytes] = {}
    with services.database.write() as connection:
        query = select(Learner.id).where(Learner.external_id.startswith("drill-"))
        for learner_id in connection.execute(query).scalars().all():
            key = face_keys.ensure_key(connection, services.vault, learner_id, 1)
            leaked[learner_id] = bytes(key)
            for n in range(EACH):
                name, data = f"learners/{learner_id}/drill/{n}", os.urandom(BYTES)
                services.photos.put(key, name, data)
                kept[name] = data
    services.stop()
    return kept, leaked


def _opened(settings: Settings) -> Kept:
    """What opens as the service reads it."""
    services = Services.build(settings)
    found: Kept = {}
    with services.database.read() as connection:
        for name in services.blobs.e_tags("learners/"):
            if "/drill/" in name:
                key = face_keys.key(connection, services.vault, int(name.split("/")[1]))
                found[name] = services.photos.opened(key or b"", name)
    services.stop()
    return found


def _anew(settings: Settings, leaked: dict[int, bytes]) -> int:
    """How many photos the leaked keys do not open."""
    services = Services.build(settings)
    shut = 0
    for name in services.blobs.e_tags("learners/"):
        if "/drill/" in name:
            try:
                unseal(leaked[int(name.split("/")[1])], services.blobs.get(name), name.encode())
            except Unsealable:
                shut += 1
    services.stop()
    return shut
