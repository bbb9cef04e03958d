"""Every photo of the installation, looked up by how its face looks (`app/vision/photo_code.py`).

What is found so is a candidate: the pixels prove it (`photo_copies`), and a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.store.faces import photo_codes as store
from app.store.faces.photo_codes import PhotoDue
from app.vision.code_bits import MOST_APART, apart, around, bands


@dataclass(frozen=True, slots=True)
class NearPhoto:
    """A photo that may be the same photograph, of a sitting or enrolled; `bits` that differ."""

    bits: int
    snapshot_id: int | None
    reference_photo_id: int | None


def near(connection: Connection, codes: bytes) -> list[NearPhoto]:
    """The photos that lie near, or near the mirror image; the nearest first."""
    rows = store.in_bands(connection, around(codes))
    if not rows:
        return []
    bits = apart(codes, [row.codes for row in rows]).tolist()
    found = [
        NearPhoto(differ, row.snapshot_id, row.reference_photo_id)
        for differ, row in zip(bits, rows, strict=True)
        if differ <= MOST_APART
    ]
    return sorted(found, key=lambda it: it.bits)


def enter_snapshot(connection: Connection, snapshot_id: int, codes: bytes | None) -> None:
    """Have a photo of a sitting found from now on; without a face it has no codes."""
    if codes is not None:
        store.put_snapshot(connection, snapshot_id, codes, bands(codes))


def enter_reference(connection: Connection, photo_id: int, codes: bytes | None) -> None:
    """Have an enrolled photo found from now on."""
    if codes is not None:
        store.put_reference(connection, photo_id, codes, bands(codes))


def settle(connection: Connection, read: dict[int, tuple[PhotoDue, bytes | None]]) -> None:
    """Enter what was read of photos from before the codes, but for those that went meanwhile."""
    for due_id in store.settle_due(connection, read):
        photo, codes = read[due_id]
        if photo.snapshot_id is not None:
            enter_snapshot(connection, photo.snapshot_id, codes)
        elif photo.reference_photo_id is not None:
            enter_reference(connection, photo.reference_photo_id, codes)
