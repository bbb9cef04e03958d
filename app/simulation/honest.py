"""Randomly composed honest sittings, for the false-accusation budget.

Whatever is drawn, the person is honest and the software does what ours does: pop-ups come when due
on the learning clock even offline if they were already revealed, otherwise with the first answer
after the outage; play stops while one is open and stays stopped until it, or its re-issue, is
answered. One limit: an outage never plays on into the last 90 s, so that photo times that came
due meanwhile still find the learner at the lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random

from app.simulation.behaviour import absent, at_first, facing
from app.simulation.service import Controls
from app.simulation.sitting import Device, Habits, Passage, Sitting
from app.simulation.stage import DAY_S, Setting, Stage, reference_photo, simulated
from app.simulation.world import Camera, DeviceClock, Input, Network, Person, Photo, Record

TAIL_S = 90.0
_LESSONS_S = (600.0, 900.0, 1500.0, 2400.0, 2700.0, 3000.0)

Mishap = Callable[[Sitting], Passage]
Leaving = Generator[float, None, tuple[float, DeviceClock, Device]]


@dataclass(frozen=True, slots=True)
class HonestScene:
    """One honest learner in one lesson: where, what the platform received, what photos show."""

    setting: Setting
    evidence: list[Record]
    photos: dict[str, Photo]

    @property
    def catalogue(self) -> list[Record]:
        """Course, class, roster and the reference photo's record."""
        learner = self.setting.learner
        photo, _ = reference_photo(learner, self.setting.start_ms - 3 * 86_400_000)
        return [*self.setting.catalogue([learner]), photo]


def honest_scene(seed: int, media_s: float | None = None) -> HonestScene:
    """The same seed gives the same scene. Lessons last 600 to 3,000 s unless `media_s` says."""
    rng = Random(f"honest/{seed}")
    setting = Setting(media_s=media_s or rng.choice(_LESSONS_S))
    service = simulated(setting, rng, Controls())
    stage = Stage("honest", setting, seed, service, rng)
    stage.alongside(_study(stage))
    stage.perform()
    return HonestScene(setting, service.records(), service.photos)


def random_honest(seed: int, media_s: float | None = None) -> list[Record]:
    """The records of `honest_scene` alone: sessions, controls, events, snapshots."""
    return honest_scene(seed, media_s).evidence


def _study(stage: Stage) -> Passage:
    """The whole lesson, in one sitting or several."""
    rng = stage.rng
    clock = _clock(rng, stage.setting.start_ms)
    device = Device(f"device-{stage.learner.learner_id}")
    at_s = 0.0
    breaks = rng.choices((0, 1, 2, 3), (70, 18, 8, 4))[0]
    parts = [part * stage.media_s for part in sorted(rng.uniform(0.1, 0.9) for _ in range(breaks))]
    for goal in [*parts, stage.media_s]:
        sitting = stage.sitting(
            at_s=at_s,
            device=device,
            clock=clock,
            network=_network(rng),
            person=_person(rng),
            camera=_camera(stage),
            habits=_habits(rng),
        )
        settle_s = 75.0 if rng.random() < 0.1 else 0.0
        yield from sitting.open(settle_s)
        sitting.speed = 1.0 + rng.gauss(0.0, 1e-4)  # a media clock is not the server's clock
        if rng.random() < 0.08:
            sitting.set_speed(rng.choice((0.5, 0.75, 0.9)))
        yield from _with_mishaps(sitting, goal)
        if goal == stage.media_s:
            if rng.random() < 0.1:
                sitting.crash()  # after the end: nobody says goodbye
            else:
                yield from sitting.end()
            return
        if rng.random() < 0.05:
            sitting.crash()
            return  # gave up, and never came back
        at_s, clock, device = yield from _leave(stage, sitting, clock, device)


def _leave(stage: Stage, sitting: Sitting, clock: DeviceClock, device: Device) -> Leaving:
    """Break off; returns when, by which clock and on which device the next sitting begins."""
    rng = stage.rng
    way = rng.choices(("close", "reload", "crash", "handover"), (40, 35, 15, 10))[0]
    if way == "close":
        sitting.pause()
        yield from sitting.close()
        return sitting.t + rng.choice((120.0, 3600.0, DAY_S)), clock, device
    if way == "reload":
        yield from sitting.reload()
        return sitting.t + rng.uniform(0.8, 6.0), clock, device
    if way == "crash":
        sitting.crash()
        return sitting.t + rng.uniform(20.0, 900.0), clock, device
    yield from sitting.until_online()
    sitting.pause()
    yield from sitting.close("taken_over")
    other = Device(f"{device.device_id}-{len(stage.sittings)}")
    return sitting.t + rng.uniform(0.1, 8.0), _clock(rng, stage.setting.start_ms), other


def _with_mishaps(sitting: Sitting, goal: float) -> Passage:
    """Watch to `goal`, with a handful of mishaps on the way."""
    rng = sitting.rng
    count = rng.choices((0, 1, 2, 3, 5, 8), (20, 25, 20, 15, 12, 8))[0]
    span = goal - sitting.position
    times = sorted(sitting.position + rng.random() * span for _ in range(count))
    for at in times:
        yield from sitting.watch(at)
        if sitting.position < goal:
            yield from rng.choice(_MISHAPS)(sitting)
    yield from sitting.watch(goal)


