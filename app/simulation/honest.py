"""Randomly composed honest learners, for the false-accusation budget.

Whatever is drawn, the person is honest and the software does what ours does, or what other players
do (`oddities`): pop-ups come when due on the learning clock even offline if they were already
revealed, otherwise with the first answer after the outage; what is not answered is issued once
more, and then the sitting is stopped and entered again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from app.clock import DAY_MS
from app.simulation.behaviour import facing, ignore_while_playing
from app.simulation.entities import DeviceClock, HeadTurns, JudgeBurst, Photo, Record
from app.simulation.environment import (
    DAY_S,
    Setting,
    SimulatedEnvironment,
    reference_photo,
    simulated,
)
from app.simulation.oddities import CIRCUMSTANCES, MISHAPS, Fittings, Mishap
from app.simulation.service import Controls
from app.simulation.sitting import Device, Passage, SimulatedSitting

_LESSONS_S = (600.0, 900.0, 1500.0, 2400.0, 2700.0, 3000.0)
LEASE_S = 120.0

WAYS = {  # of leaving a sitting half-way, with how often
    "closed": (
        30,
        "分几次学完，间隔数分钟至一天",
        "closed, gone on with minutes to a day later",
    ),
    "reloaded": (20, "刷新页面，同一会话继续", "the page is loaded anew, in the same sitting"),
    "opened_anew": (15, "刷新页面，另开会话", "the page is loaded anew, in another sitting"),
    "crashed": (15, "浏览器崩溃后续学", "the browser crashes"),
    "handed_over": (
        15,
        "换设备，两端短暂重叠，旧设备最后的记录可能晚到一分钟",
        "another device takes over, both on for seconds; the old one may tell its last late",
    ),
    "silent": (
        10,
        "超过租期的中断",
        "silent beyond the lease, then on in the same sitting",
    ),
}

Leaving = Generator[float, None, "tuple[float, DeviceClock, Device, str] | None"]


@dataclass(frozen=True, slots=True)
class HonestScene:
    """One honest learner in one lesson: where, what the platform received, what photos show.

    `oddities` name what befell the learner; `seen_s` is the content that played before the
    learner's eyes, each second once, and `whole` whether that is all of the film. `asked`: the head
    turns of face checks, by challenge.
    """

    setting: Setting
    evidence: list[Record]
    photos: dict[str, Photo]
    oddities: frozenset[str]
    seen_s: float
    whole: bool
    asked: Mapping[str, HeadTurns] = field(default_factory=dict)

    @property
    def catalogue(self) -> list[Record]:
        """Course, class, roster and the reference photo's record."""
        learner = self.setting.learner
        photo, _ = reference_photo(learner, self.setting.start_ms - 3 * DAY_MS)
        return [*self.setting.catalogue([learner]), photo]


def honest_scene(
    seed: int,
    media_s: float | None = None,
    only: frozenset[str] | None = None,
    holes: tuple[tuple[float, float], ...] = (),
    judge: JudgeBurst | None = None,
) -> HonestScene:
    """The same seed gives the same scene. Lessons last 600 to 3,000 s unless `media_s` says.
    With a `judge` face checks are bursts, as this service asks for them; else it is a platform's
    own log.

    `only` are the oddities and ways of leaving that happen, once each, instead of drawn ones;
    `holes` what the film lacks, (from, to) in seconds.
    """
    rng = Random(f"honest/{seed}")
    setting = Setting(media_s=media_s or rng.choice(_LESSONS_S))
    service = simulated(setting, rng, Controls(), judge)
    env = SimulatedEnvironment("honest", setting, seed, service, rng)
    story = Story(env, only, holes)
    env.alongside(story.study())
    env.perform()
    evidence = service.records()
    if story.closes_early:
        evidence = _closed_by_the_lease(evidence)
    seen, following = (story.seen_s(lesson) for lesson in (1, 2))
    whole = seen >= setting.media_s * story.film - 1.0
    return HonestScene(
        setting,
        evidence,
        service.photos,
        frozenset(story.met),
        seen + following,
        whole,
        service.asked,
    )


def random_honest(seed: int, media_s: float | None = None) -> list[Record]:
    """The records of `honest_scene` alone: sessions, controls, events, snapshots."""
    return honest_scene(seed, media_s).evidence


