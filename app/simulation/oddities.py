"""Odd things that happen to honest learners, by name: before a sitting begins, and on the way.

A circumstance sets the scene (a `Scene` of one sitting's fittings is changed in place), a mishap is
a passage. `zh` and `en` say what it is, for lists and tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Generic, TypeVar

from app.simulation.behaviour import absent, at_first, facing, unmoved
from app.simulation.entities import (
    Camera,
    Condition,
    DeviceClock,
    Network,
    SimulatedLearner,
    SimulatedPerson,
)
from app.simulation.sitting import Habits, Passage, SimulatedSitting
from app.simulation.uplink import NEVER

TAIL_S = 90.0  # no outage plays on into the end: a photo that came due is still taken


@dataclass(slots=True)
class Fittings:
    """What one honest sitting is made of."""

    rng: Random
    learner: SimulatedLearner
    start_ms: int
    clock: DeviceClock
    network: Network = field(default_factory=Network)
    person: SimulatedPerson = field(default_factory=SimulatedPerson)
    habits: Habits = field(default_factory=Habits)
    camera: Camera | None = None
    film: float = 1.0  # length of the film, in lengths of its catalogue entry
    focused: bool = True
    speed: float = 1.0


Circumstance = Callable[[Fittings], None]
Mishap = Callable[[SimulatedSitting], Passage]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Oddity(Generic[T]):
    name: str
    zh: str
    en: str
    share: float  # of sittings (circumstances), or its weight among mishaps
    act: T


CIRCUMSTANCES: dict[str, Oddity[Circumstance]] = {}
MISHAPS: dict[str, Oddity[Mishap]] = {}


def circumstance(share: float, zh: str, en: str) -> Callable[[Circumstance], Circumstance]:
    def enter(act: Circumstance) -> Circumstance:
        CIRCUMSTANCES[act.__name__] = Oddity(act.__name__, zh, en, share, act)
        return act

    return enter


def mishap(weight: float, zh: str, en: str) -> Callable[[Mishap], Mishap]:
    def enter(act: Mishap) -> Mishap:
        MISHAPS[act.__name__] = Oddity(act.__name__, zh, en, weight, act)
        return act

    return enter


# -- networks -------------------------------------------------------------------------------------


@circumstance(0.35, "网络时延1至8秒抖动", "network delays of 1 to 8 s, never the same")
def jitter(it: Fittings) -> None:
    it.network.latency_s = (0.02, it.rng.uniform(1.0, 8.0))


@circumstance(0.25, "部分上报丢失后重发", "batches lost on the way, sent again")
def lost_batches(it: Fittings) -> None:
    it.network.lost = it.rng.choice((0.02, 0.1, 0.3))


@circumstance(0.2, "应答丢失，同一批再次上报", "answers lost, the same batch sent again")
def unheard_batches(it: Fittings) -> None:
    it.network.unheard = it.rng.choice((0.02, 0.1, 0.3))


@circumstance(0.2, "部分上报重复到达", "batches that arrive twice")
def doubled_batches(it: Fittings) -> None:
    it.network.duplicated = it.rng.choice((0.05, 0.5))
    it.network.every_batch_twice = it.rng.random() < 0.2


@circumstance(0.2, "上报乱序到达", "batches that overtake each other")
def overtaken_batches(it: Fittings) -> None:
    it.network.overtaken = it.rng.choice((0.05, 0.3))


# -- the device -----------------------------------------------------------------------------------


@circumstance(0.04, "设备时钟停在1970年", "a device clock of 1970")
def clock_of_1970(it: Fittings) -> None:
    it.clock.offset_s = -it.start_ms / 1000 + it.rng.uniform(0, 3e6)


@circumstance(0.15, "设备时钟快慢几天", "a device clock that is days off")
def clock_off(it: Fittings) -> None:
    it.clock.offset_s = it.rng.uniform(-1e6, 1e6)


@circumstance(0.15, "设备时钟走快或走慢", "a device clock that drifts")
def clock_drifts(it: Fittings) -> None:
    it.clock.drift = max(-0.012, min(0.012, it.rng.gauss(0.0, 0.005)))


@circumstance(0.03, "单调计数为负", "a monotonic counter below zero")
def counter_below_zero(it: Fittings) -> None:
    it.clock.counter_s = -it.rng.uniform(10, 1e6)


@circumstance(0.08, "很慢的设备", "a very slow device: uneven beats, late pop-ups")
def slow_device(it: Fittings) -> None:
    it.habits = replace(
        it.habits, heartbeat_s=(10.0, 14.0), display_delay_s=3.0, photo_delay_s=(4.0, 12.0)
    )


@circumstance(0.12, "心跳间隔不同", "another interval of heartbeats")
def other_beats(it: Fittings) -> None:
    it.habits = replace(it.habits, heartbeat_s=it.rng.choice(((5.0, 5.002), (14.9, 15.0))))


@circumstance(0.06, "嵌在框架内，从未获得焦点", "a lesson in a frame that never has the focus")
def never_focused(it: Fittings) -> None:
    it.focused = False


# -- the player -----------------------------------------------------------------------------------


@circumstance(0.1, "播放进度只报整秒", "positions cut to whole seconds")
def whole_seconds(it: Fittings) -> None:
    it.habits = replace(it.habits, whole_positions=True)


@circumstance(0.08, "播放器只报进度，不报播放与暂停", "a player that tells positions alone")
def silent_player(it: Fittings) -> None:
    it.habits = replace(it.habits, tells_state=False)


@circumstance(0.1, "播放结束事件不带位置", "an end that tells no position")
def bare_ended(it: Fittings) -> None:
    it.habits = replace(it.habits, ended_tells_position=False)


@circumstance(0.06, "慢速播放", "plays slowly")
def slow_play(it: Fittings) -> None:
    it.speed = it.rng.choice((0.5, 0.75, 0.9))


@circumstance(0.15, "弹窗超时后影片才停", "film that runs until the pop-up's window is over")
def late_stop(it: Fittings) -> None:
    it.habits = replace(it.habits, stops_film=False)


@circumstance(0.05, "影片短于目录时长", "a film shorter than its catalogue entry")
def short_film(it: Fittings) -> None:
    it.film = it.rng.choice((0.999, 0.99, 0.93))


# -- the person -----------------------------------------------------------------------------------


@circumstance(0.3, "应答快慢不一", "answers by temper: at once, or up to the last second")
def own_pace(it: Fittings) -> None:
    quickest, slowest = it.rng.choice(((0.45, 0.9), (3.0, 25.0), (1.0, 59.0)))
    it.person = replace(
        it.person,
        quickest_s=quickest,
        slowest_s=slowest,
        input="keyboard" if slowest < 1 else it.rng.choice(("pointer", "touch")),
    )


@circumstance(0.15, "应答需61至90秒，重发后应答", "61 to 90 s for an answer, the re-issue answered")
def slow_answers(it: Fittings) -> None:
    _misses(it, lambda: it.rng.uniform(61, 90))


@circumstance(0.1, "弹窗时不在座", "nobody at the desk when a pop-up comes")
def away_at_popup(it: Fittings) -> None:
    _misses(it, lambda: it.rng.choice((it.rng.uniform(90, 400), it.rng.uniform(400, 2400))))


def _misses(it: Fittings, wait_s: Callable[[], float]) -> None:
    missed = it.rng.sample((1, 2, 4, 6, 8, 11), it.rng.randint(1, 2))
    absences = {**it.person.absences, **{popup: wait_s() for popup in missed}}
    late = it.rng.random() < 0.3
    it.person = replace(it.person, absences=absences, late_answers=late)


# -- the camera -----------------------------------------------------------------------------------


@circumstance(0.04, "先拒绝摄像头后允许", "a camera that is granted at the second time")
def camera_late(it: Fittings) -> None:
    it.camera = at_first(absent, 1, facing(it.learner))


@circumstance(0.05, "开头几张照片太暗", "the first photos too dark")
def dark_at_first(it: Fittings) -> None:
    dark = facing(it.learner, "dark")
    it.camera = at_first(dark, it.rng.randint(1, 3), facing(it.learner))


@circumstance(0.03, "房间始终太暗", "a room that is too dark all the time")
def dark_room(it: Fittings) -> None:
    it.camera = facing(it.learner, "dark")


@circumstance(
    0.06, "第一次人脸比对没有按提示做", "a first face check that is watched, not answered"
)
def unmoved_at_first(it: Fittings) -> None:
    it.camera = at_first(unmoved(it.learner), 1, facing(it.learner))


@circumstance(0.02, "没有摄像头", "no camera at all")
def no_camera(it: Fittings) -> None:
    it.camera = absent


@circumstance(0.04, "一张照片里没有人脸", "one photo without a face")
def one_photo_empty(it: Fittings) -> None:
    good, conditions = facing(it.learner), it.rng.choice((2, 3))
    away: Condition = "empty"
    empty = facing(it.learner, away)
    it.camera = lambda rng, shot: (empty if shot.number == conditions else good)(rng, shot)


# -- on the way -----------------------------------------------------------------------------------


@mishap(
    2,
    "断网后补报（一次或分多次），期间缓存续播",
    "an outage: plays from its buffer, tells it afterwards, at once or in pieces",
)
def outage(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    length = rng.choice((rng.uniform(2, 30), rng.uniform(30, 180), rng.uniform(180, 900)))
    buffer = rng.choice((rng.uniform(10, 60), 900.0))
    start = sitting.t
    sitting.network.outages.append((start, start + length))
    if rng.random() < 0.4:
        sitting.network.piece = rng.choice((30, 60, 120))
        sitting.network.piece_every_s = rng.uniform(0.2, 10.0)
    playable = min(buffer, sitting.media_s - TAIL_S - 9 * rng.random() - sitting.position)
    if playable > 0:
        yield from sitting.watch(min(sitting.position + playable, sitting.position + length))
    left = start + length - sitting.t
    if left > 0:
        yield from sitting.stall(left + rng.uniform(0.0, 3.0))


@mishap(1.5, "上报能送达，应答收不到", "requests arrive and every answer is lost, for minutes")
def answers_lost(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    length = rng.choice((rng.uniform(10, 90), rng.uniform(90, 400), rng.uniform(400, 900)))
    length = min(length, sitting.media_s - TAIL_S - sitting.position)
    if length > 0:
        since = sitting.t
        sitting.network.deaf.append((since, NEVER))
        yield from sitting.watch_for(length)
        sitting.network.deaf[-1] = since, sitting.t


@mishap(1, "不断缓冲", "stalls again and again")
def buffering(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    for _ in range(rng.randint(1, 12)):
        yield from sitting.stall(rng.uniform(0.3, rng.choice((6.0, 90.0))))
        yield from sitting.watch_for(rng.uniform(2.0, 7.0))


@mishap(1, "暂停", "a pause")
def pause(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    yield from sitting.pause_for(rng.choice((rng.uniform(1, 60), rng.uniform(60, 1800))))


@mishap(1, "电脑休眠，无任何上报", "the machine sleeps and says nothing")
def sleep(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    yield from sitting.sleep(rng.choice((rng.uniform(5, 40), rng.uniform(40, 1200))))


@mishap(1, "回看已学内容", "looks back, and goes on where it was")
def rewind(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    mark = sitting.position
    sitting.seek(max(0.0, mark - rng.uniform(5, 600)))
    if rng.random() < 0.4:
        yield from sitting.watch_for(rng.uniform(1, 20))
        # Jumping forward again stays a little inside what was seen: nobody hits the very frame.
        if sitting.position < mark - 2:
            sitting.seek(mark - rng.uniform(0.5, 2.0))


@mishap(1, "拖动进度条被拦截", "drags forward, and the player refuses")
def blocked_drag(sitting: SimulatedSitting) -> Passage:
    to = min(sitting.media_s, sitting.position + sitting.rng.uniform(30, 900))
    sitting.seek(to, blocked=True)
    yield from sitting.watch_for(1.0)


@mishap(1, "切到别的标签页，播放暂停", "another tab in front, play stops")
def hidden_and_stopped(sitting: SimulatedSitting) -> Passage:
    sitting.show(False)
    sitting.pause()
    yield from sitting.idle(sitting.rng.uniform(2, 900))
    sitting.show(True)
    sitting.play()


@mishap(1, "后台继续播放，随后回看", "plays on behind another tab and is watched again")
def hidden_and_playing(sitting: SimulatedSitting) -> Passage:
    rng = sitting.rng
    mark, speed = sitting.position, sitting.speed
    sitting.show(False)
    sitting.speed = speed * rng.uniform(0.74, 1.0)
    yield from sitting.idle(rng.uniform(2, 120))
    sitting.speed = speed
    sitting.show(True)
    sitting.seek(max(0.0, mark - rng.uniform(0.2, 10)))


@mishap(1, "焦点在别的窗口", "the keyboard is with another window")
def blurred(sitting: SimulatedSitting) -> Passage:
    sitting.focus(False)
    yield from sitting.watch_for(sitting.rng.uniform(1, 60))
    sitting.focus(True)


@mishap(1, "设备时钟被校准", "the device's clock is set")
def clock_step(sitting: SimulatedSitting) -> Passage:
    step = sitting.rng.choice((-1, 1)) * sitting.rng.uniform(0.5, 7200)
    sitting.clock.steps += ((sitting.t, step),)
    yield from sitting.watch_for(1.0)


@mishap(1.5, "换源时进度一度读作0", "the source is loaded anew: the player reads 0 for a moment")
def reads_zero(sitting: SimulatedSitting) -> Passage:
    yield from sitting.misread(lambda since: 0.0, sitting.rng.uniform(0.2, 14.0))
    yield from sitting.watch_for(sitting.rng.uniform(0.1, 30.0))


@mishap(1.5, "换清晰度时进度一度读作旧值", "another quality: the player reads a stale position")
def reads_stale(sitting: SimulatedSitting) -> Passage:
    stale = sitting.position * sitting.rng.random()
    yield from sitting.misread(lambda since: stale, sitting.rng.uniform(0.2, 14.0))
    yield from sitting.watch_for(sitting.rng.uniform(0.1, 30.0))


@mishap(1, "插播广告，进度从0数起", "an advertisement that counts from 0")
def advertisement(sitting: SimulatedSitting) -> Passage:
    yield from sitting.misread(lambda since: since, sitting.rng.uniform(5.0, 60.0))
    yield from sitting.watch_for(sitting.rng.uniform(0.1, 30.0))
