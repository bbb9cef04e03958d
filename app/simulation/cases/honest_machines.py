"""Honest people whose machines, clocks and networks misbehave: nothing here is fraud."""

from __future__ import annotations

from app.simulation.casebook import case, valid, whole_lesson
from app.simulation.entities import Network, SimulatedLearner, SimulatedPerson
from app.simulation.environment import SimulatedEnvironment
from app.simulation.sitting import Device, Habits, Passage


def phone(learner: SimulatedLearner) -> Device:
    """The learner's own."""
    return Device(
        f"phone-{learner.learner_id}",
        "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
    )


@case("H01 plain_45min", "平常的45分钟课时", "an ordinary 45 minutes", valid())
def plain_45min(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting())


@case(
    "H02 net_drop_12s",
    "断网12秒后心跳一次到达",
    "a 12 s outage delivers its backlog at once",
    valid(),
)
def net_drop_12s(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(habits=Habits(heartbeat_s=(2.0, 2.001)))
    yield from sitting.open()
    yield from sitting.watch(env.share(600))
    sitting.network.outages.append((sitting.t + 0.5, sitting.t + 12.5))
    yield from sitting.watch()
    yield from sitting.end()


@case("H03 wifi_roaming", "无线网络反复切换", "wireless roaming: many drops of 3-8 s", valid())
def wifi_roaming(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(network=Network(latency_s=(0.02, 0.9)))
    yield from sitting.open()
    while sitting.position < env.media_s - 60:
        yield from sitting.watch_for(sitting.rng.uniform(20, 90))
        sitting.network.outages.append((sitting.t, sitting.t + sitting.rng.uniform(3, 8)))
    yield from sitting.watch()
    yield from sitting.end()


@case("H04 buffering_stalls", "不断缓冲", "stalls all the time: 3-7 s of content in 10 s", valid())
def buffering_stalls(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    while sitting.position < env.media_s - 10:
        played = sitting.rng.uniform(3, 7)
        yield from sitting.watch_for(played)
        yield from sitting.stall(10 - played)
    yield from sitting.watch()
    yield from sitting.end()


@case("H05 long_buffering", "几次长时间缓冲", "a few stalls of 1-4 minutes", valid())
def long_buffering(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(network=Network(latency_s=(0.3, 2.5)))
    yield from sitting.open()
    for part in (0.2, 0.45, 0.7):
        yield from sitting.watch(part * env.media_s)
        yield from sitting.stall(sitting.rng.uniform(60, 240))
    yield from sitting.watch()
    yield from sitting.end()


@case("H06 laptop_sleep", "电脑短暂休眠", "the laptop sleeps for 15 s within a heartbeat", valid())
def laptop_sleep(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    for part in (0.3, 0.6):
        yield from sitting.watch(part * env.media_s)
        yield from sitting.until_beat()
        yield from sitting.watch_for(1.2)
        yield from sitting.sleep(15.0)
    yield from sitting.watch()
    yield from sitting.end()


@case("H07 page_reload_mid", "中途刷新页面", "the page is reloaded half-way", valid())
def page_reload_mid(env: SimulatedEnvironment) -> Passage:
    first = env.sitting(window="window-a")
    yield from first.open()
    yield from first.watch(env.share(1234.5))
    yield from first.reload()
    again = env.sitting(at_s=first.t + 1.4, window="window-a")
    yield from whole_lesson(again)


@case(
    "H16 very_slow_device", "很慢的设备", "a very slow device: uneven beats, late pop-ups", valid()
)
def very_slow_device(env: SimulatedEnvironment) -> Passage:
    slow = Habits(heartbeat_s=(10.0, 25.0), display_delay_s=3.0, photo_delay_s=(4.0, 12.0))
    yield from whole_lesson(
        env.sitting(habits=slow, person=SimulatedPerson(quickest_s=8, slowest_s=8.5))
    )


@case("H17 clock_skew_8h", "设备时钟快8小时", "the device's clock is 8 hours fast", valid())
def clock_skew_8h(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(clock=env.clock(offset_s=28_800.0)))


@case("H18 ntp_step", "对时跳变", "the clock is stepped while studying", valid())
def ntp_step(env: SimulatedEnvironment) -> Passage:
    steps = ((env.share(700), -37.0), (env.share(1900), 95.0))
    yield from whole_lesson(env.sitting(clock=env.clock(offset_s=37.0, steps=steps)))


@case("H19 reordered_batches", "批次次序颠倒", "batches overtake each other", valid())
def reordered_batches(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(network=Network(overtaken=0.2)))


@case("H20 duplicate_batches", "每批重复发送", "every batch is sent twice", valid())
def duplicate_batches(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(network=Network(every_batch_twice=True)))


@case(
    "H24 browser_crash", "浏览器崩溃后续学", "the browser crashes; resumed 8 minutes later", valid()
)
def browser_crash(env: SimulatedEnvironment) -> Passage:
    crashed = env.sitting()
    yield from crashed.open()
    yield from crashed.watch(env.share(1111.1))
    crashed.crash()
    yield from whole_lesson(env.sitting(at_s=crashed.t + 480))


@case("H27 clock_drift", "时钟走快0.5%", "the device's clock gains half a per cent", valid())
def clock_drift(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(clock=env.clock(offset_s=-90.0, drift=0.005)))


@case("H29 phone_screen_locks", "手机锁屏", "a phone whose screen locks for 3 minutes", valid())
def phone_screen_locks(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(device=phone(env.learner), person=SimulatedPerson(input="touch"))
    yield from sitting.open()
    yield from sitting.watch(env.share(1300))
    sitting.show(False)
    sitting.pause()
    yield from sitting.sleep(180)
    sitting.show(True)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H33 offline_15min_buffered",
    "断网15分钟，缓存续播",
    "offline 15 minutes, plays from its buffer",
    valid(1700.0),
)
def offline_15min_buffered(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(1000))
    sitting.network.outages.append((sitting.t, sitting.t + env.share(900)))
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H40 offline_at_the_end",
    "最后几分钟断网",
    "the last 3 minutes reach the service late",
    valid(2500.0),
)
def offline_at_the_end(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.media_s - env.share(180))
    sitting.network.outages.append((sitting.t, sitting.t + env.share(600)))
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H41 platform_runs_controls",
    "平台自行管控且齐全",
    "the platform runs all its controls itself",
    valid(),
    run_by="platform",
)
def platform_runs_controls(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting())
