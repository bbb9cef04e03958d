"""Cheating with the player, the clock, the pop-ups or the order of lessons."""

from __future__ import annotations

from app.simulation.behaviour import (
    answer_unseen,
    answer_with_foreign_nonce,
    click_at_once,
    click_before_shown,
    ignore_while_playing,
    strip,
)
from app.simulation.casebook import NOT_PROVEN, case, pending, violation
from app.simulation.honest_cases import whole_lesson
from app.simulation.service import Controls
from app.simulation.sitting import Device, Habits, Passage, Sitting
from app.simulation.stage import DAY_S, Stage
from app.simulation.world import Popup

ONE_TRY = Habits(patience_s=0.0)
BARE_CLIENT = Device("client-0", "python-requests/2.32", sdk_version=None)


# -- playing faster -------------------------------------------------------------------------------


def at_speed(sitting: Sitting, speed: float, shown: float | None) -> Passage:
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
def rate_4x_plain(stage: Stage) -> Passage:
    yield from at_speed(stage.sitting(), 4.0, None)


@case(
    "F02 time_warp_4x",
    "变速插件加速时钟4倍",
    "an extension multiplies the page's clocks by 4",
    violation("fast_forward", credited_s=(0, 900), review=(), tolerated=("forged_telemetry",)),
)
def time_warp_4x(stage: Stage) -> Passage:
    clock = stage.clock(warp=4.0)
    sitting = stage.sitting(clock=clock, habits=Habits(heartbeat_s=(2.5, 2.501)))
    yield from at_speed(sitting, 4.0, 1.0)


@case(
    "F03 rate_hidden_16x",
    "16倍速播放却报1倍",
    "plays at 16x, the page says 1",
    violation("fast_forward", credited_s=(0, 300)),
)
def rate_hidden_16x(stage: Stage) -> Passage:
    yield from at_speed(stage.sitting(), 15.96, 1.0)


