"""When the frames of a burst were taken, as far as their arrival bears out what the client says.

A line that delays each photo by another time makes a quick turn look slow. The client's own clock
tells how far apart its frames are; where it stands against the server's nobody knows. So the frame
that travelled least counts as taken when it arrived: none is then later than its arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

LONGEST_ON_THE_WAY_MS = 30_000  # product default: 23 photos, four at a time, 1 to 8 s each


def as_taken(
    received_ms: Sequence[int],
    taken_ms: Sequence[int | None],
    longest_ms: int = LONGEST_ON_THE_WAY_MS,
) -> list[int] | None:
    """Times on the server's clock, of frames in the order taken: at most their `received_ms`, and
    at most `longest_ms` less. None where a frame has no time of the client (`taken_ms`), where
    these do not rise, or where one would have been longer on the way."""
    told = [it for it in taken_ms if it is not None]
    if not told or len(told) < len(taken_ms) or any(b <= a for a, b in pairwise(told)):
        return None
    behind = [at - it for at, it in zip(received_ms, told, strict=True)]
    least = min(behind)
    if max(behind) - least > longest_ms:
        return None
    return [it + least for it in told]
