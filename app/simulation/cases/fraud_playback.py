"""Cheating with the player: faster, elsewhere, several at once, out of order."""

from __future__ import annotations

from dataclasses import replace

from app.simulation.casebook import case, violation, whole_lesson
from app.simulation.environment import DAY_S, SimulatedEnvironment
from app.simulation.sitting import Device, Habits, Passage, SimulatedSitting

ONE_TRY = Habits(patience_s=0.0)


def at_speed(sitting: SimulatedSitting, speed: float, shown: float | None) -> Passage:
    yield from sitting.open()
    sitting.set_speed(speed, shown)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F01 rate_4x_plain",
    "公开4倍速播放",
    "plays at 4x and says so",
    violation("fast_forward", credited_s=(0, 900)),
)
def rate_4x_plain(env: SimulatedEnvironment) -> Passage:
    yield from at_speed(env.sitting(), 4.0, None)


@case(
    "F02 time_warp_4x",
    "变速插件加速时钟4倍",
    "an extension multiplies the page's clocks by 4",
    violation("fast_forward", credited_s=(0, 900), review=(), tolerated=("forged_telemetry",)),
)
def time_warp_4x(env: SimulatedEnvironment) -> Passage:
    clock = env.clock(warp=4.0)
    sitting = env.sitting(clock=clock, habits=Habits(heartbeat_s=(2.5, 2.501)))
    yield from at_speed(sitting, 4.0, 1.0)


@case(
    "F03 rate_hidden_16x",
    "16倍速播放却报1倍",
    "plays at 16x, the page says 1",
    violation("fast_forward", credited_s=(0, 300)),
)
def rate_hidden_16x(env: SimulatedEnvironment) -> Passage:
    yield from at_speed(env.sitting(), 15.96, 1.0)


@case(
    "F04 micro_seek",
    "每秒4次微跳",
    "jumps 0.75 s ahead four times a second",
    violation("fast_forward", credited_s=(0, 900)),
)
def micro_seek(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    sitting.play()
    while sitting.position < env.media_s - 2:
        # 0.25 s of play and 0.65 s of jump: 3.6 content seconds a second.
        yield from sitting.watch_for(0.25)
        sitting.seek(sitting.position + 0.65)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F05 prototype_6x",
    "改写播放速度读数的6倍速",
    "6x behind a replaced rate accessor",
    violation("fast_forward", credited_s=(0, 600)),
)
def prototype_6x(env: SimulatedEnvironment) -> Passage:
    yield from at_speed(env.sitting(), 6.0, 1.0)


@case(
    "F06 jump_no_seek_event",
    "一次心跳跳过300秒",
    "300 s of content in one heartbeat, no seek told",
    violation("fast_forward", credited_s=(0, 2450)),
)
def jump_no_seek_event(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    sitting.seek(env.share(1190), declared=False)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F07 instant_complete",
    "3秒即报完成",
    "says `ended` after 3 s of a whole lesson",
    violation(
        "fast_forward",
        credited_s=(0, 13.5),
        tolerated=("photo_retention", "face_liveness", "popup_gap", "forged_telemetry"),
    ),
)
def instant_complete(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch_for(3.0)
    sitting.position = env.media_s
    yield from sitting.end()


@case(
    "F09 rate_1_25x",
    "1.25倍速",
    "plays at 1.25x throughout",
    violation("fast_forward", credited_s=(0, 2250)),
)
def rate_1_25x(env: SimulatedEnvironment) -> Passage:
    yield from at_speed(env.sitting(), 1.25, 1.0)


@case(
    "F10 offline_backlog_forged",
    "2分钟后补报40分钟",
    "one batch claims 40 minutes after 2",
    violation(
        "fast_forward",
        credited_s=(0, 320),
        tolerated=("popup_gap", "photo_retention", "forged_telemetry"),
    ),
)
def offline_backlog_forged(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch_for(120.0)
    invented_s = min(2400.0, env.media_s - sitting.position)
    began = sitting.t
    for beat in range(1, int(invented_s / 10) + 1):
        sitting.position += 10.0
        sitting.t = began + beat * 10.0
        sitting.beat()
    sitting.t = began
    sitting.flush()
    yield from sitting.close()


@case(
    "F11 pause_then_16x",
    "先守规矩，久停后16倍速",
    "15 honest minutes, a long pause, then 16x",
    violation("fast_forward", credited_s=(850, 1100)),
)
def pause_then_16x(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    yield from sitting.pause_for(2700)
    sitting.set_speed(16.0, 1.0)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F12 even_2x",
    "匀速2倍",
    "evenly at 2x, the page says 1",
    violation("fast_forward", credited_s=(0, 1400)),
)
def even_2x(env: SimulatedEnvironment) -> Passage:
    yield from at_speed(env.sitting(), 2.0, 1.0)


@case(
    "F33 skips_half_and_claims",
    "暂停时暗中跳过一半，再播到结尾",
    "moves the paused film from 900 s to near the end without telling a seek, and ends it",
    violation("fast_forward", credited_s=(0, 1020)),
)
def skips_half_and_claims(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    sitting.pause()
    sitting.seek(env.share(2600), declared=False)
    sitting.play()
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F13 parallel_4_lessons",
    "四个课时同时播放",
    "four lessons play at the same time",
    violation("multi_window", credited_s=(0, 2850), tolerated=("lesson_order", "fast_forward")),
    lessons=4,
)
def parallel_4_lessons(env: SimulatedEnvironment) -> Passage:
    for lesson in range(2, 5):
        at_s = 6.0 * lesson
        sitting = env.sitting(lesson=lesson, at_s=at_s, habits=ONE_TRY)
        env.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(env.sitting(lesson=1))


@case(
    "F14 two_accounts_one_id",
    "一人两个账号同时学",
    "two accounts with one ID number at once",
    violation("multi_window", credited_s=(0, 2710)),
)
def two_accounts_one_id(env: SimulatedEnvironment) -> Passage:
    twin = replace(
        env.learner,
        learner_id=f"{env.learner.learner_id}-1",
        class_id=f"{env.setting.class_id}-2",
    )
    second = env.sitting(learner=twin, at_s=30.0, habits=ONE_TRY)
    env.alongside(whole_lesson(second), 30.0)
    yield from whole_lesson(env.sitting())


@case(
    "F35 two_devices_one_lesson",
    "电脑与手机同时播放",
    "a laptop and a phone play the same lesson",
    violation("multi_window", credited_s=(0, 2710), tolerated=("popup_gap",)),
)
def two_devices_one_lesson(env: SimulatedEnvironment) -> Passage:
    phone = env.sitting(device=Device("phone-2"), at_s=300.0, habits=ONE_TRY)
    env.alongside(whole_lesson(phone), 300.0)
    yield from whole_lesson(env.sitting())


@case(
    "F34 order_skip_api",
    "跳过前课直接学第九课",
    "lesson 9 before 3, completion posted all the same",
    violation("lesson_order", credited_s=(0, 2700.25)),
    lessons=9,
)
def order_skip_api(env: SimulatedEnvironment) -> Passage:
    begun = 2 if env.setting.lessons > 3 else 1
    for k in range(1, begun + 1):
        lesson = env.sitting(lesson=k, at_s=(k - 1) * DAY_S, judged=False)
        yield from whole_lesson(lesson)
    last = env.sitting(lesson=env.setting.lessons, at_s=begun * DAY_S)
    yield from whole_lesson(last)
