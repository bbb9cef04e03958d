"""What it costs to look a photograph up among all of an installation.

    [ZHENXUE_DATABASE_URL=postgresql+psycopg://…] python -m benchmarks.photo_codes [--photos 100000]

Codes are drawn with a few things in common, so that they crowd in the bands as faces' do, by some
ten times. Looked up are photographs that are there, changed in some bits, and others that are not.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, text

from app.bench import throw_away
from app.bench.machine import machine
from app.clock import system_clock
from app.db import Database
from app.domain.faces import photo_codes
from app.settings import Settings
from app.store.faces import photo_codes as store
from app.vision.code_bits import BITS, SIZE, around, bands
from models import PhotoCode

IN_COMMON = 24
CHANGED = 11  # bits, of what is looked up again
LOOKED_UP = 100
_ROWS = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, nargs="*", default=[100_000])
    arguments = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        database = Database(settings.resolved_database_url)
        there = 0
        for photos in sorted(arguments.photos):
            stored = fill(database, photos - there, seed=there)
            there = photos
            measure(database, photos, stored[-LOOKED_UP:])
        database.close()


def fill(database: Database, photos: int, seed: int) -> list[bytes]:
    """Enter so many; their codes."""
    rng = np.random.default_rng(seed)
    codes: list[bytes] = []
    started = time.perf_counter()
    for at in range(0, photos, _ROWS):
        drawn = _drawn(rng, min(_ROWS, photos - at))
        rows = [
            {"codes": it} | {f"band_{number}": value for number, value in enumerate(bands(it))}
            for it in drawn
        ]
        with database.write() as connection:
            connection.execute(insert(PhotoCode), rows)
        codes += drawn
    each = (time.perf_counter() - started) / photos
    print(f"  {photos:,} entered, {each * 1e6:.0f} µs each")
    return codes


def _drawn(rng: np.random.Generator, count: int) -> list[bytes]:
    mixtures = np.random.default_rng(1).normal(size=(IN_COMMON, BITS))
    bits = rng.normal(size=(count, IN_COMMON)) @ mixtures > 0
    return [_codes(row) for row in bits]


def _codes(bits: NDArray[np.bool_]) -> bytes:
    code = np.packbits(np.pad(bits, (8 * SIZE - BITS, 0))).tobytes()
    return code + np.packbits(np.pad(bits[::-1], (8 * SIZE - BITS, 0))).tobytes()


def measure(database: Database, photos: int, stored: list[bytes]) -> None:
    rng = np.random.default_rng(7)
    changed = [_changed(it, rng) for it in stored]
    with database.write() as connection:
        connection.execute(text("analyze"))
    for name, asked in (("there, changed", changed), ("not there", _drawn(rng, LOOKED_UP))):
        took, rows, found = [], 0, 0
        with database.read() as connection:
            for codes in asked:
                started = time.perf_counter()
                near = photo_codes.near(connection, codes)
                took.append((time.perf_counter() - started) * 1000)
                rows += len(store.in_bands(connection, around(codes)))
                found += bool(near)
        print(
            f"  {photos:,} photos, {name}: {found} of {len(asked)} found something,"
            f" p50 {np.median(took):.1f} ms, p99 {np.percentile(took, 99):.1f} ms,"
            f" {rows / len(asked):,.0f} codes compared"
        )


def _changed(codes: bytes, rng: np.random.Generator) -> bytes:
    code = int.from_bytes(codes[:SIZE], "big")
    for bit in rng.choice(BITS, CHANGED, replace=False).tolist():
        code ^= 1 << bit
    return code.to_bytes(SIZE, "big") + codes[SIZE:]


if __name__ == "__main__":
    main()