def _outage(sitting: Sitting) -> Passage:
    rng = sitting.rng
    length = rng.choice((rng.uniform(2, 30), rng.uniform(30, 180), rng.uniform(180, 900)))
    buffer = rng.choice((rng.uniform(10, 60), 900.0))
    start = sitting.t
    sitting.network.outages.append((start, start + length))
    playable = min(buffer, sitting.media_s - TAIL_S - 9 * rng.random() - sitting.position)
    if playable > 0:
        yield from sitting.watch(min(sitting.position + playable, sitting.position + length))
    left = start + length - sitting.t
    if left > 0:
        yield from sitting.stall(left + rng.uniform(0.0, 3.0))


def _buffering(sitting: Sitting) -> Passage:
    rng = sitting.rng
    for _ in range(rng.randint(1, 12)):
        yield from sitting.stall(rng.uniform(0.3, rng.choice((6.0, 90.0))))
        yield from sitting.watch_for(rng.uniform(2.0, 7.0))


def _pause(sitting: Sitting) -> Passage:
    rng = sitting.rng
    yield from sitting.pause_for(rng.choice((rng.uniform(1, 60), rng.uniform(60, 1800))))


def _sleep(sitting: Sitting) -> Passage:
    rng = sitting.rng
    yield from sitting.sleep(rng.choice((rng.uniform(5, 40), rng.uniform(40, 1200))))


def _rewind(sitting: Sitting) -> Passage:
    rng = sitting.rng
    mark = sitting.position
    sitting.seek(max(0.0, mark - rng.uniform(5, 600)))
    if rng.random() < 0.4:
        yield from sitting.watch_for(rng.uniform(1, 20))
        # Jumping forward again stays a little inside what was seen: nobody hits the very frame.
        if sitting.position < mark - 2:
            sitting.seek(mark - rng.uniform(0.5, 2.0))


def _blocked_drag(sitting: Sitting) -> Passage:
    sitting.seek(
        min(sitting.media_s, sitting.position + sitting.rng.uniform(30, 900)), blocked=True
    )
    yield from sitting.watch_for(1.0)


def _hidden_and_stopped(sitting: Sitting) -> Passage:
    sitting.show(False)
    sitting.pause()
    yield from sitting.idle(sitting.rng.uniform(2, 900))
    sitting.show(True)
    sitting.play()


def _hidden_and_playing(sitting: Sitting) -> Passage:
    """Sound goes on behind another tab, throttled and uncredited; the learner then goes back."""
    rng = sitting.rng
    mark, speed = sitting.position, sitting.speed
    sitting.show(False)
    sitting.speed = speed * rng.uniform(0.74, 1.0)
    yield from sitting.idle(rng.uniform(2, 120))
    sitting.speed = speed
    sitting.show(True)
    sitting.seek(max(0.0, mark - rng.uniform(0.2, 10)))


def _blurred(sitting: Sitting) -> Passage:
    mark = sitting.position
    sitting.focus(False)
    yield from sitting.watch_for(sitting.rng.uniform(1, 60))
    sitting.focus(True)
    if sitting.rng.random() < 0.5:
        sitting.seek(mark)


def _clock_step(sitting: Sitting) -> Passage:
    step = sitting.rng.choice((-1, 1)) * sitting.rng.uniform(0.5, 7200)
    sitting.clock.steps += ((sitting.t, step),)
    yield from sitting.watch_for(1.0)


_MISHAPS: tuple[Mishap, ...] = (
    _outage,
    _outage,
    _buffering,
    _pause,
    _sleep,
    _rewind,
    _blocked_drag,
    _hidden_and_stopped,
    _hidden_and_playing,
    _blurred,
    _clock_step,
)


def _clock(rng: Random, start_ms: int) -> DeviceClock:
    offset = rng.choice((rng.uniform(-3, 3), rng.uniform(-600, 600), rng.uniform(-1e6, 1e6)))
    return DeviceClock(start_ms, offset_s=offset, drift=rng.gauss(0.0, 0.003))


def _network(rng: Random) -> Network:
    slowest = rng.choices((0.1, 1.0, 4.0), (70, 20, 10))[0]
    return Network(
        latency_s=(0.02, slowest),
        duplicated=rng.choices((0.0, 0.05, 0.5), (70, 20, 10))[0],
        overtaken=rng.choices((0.0, 0.05, 0.3), (70, 20, 10))[0],
        every_batch_twice=rng.random() < 0.03,
    )


def _person(rng: Random) -> Person:
    quickest, slowest = rng.choice(((1.2, 9.0), (0.45, 0.9), (3.0, 25.0), (1.0, 58.0)))
    absences: dict[int, float] = {}
    if rng.random() < 0.25:
        # Never two in a row: whoever comes back answers the re-issued pop-up.
        for popup in rng.sample((1, 3, 5, 7, 9, 11), rng.randint(1, 2)):
            absences[popup] = rng.choice((rng.uniform(61, 200), rng.uniform(200, 2400)))
    by_hand: tuple[Input, ...] = ("pointer", "pointer", "touch")
    keys: Input = "keyboard" if slowest < 1.0 else rng.choice(by_hand)
    return Person(keys, quickest, slowest, absences, late_answers=rng.random() < 0.3)


def _camera(stage: Stage) -> Camera:
    good = facing(stage.learner)
    kind = stage.rng.random()
    if kind < 0.06:
        return at_first(absent, 1, good)
    if kind < 0.12:
        return at_first(facing(stage.learner, "dark"), 1, good)
    return good


def _habits(rng: Random) -> Habits:
    beats = rng.choices(
        ((10.0, 10.004), (5.0, 5.002), (14.9, 15.0), (10.0, 25.0)), (60, 15, 10, 15)
    )[0]
    slow = beats[1] > 20
    return Habits(
        heartbeat_s=beats,
        display_delay_s=3.0 if slow else 0.0,
        photo_delay_s=(4.0, 12.0) if slow else (1.5, 5.0),
    )