@case(
    "F04 micro_seek",
    "每秒4次微跳",
    "jumps 0.75 s ahead four times a second",
    violation("fast_forward", credited_s=(0, 900)),
)
def micro_seek(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    sitting.play()
    while sitting.position < stage.media_s - 2:
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
def prototype_6x(stage: Stage) -> Passage:
    yield from at_speed(stage.sitting(), 6.0, 1.0)


@case(
    "F06 jump_no_seek_event",
    "一次心跳跳过300秒",
    "300 s of content in one heartbeat, no seek told",
    violation("fast_forward", credited_s=(0, 2450)),
)
def jump_no_seek_event(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch(stage.share(900))
    sitting.seek(stage.share(1190), declared=False)
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
def instant_complete(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch_for(3.0)
    sitting.position = stage.media_s
    yield from sitting.end()


@case(
    "F09 rate_1_25x",
    "1.25倍速",
    "plays at 1.25x throughout",
    violation("fast_forward", credited_s=(0, 2250)),
)
def rate_1_25x(stage: Stage) -> Passage:
    yield from at_speed(stage.sitting(), 1.25, 1.0)


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
def offline_backlog_forged(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch_for(120.0)
    invented_s = min(2400.0, stage.media_s - sitting.position)
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
def pause_then_16x(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch(stage.share(900))
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
def even_2x(stage: Stage) -> Passage:
    yield from at_speed(stage.sitting(), 2.0, 1.0)


@case(
    "F33 skips_half_and_claims",
    "跳过一半后报完成",
    "seeks from 900 s to near the end and claims it",
    violation("fast_forward", credited_s=(0, 1020)),
)
def skips_half_and_claims(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch(stage.share(900))
    sitting.seek(stage.share(2600))
    yield from sitting.watch()
    yield from sitting.end()


# -- several at once ------------------------------------------------------------------------------


@case(
    "F13 parallel_4_lessons",
    "四个课时同时播放",
    "four lessons play at the same time",
    violation("multi_window", credited_s=(0, 2710), tolerated=("lesson_order", "fast_forward")),
    lessons=4,
)
def parallel_4_lessons(stage: Stage) -> Passage:
    for lesson in range(2, 5):
        at_s = 6.0 * lesson
        sitting = stage.sitting(lesson=lesson, at_s=at_s, habits=ONE_TRY)
        stage.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(stage.sitting(lesson=1))


@case(
    "F14 two_accounts_one_id",
    "一人两个账号同时学",
    "two accounts with one ID number at once",
    violation("multi_window", credited_s=(0, 2710)),
)
def two_accounts_one_id(stage: Stage) -> Passage:
    twin = stage.companion(1, id_number=stage.learner.id_number, identity=stage.learner.identity)
    second = stage.sitting(learner=twin, at_s=30.0, habits=ONE_TRY)
    stage.alongside(whole_lesson(second), 30.0)
    yield from whole_lesson(stage.sitting())


@case(
    "F35 two_devices_one_lesson",
    "电脑与手机同时播放",
    "a laptop and a phone play the same lesson",
    violation("multi_window", credited_s=(0, 2710)),
)
def two_devices_one_lesson(stage: Stage) -> Passage:
    phone = stage.sitting(device=Device("phone-2"), at_s=300.0, habits=ONE_TRY)
    stage.alongside(whole_lesson(phone), 300.0)
    yield from whole_lesson(stage.sitting())


# -- pop-ups --------------------------------------------------------------------------------------


@case(
    "F08 http_client_random_beats",
    "脚本随机间隔上报",
    "a bare HTTP client, integer positions",
    violation(
        "popup_gap",
        credited_s=(0, 320),
        tolerated=("forged_telemetry", "face_liveness", "photo_retention"),
    ),
)
def http_client_random_beats(stage: Stage) -> Passage:
    habits = Habits(
        heartbeat_s=(30.0, 90.0), on_popup=answer_unseen, whole_positions=True, heeds_stop=False
    )
    yield from whole_lesson(stage.sitting(habits=habits, device=BARE_CLIENT))


@case(
    "F15 visibility_spoof",
    "伪装页面可见",
    "says visible, the prototype says hidden, no frames",
    pending("forged_telemetry"),
)
def visibility_spoof(stage: Stage) -> Passage:
    sitting = stage.sitting()
    yield from sitting.open()
    yield from sitting.watch(stage.share(200))
    while sitting.position < stage.media_s - 30:
        yield from sitting.watch_for(stage.share(30))
        sitting.emit("integrity", code="hidden_by_prototype", value=True)
        sitting.emit("integrity", code="frames_presented", value=0)
    yield from sitting.watch()
    yield from sitting.end()


def popups_met_by(stage: Stage, strategy: object, minutes: float = 45.0) -> Passage:
    sitting = stage.sitting(habits=Habits(on_popup=strategy, heeds_stop=False))  # type: ignore[arg-type]
    yield from sitting.open()
    yield from sitting.watch(min(stage.media_s, minutes * 60))
    if sitting.position >= stage.media_s - 1e-6:
        yield from sitting.end()
    else:
        yield from sitting.close()


@case(
    "F16 popup_stripped",
    "弹窗被剥除，连播12分钟",
    "pop-ups stripped, plays on for 12 minutes",
    violation("popup_gap", credited_s=(0, 320)),
)
def popup_stripped(stage: Stage) -> Passage:
    yield from popups_met_by(stage, strip, minutes=12.0)


@case(
    "F17 script_clicks_first",
    "弹窗显示前脚本已点",
    "a script answers before the pop-up is shown",
    pending("forged_telemetry", tolerated=("popup_gap",), or_outcomes=("invalid",)),
)
def script_clicks_first(stage: Stage) -> Passage:
    yield from popups_met_by(stage, click_before_shown)


@case(
    "F18 foreign_nonce",
    "以别处的随机码作答",
    "answers with another session's nonce",
    violation("popup_gap", credited_s=(0, 320), tolerated=("forged_telemetry",)),
)
def foreign_nonce(stage: Stage) -> Passage:
    yield from popups_met_by(stage, answer_with_foreign_nonce)


@case(
    "F19 popup_reload_dodge",
    "弹窗到点就刷新",
    "reloads every 185 s to dodge the pop-up",
    violation("popup_gap", credited_s=(0, 500)),
)
def popup_reload_dodge(stage: Stage) -> Passage:
    at_s = 0.0
    for _ in range(6):
        sitting = stage.sitting(
            at_s=at_s, window="window-f5", habits=Habits(on_popup=strip, heeds_stop=False)
        )
        yield from sitting.open()
        yield from sitting.watch_for(185.0)
        yield from sitting.reload()
        at_s = sitting.t + 1.2
        if sitting.position >= stage.media_s - 1e-6:
            return


@case(
    "F20 answer_before_issue",
    "未发先答",
    "answers challenges that have not been issued",
    violation("popup_gap", credited_s=(0, 320), tolerated=("forged_telemetry",)),
)
def answer_before_issue(stage: Stage) -> Passage:
    sitting = stage.sitting(habits=Habits(on_popup=strip, heeds_stop=False))
    yield from sitting.open()
    for n in range(1, 6):
        yield from sitting.watch(n * stage.media_s / 6)
        guess = Popup(f"{sitting.session_id}-p{n + 40}", f"{n:032x}", 0.0, 0.0, 60.0)
        sitting.answer(guess, after_s=1.5)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F21 popup_ignored_playing",
    "弹窗开着照样播放",
    "the pop-up stays open and play goes on",
    violation("popup_gap", credited_s=(0, 320)),
)
def popup_ignored_playing(stage: Stage) -> Passage:
    yield from popups_met_by(stage, ignore_while_playing)


@case(
    "F24 auto_clicker",
    "自动点击器",
    "an untrusted click 1-5 ms after the pop-up appears",
    pending("forged_telemetry", tolerated=("popup_gap",), or_outcomes=("invalid",)),
)
def auto_clicker(stage: Stage) -> Passage:
    yield from popups_met_by(stage, click_at_once)


@case(
    "F30 platform_without_controls",
    "平台完全没有管控",
    "a platform that reports no control at all",
    violation(
        "popup_gap",
        credited_s=(0, 2700.25),
        tolerated=("face_liveness", "photo_retention"),
        or_outcomes=(NOT_PROVEN,),
    ),
    controls=Controls(popups=False, snapshots=0, face_checks=False),
    run_by="platform",
)
def platform_without_controls(stage: Stage) -> Passage:
    yield from whole_lesson(stage.sitting())


@case(
    "F31 answers_in_unison",
    "八人同秒作答",
    "eight learners on one device answer in the same second",
    pending(
        "collusion",
        tolerated=("forged_telemetry", "multi_window"),
        or_outcomes=("invalid", "valid"),
    ),
)
def answers_in_unison(stage: Stage) -> Passage:
    bench = Device("bench-0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Firefox/128.0")

    def on_the_minute(sitting: Sitting, popup: Popup) -> Passage:
        sitting.pause()
        sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
        sitting.flush()
        shown_at = sitting.t
        beat = 30.0
        yield from sitting.idle(beat - sitting.t % beat + 0.4)
        sitting.answer(popup, after_s=sitting.t - shown_at)
        sitting.play()

    for n in range(1, 8):
        sitting = stage.sitting(
            learner=stage.companion(n), device=bench, habits=Habits(on_popup=on_the_minute)
        )
        stage.alongside(whole_lesson(sitting))
    yield from whole_lesson(stage.sitting(device=bench, habits=Habits(on_popup=on_the_minute)))


# -- order of lessons -----------------------------------------------------------------------------


@case(
    "F34 order_skip_api",
    "跳过前课直接学第九课",
    "lesson 9 before 3, completion posted all the same",
    violation("lesson_order", credited_s=(0, 2700.25)),
    lessons=9,
)
def order_skip_api(stage: Stage) -> Passage:
    begun = 2 if stage.setting.lessons > 3 else 1
    for k in range(1, begun + 1):
        lesson = stage.sitting(lesson=k, at_s=(k - 1) * DAY_S, judged=False)
        yield from whole_lesson(lesson)
    last = stage.sitting(lesson=stage.setting.lessons, at_s=begun * DAY_S)
    yield from whole_lesson(last)