class Story:
    """How one learner gets through the lesson, in one sitting or several."""

    def __init__(
        self,
        env: SimulatedEnvironment,
        only: frozenset[str] | None = None,
        holes: tuple[tuple[float, float], ...] = (),
    ) -> None:
        self.env, self.rng, self.only, self.holes = env, env.rng, only, holes
        self.met: set[str] = set()
        self.film = 1.0
        self.closes_early = False

    def study(self) -> Passage:
        env, rng = self.env, self.rng
        clock = DeviceClock(env.setting.start_ms, offset_s=rng.uniform(-3, 3))
        device = Device(f"device-{env.learner.learner_id}")
        fittings = self._fittings(clock)
        self.film = fittings.film
        film_s = env.media_s * fittings.film
        at_s = 0.0
        for goal in [*self._breaks(film_s), film_s]:
            sitting = self._sitting(fittings, at_s, device)
            yield from sitting.open(75.0 if rng.random() < 0.1 else 0.0)
            if fittings.speed != 1.0:
                sitting.set_speed(fittings.speed)
            sitting.speed *= 1.0 + rng.gauss(0.0, 1e-4)  # a media clock is not the server's clock
            yield from self._with_mishaps(sitting, goal)
            if goal == film_s:
                yield from self._end(sitting)
                return
            left = yield from self._leave(sitting, fittings.clock, device)
            if left is None:
                return  # gave up, and never came back
            at_s, clock, device, way = left
            if way in ("silent", "reloaded"):
                yield from self._with_mishaps(sitting, film_s)
                yield from self._end(sitting)
                return
            fittings = replace(self._fittings(clock), film=fittings.film)

    def seen_s(self, lesson: int) -> float:
        """What of a lesson has been seen so far, each second once."""
        name = self.env.setting.lesson_id(lesson)
        return _union(
            [part for it in self.env.sittings if it.lesson_id == name for part in it.seen]
        )

    def _fittings(self, clock: DeviceClock) -> Fittings:
        env = self.env
        rng = Random(self.rng.getrandbits(64))
        it = Fittings(rng, env.learner, env.setting.start_ms, clock)
        for oddity in CIRCUMSTANCES.values():
            if self._happens(oddity.name, oddity.share):
                oddity.act(it)
        return it

    def _happens(self, name: str, share: float) -> bool:
        happens = self.rng.random() < share if self.only is None else name in self.only
        if happens:
            self.met.add(name)
        return happens

    def _sitting(
        self, fittings: Fittings, at_s: float, device: Device, lesson: int = 1
    ) -> SimulatedSitting:
        sitting = self.env.sitting(
            at_s=at_s,
            lesson=lesson,
            device=device,
            clock=fittings.clock,
            network=fittings.network,
            person=fittings.person,
            camera=fittings.camera or facing(self.env.learner),
            habits=fittings.habits,
        )
        sitting.media_s *= fittings.film
        sitting.holes = self.holes
        sitting.focused = fittings.focused
        return sitting

    def _breaks(self, film_s: float) -> list[float]:
        if self.only is not None:
            breaks = len(self.only & WAYS.keys())
        else:
            breaks = self.rng.choices((0, 1, 2, 3), (64, 22, 9, 5))[0]
        return [part * film_s for part in sorted(self.rng.uniform(0.1, 0.9) for _ in range(breaks))]

    def _with_mishaps(self, sitting: SimulatedSitting, goal: float) -> Passage:
        """Watch to `goal`, with a handful of mishaps on the way."""
        rng = self.rng
        names = list(MISHAPS)
        if self.only is not None:
            drawn = [name for name in names if name in self.only] * 2
        else:
            count = rng.choices((0, 1, 2, 3, 5, 8), (20, 25, 20, 15, 12, 8))[0]
            drawn = rng.choices(names, [MISHAPS[name].share for name in names], k=count)
        span = goal - sitting.position
        times = sorted(sitting.position + rng.random() * span for _ in drawn)
        for at, name in zip(times, drawn, strict=True):
            yield from sitting.watch(at)
            if sitting.position < goal:
                self.met.add(name)
                act: Mishap = MISHAPS[name].act
                yield from act(sitting)
        yield from sitting.watch(goal)

    def _end(self, sitting: SimulatedSitting) -> Passage:
        rng = self.rng
        if self.only is None and rng.random() < 0.1:
            sitting.crash()  # after the end: nobody says goodbye
        elif self._happens("plays_again", 0.05):
            sitting.finish()
            sitting.position = 0.0
            yield from sitting.watch_for(rng.uniform(5.0, 40.0))
            sitting.pause()
            yield from sitting.close()
        else:
            # No lesson opens before 98 per cent of the one before were seen.
            if self.seen_s(1) >= 0.985 * self.env.media_s and self._happens("next_lesson", 0.25):
                self.env.alongside(self._next_lesson(sitting), sitting.t)
            yield from sitting.end()

    def _next_lesson(self, sitting: SimulatedSitting) -> Passage:
        """The page goes on to the next lesson at once; what it tells last of this one may be late,
        and arrive when the next one plays."""
        rng = self.rng
        sitting.network.outages.append((sitting.t, sitting.t + rng.choice((0.0, 1.0, 4.0, 20.0))))
        following = self._sitting(
            replace(self._fittings(sitting.clock), film=self.film),
            sitting.t + rng.uniform(0.0, 2.0),
            sitting.device,
            lesson=2,
        )
        yield from following.open()
        yield from following.watch_for(rng.uniform(30.0, 280.0))
        following.pause()
        yield from following.close()

    def _leave(self, sitting: SimulatedSitting, clock: DeviceClock, device: Device) -> Leaving:
        """Break off; when, by which clock and on which device the next sitting begins."""
        rng = self.rng
        if self.only is None:
            way = rng.choices(list(WAYS), [weight for weight, _, _ in WAYS.values()])[0]
        else:
            way = sorted((self.only & WAYS.keys()) - self.met)[0]
        self.met.add(way)
        if way == "closed":
            sitting.pause()
            yield from sitting.close()
            return sitting.t + rng.choice((120.0, 3600.0, DAY_S)), clock, device, way
        if way == "reloaded":
            yield from sitting.reload()
            yield from sitting.load_again(rng.uniform(0.3, 6.0))
            return sitting.t, clock, device, way
        if way == "opened_anew":
            yield from sitting.reload()
            return sitting.t + rng.uniform(0.8, 6.0), clock, device, way
        if way == "crashed":
            sitting.crash()
            if self.only is None and rng.random() < 0.2:
                return None
            return sitting.t + rng.uniform(20.0, 900.0), clock, device, way
        if way == "silent":
            sitting.pause()
            yield from sitting.sleep(rng.uniform(LEASE_S + 5, 850.0))
            self.closes_early = rng.random() < 0.5
            return sitting.t, clock, device, way
        yield from sitting.until_online()
        other = Device(f"{device.device_id}-{len(self.env.sittings)}")
        starts_s = sitting.t + rng.uniform(0.1, 4.0)
        self.env.alongside(_goes_off(sitting, rng.uniform(0.0, 5.0)), sitting.t)
        clock = DeviceClock(self.env.setting.start_ms, offset_s=rng.uniform(-3, 3))
        return starts_s, clock, other, way


