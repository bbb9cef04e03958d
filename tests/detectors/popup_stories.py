"""Honest lessons with pop-ups, cut into sittings, and what networks do to their record."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from detectors.trace import NONE
from tests.detectors.stories import HONEST, HOUR_S, Sitting, ms

TENTH = 0.1
BREAKS_S = (1.0, 20.0, 200.0, 400.0, 900.0, 86_400.0)


def interval(rng: Random) -> float:
    return round(rng.uniform(180, 300), 1)


def lesson(
    rng: Random,
    cuts: Iterable[float],
    *,
    anew: bool,
    flags: int = HONEST,
    answer_s: tuple[float, float] = (0.4, 59.0),
    longest_s: float = 300.0,
) -> list[Sitting]:
    """A lesson in sittings that end at `cuts`, with pop-ups every 180 to 300 s of learning time,
    all answered; `anew`: after a break of more than five minutes their timer starts again."""
    sittings: list[Sitting] = []
    at = pos = 0.0
    left = min(interval(rng), longest_s)
    for stop in [*sorted(cuts), HOUR_S]:
        one = Sitting(at=at, pos=pos, resume=pos, flags=flags, window=len(sittings)).play()
        beat = rng.choice((5.0, 10.0, 15.0))
        while one.pos < stop - TENTH / 2:
            step = round(min(left, stop - one.pos), 1)
            one.watch(step, beat=beat)
            left = round(left - step, 1)
            if left < TENTH:
                left = min(interval(rng), longest_s)
                wait = round(rng.uniform(*answer_s), 1)
                stays = rng.random() < 0.6 or one.pos + wait > stop
                one.popup(wait, stop=stays, play_on=not stays)
        one.pause().idle(rng.choice((0.0, 30.0)))
        pause = rng.choice(BREAKS_S)
        at, pos = at + one.t + pause, one.pos
        if anew and pause > 300:
            left = min(interval(rng), longest_s)
        sittings.append(one)
    return sittings


def delivered(
    rng: Random, sitting: Sitting, slowest_s: float, outages_s: Iterable[float] = ()
) -> Sitting:
    """The same over a network that takes up to `slowest_s` for each event, some twice as late, and
    that lets nothing through for a while, after which all of it comes at once."""
    received: dict[int, int] = {}
    events = []
    held = [(start, start + long) for long in outages_s for start in (rng.uniform(0, sitting.t),)]
    for event in sitting.events:
        delay = rng.uniform(0, slowest_s) * (1 if rng.random() < 0.97 else 2)
        until = [end for start, end in held if start <= event[1] / 1000 < end]
        at = max([event[1] + ms(delay), *(ms(end) for end in until)])
        received[event[2]] = at
        events.append((event[0], at, *event[2:]))
    controls = []
    for row in sitting.controls:
        shown, answered = (received.get(row[at], NONE) for at in (5, 6))
        controls.append((*row[:2], shown, answered, *row[4:]))
    sitting.events, sitting.controls = events, controls
    sitting.t = max(sitting.t, max(event[1] for event in events) / 1000)
    return sitting
