"""Sittings one after the other: the network tells of the first while the second already plays."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.trace import Kind
from tests.detectors.stories import Sitting, found, reasons

FILM_S = 600.0
# Neither pop-ups nor photos are told of here.
RULES = ("fast_forward", "multi_window", "lesson_order", "shared_device", "contradicting_times")


def accused(*sittings: Sitting) -> list[tuple[str, str]]:
    """What the rules on time and order say of sittings of films of ten minutes."""
    films = [FILM_S] * 3
    return [(it, reason) for it in RULES for reason in reasons(found(it, *sittings, lessons=films))]


@dataclass(frozen=True)
class Line:
    """What of a sitting's last `outage` seconds is told in so many pieces, `speed` times as fast as
    they grew: one after the other or, where one was lost on the way, with all of the time before
    the later half. The last word is `jitter` seconds on the way, or as long as the pieces are."""

    beat: float
    outage: float
    pieces: int
    speed: float
    lost: bool
    jitter: float


def studied(
    begin: float, until: float, *, at: float, lesson: int, window: int, device: int, line: Line
) -> Sitting:
    """A film from `begin` to `until`."""
    one = Sitting(at=at, lesson=lesson, window=window, device=device, pos=begin, resume=begin)
    ends = until - begin
    one.play().watch(max(ends - line.outage, 0.0), beat=line.beat)
    silent = ends - one.t
    kept = [one.t + line.beat * n for n in range(1, int(silent // line.beat) + 1)]
    apart = silent / (line.speed * line.pieces)
    half = line.pieces // 2
    for n, client in enumerate(kept):
        piece = n * line.pieces // len(kept)
        if line.lost:
            piece = half + 1 if piece >= half else 0
        received = ends + apart * piece
        one.tell(Kind.PROGRESS, received, begin + client, client=client)
    took = max(apart * max(line.pieces - 1, half + 1), min(line.jitter, silent / line.speed))
    ended = Kind.ENDED if until == FILM_S else Kind.PAUSE
    one.tell(ended, ends + (took if kept else line.jitter), until, client=ends)
    return one


@settings(max_examples=200, deadline=None)
@given(
    stops=st.floats(60, FILM_S),
    beat=st.sampled_from([2, 5, 10, 15]),
    outage=st.sampled_from([0, 10, 20, 40, 60, 120, 300, 550]),
    pieces=st.integers(1, 12),
    speed=st.sampled_from([4.0, 5.0, 20.0, 1000.0]),
    lost=st.booleans(),
    jitter=st.sampled_from([0, 0.5, 1.4, 5, 20]),
    gap=st.sampled_from([0, 1, 5, 30]),
    device=st.integers(0, 1),
)
# A film of which the last word comes as the next film begins.
@example(FILM_S, 10, 0, 1, 4.0, False, 0.5, 0, 0)
@example(FILM_S, 15, 20, 8, 20.0, False, 0.5, 0, 0)
# A backlog that comes slowly, while play goes on elsewhere.
@example(FILM_S, 5, 300, 12, 4.0, False, 0, 1, 1)
@example(500.0, 10, 300, 12, 4.0, False, 0, 20, 1)
# A page that was never heard of in time.
@example(60.0, 2, 60, 12, 4.0, False, 0, 0, 0)
def test_what_is_told_late_of_one_sitting_accuses_nobody_of_the_next(
    stops: float,
    beat: float,
    outage: float,
    pieces: int,
    speed: float,
    lost: bool,
    jitter: float,
    gap: float,
    device: int,
) -> None:
    """The film is left at `stops` and seen to its end elsewhere, then comes the next one."""
    line = Line(beat, outage, pieces, speed, lost, jitter)
    parts = [(0.0, stops, 0), (stops, FILM_S, 0)] if stops < FILM_S else [(0.0, FILM_S, 0)]
    parts += [(0.0, FILM_S, 1), (0.0, FILM_S, 2)]
    sittings, at = [], 0.0
    for window, (begin, until, lesson) in enumerate(parts):
        on = device if window else 0
        one = studied(begin, until, at=at, lesson=lesson, window=window, device=on, line=line)
        sittings.append(one)
        at += until - begin + gap
    assert accused(*sittings) == []
