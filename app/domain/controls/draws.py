"""What a sitting's secret seed decides: when its controls fall due, and what they ask for.

The seed is 32 random bytes from the operating system. Its SHA-256, the commitment, is told when
the sitting starts; the seed itself is revealed when it is over. Every number below is

    HMAC-SHA256(seed, "zhenxue:<label>:<n>"), first 8 bytes, big-endian, as a fraction of 2**64

so that an auditor can recompute each of them and see that nobody chose them. The number of a draw
and the stretches it was made over stand in the ledger; `verify` holds a ledger against its seed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TURNS = ("turn_left", "turn_right")
MOVES = ("nearer", "farther")

LessonPart = tuple[int, int, int]  # lesson, first and last content millisecond (half-open)


def new_seed() -> bytes:
    return secrets.token_bytes(32)


def commitment(seed: bytes) -> bytes:
    return hashlib.sha256(seed).digest()


def whole(seed: bytes, label: str, n: int, low: int, high: int) -> int:
    """Draw `n` under `label`, uniform over the whole numbers low … high, both included."""
    word = int.from_bytes(_digest(seed, label, n)[:8], "big")
    return low + (word * (high - low + 1) >> 64)


def popup_interval_ms(seed: bytes, n: int, low_ms: int, high_ms: int) -> int:
    """Learning time from one effective pop-up to the next, in milliseconds."""
    return whole(seed, "popup", n, low_ms, high_ms)


def photo_point(seed: bytes, n: int, stretches: Sequence[LessonPart]) -> tuple[int, int]:
    """(lesson, content position in ms) of draw `n`, uniform over `stretches` laid end to end."""
    offset = whole(seed, "photo", n, 0, sum(end - start for _, start, end in stretches) - 1)
    for lesson, start, end in stretches:
        if offset < end - start:
            return lesson, start + offset
        offset -= end - start
    raise ValueError("no stretch to draw a photo point from")


def actions(seed: bytes, n: int, *, moves: bool = False) -> list[str]:
    """What face check `n` asks for, in order: two head turns, and with `moves` one step nearer or
    farther before, between or after them."""
    drawn = [TURNS[whole(seed, "action", 2 * n + step, 0, 1)] for step in range(2)]
    if moves:
        move = MOVES[whole(seed, "move", 2 * n, 0, 1)]
        drawn.insert(whole(seed, "move", 2 * n + 1, 0, len(drawn)), move)
    return drawn


def challenge_id(seed: bytes, kind: str, n: int) -> str:
    """Name of the n-th control of a kind: the same in every process, guessed by nobody."""
    return _digest(seed, f"challenge:{kind}", n)[:10].hex()


def nonce(seed: bytes, kind: str, n: int) -> str:
    return _digest(seed, f"nonce:{kind}", n)[:16].hex()


@dataclass(frozen=True, slots=True)
class PopupDraw:
    """Interval `n` as the ledger claims that it was drawn."""

    n: int
    low_ms: int
    high_ms: int
    interval_ms: int


@dataclass(frozen=True, slots=True)
class PhotoDraw:
    """Photo point `n` as the ledger claims that it was drawn."""

    n: int
    stretches: tuple[LessonPart, ...]
    lesson: int
    position_ms: int


def verify(
    seed: bytes, committed: bytes, popups: Iterable[PopupDraw], photos: Iterable[PhotoDraw]
) -> list[str]:
    """What in a ledger does not follow from the revealed seed; empty when all of it does."""
    wrong: list[str] = []
    if commitment(seed) != committed:
        wrong.append("the seed is not the one that was committed to at the start")
    for popup in popups:
        drawn = popup_interval_ms(seed, popup.n, popup.low_ms, popup.high_ms)
        if drawn != popup.interval_ms:
            wrong.append(f"pop-up {popup.n}: {popup.interval_ms} ms stands for {drawn} ms")
    for photo in photos:
        point = photo_point(seed, photo.n, photo.stretches)
        if point != (photo.lesson, photo.position_ms):
            claimed = (photo.lesson, photo.position_ms)
            wrong.append(f"photo {photo.n}: {claimed} stands for {point}")
    return wrong


def _digest(seed: bytes, label: str, n: int) -> bytes:
    return hmac.new(seed, f"zhenxue:{label}:{n}".encode(), hashlib.sha256).digest()