def _goes_off(sitting: SimulatedSitting, seconds: float) -> Passage:
    """The device that was left plays on for some seconds, and nobody answers a pop-up there; what
    it tells last may be a minute on the way."""
    late_s = sitting.rng.choice((0.0, sitting.rng.uniform(1.0, 60.0)))
    if late_s:
        sitting.network.outages.append((sitting.t, sitting.t + seconds + late_s))
    sitting.on_popup = ignore_while_playing
    yield from sitting.idle(seconds)
    sitting.pause()
    yield from sitting.close("taken_over")


def _closed_by_the_lease(evidence: list[Record]) -> list[Record]:
    """The same as told by a platform whose sittings end with the first long silence, for good."""
    ended: dict[str, int] = {}
    last: dict[str, int] = {}
    for record in evidence:
        if record["kind"] == "event":
            session, at = record["session_id"], record["received_at_ms"]
            if at - last.get(session, at) > LEASE_S * 1000:
                ended.setdefault(session, last[session] + round(LEASE_S * 1000))
            last[session] = max(at, last.get(session, at))
    return [
        {**record, "ended_at_ms": ended[record["session_id"]], "close_reason": "lease_timeout"}
        if record["kind"] == "session" and record["session_id"] in ended
        else record
        for record in evidence
    ]


def _union(parts: list[tuple[float, float]]) -> float:
    total, reached = 0.0, 0.0
    for low, high in sorted(parts):
        total += max(0.0, high - max(low, reached))
        reached = max(reached, high)
    return total


__all__ = ["HonestScene", "Story", "honest_scene", "random_honest"]
