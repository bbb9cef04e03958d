"""Honest people who pause, leave, come back, look again or sit in the dark: none of it is fraud."""

from __future__ import annotations

from app.simulation.behaviour import absent, at_first, facing, once_at_random
from app.simulation.casebook import (
    NOT_PROVEN,
    PENDING,
    Expected,
    case,
    pending,
    valid,
    whole_lesson,
)
from app.simulation.cases.honest_machines import phone
from app.simulation.entities import SimulatedPerson
from app.simulation.environment import DAY_S, SimulatedEnvironment
from app.simulation.service import Controls
from app.simulation.sitting import Device, Passage


@case("H08 two_sittings_two_days", "一课时分两天学完", "one class-hour in two sittings", valid())
def two_sittings_two_days(env: SimulatedEnvironment) -> Passage:
    evening = env.sitting()
    yield from evening.open()
    yield from evening.watch(env.share(1500))
    evening.pause()
    yield from evening.close()
    yield from whole_lesson(env.sitting(at_s=DAY_S + 3600))


@case(
    "H09 make_up_next_day",
    "缺课次日补学",
    "given up after 5 minutes, whole lesson next day",
    valid(),
)
def make_up_next_day(env: SimulatedEnvironment) -> Passage:
    called_away = env.sitting()
    yield from called_away.open()
    yield from called_away.watch(env.share(300))
    called_away.pause()
    yield from called_away.close()
    make_up = env.sitting(at_s=DAY_S)
    yield from make_up.open()
    make_up.seek(0.0)
    yield from make_up.watch()
    yield from make_up.end()


@case(
    "H10 legit_make_up",
    "先修已完成，次日21:30补课",
    "yesterday's lesson at 21:30",
    valid(),
    lesson=2,
)
def legit_make_up(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(lesson=env.setting.lesson - 1, judged=False))
    yield from whole_lesson(env.sitting(at_s=DAY_S + 12.5 * 3600))


@case(
    "H11 hidden_tab_5min",
    "切到别的标签页5分钟",
    "the tab is hidden for 5 minutes and stops",
    valid(),
)
def hidden_tab_5min(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    sitting.show(False)
    sitting.pause()
    yield from sitting.idle(330)
    sitting.show(True)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H12 rewatch_back_seek", "回看已学内容", "seeks back from 900 to 300 and watches again", valid()
)
def rewatch_back_seek(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    sitting.seek(env.share(300))
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H13 pause_with_popup_open",
    "弹窗打开时离开",
    "leaves as a pop-up opens, back 12 minutes later",
    valid(),
)
def pause_with_popup_open(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(person=SimulatedPerson(absences={3: 720.0})))


@case("H14 pause_20_min", "暂停20分钟", "a pause of 20 minutes", valid())
def pause_20_min(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(800))
    yield from sitting.pause_for(1200)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H15 late_answer_reissue",
    "晚答后重发并答对",
    "answers late, then answers the re-issue",
    valid(),
)
def late_answer_reissue(env: SimulatedEnvironment) -> Passage:
    person = SimulatedPerson(absences={2: 84.0, 6: 110.0}, late_answers=True)
    yield from whole_lesson(env.sitting(person=person))


@case(
    "H21 camera_denied_then_granted",
    "先拒绝摄像头后允许",
    "camera denied once, then granted",
    valid(),
)
def camera_denied_then_granted(env: SimulatedEnvironment) -> Passage:
    # A refused camera yields no photo at all, so the first delivered one is the second try's.
    camera = at_first(absent, 1, facing(env.learner))
    sitting = env.sitting(camera=camera)
    yield from sitting.open(settle_s=50.0)
    yield from sitting.watch()
    yield from sitting.end()


@case("H22 low_light_retry", "光线暗，重拍合格", "too dark at first, good on the retry", valid())
def low_light_retry(env: SimulatedEnvironment) -> Passage:
    camera = at_first(facing(env.learner, "dark"), 1, facing(env.learner))
    sitting = env.sitting(camera=camera)
    yield from sitting.open(settle_s=50.0)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H23 new_glasses_borderline",
    "换了新眼镜，相似度在界线附近",
    "new glasses, near the threshold",
    pending("face_liveness", or_outcomes=("valid", NOT_PROVEN)),
)
def new_glasses_borderline(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(camera=facing(env.learner, "glasses")))


@case("H25 slow_play", "0.75倍速慢放", "watches at three quarters of the speed", valid())
def slow_play(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    sitting.set_speed(0.75)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H26 background_then_replay",
    "后台播放不计，随后回看",
    "plays on hidden, uncredited, then replays it",
    valid(),
)
def background_then_replay(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(1000))
    sitting.show(False)
    sitting.speed = 0.9  # browsers throttle what nobody sees
    yield from sitting.idle(env.share(400))
    sitting.show(True)
    sitting.speed = 1.0
    sitting.seek(env.share(990))
    yield from sitting.watch()
    yield from sitting.end()


@case("H28 keyboard_only_user", "只用键盘的学员", "answers by keyboard within a second", valid())
def keyboard_only_user(env: SimulatedEnvironment) -> Passage:
    person = SimulatedPerson(input="keyboard", quickest_s=0.45, slowest_s=0.9)
    yield from whole_lesson(env.sitting(person=person))


@case("H30 classroom_nat_30", "30人同一出口地址", "30 learners behind one address", valid())
def classroom_nat_30(env: SimulatedEnvironment) -> Passage:
    for n in range(1, 30):
        at_s = env.rng.uniform(0, 120)
        sitting = env.sitting(learner=env.companion(n), at_s=at_s)
        env.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(env.sitting(at_s=0.0))


@case("H31 shared_pc", "两人先后共用一台电脑", "two people use one PC one after the other", valid())
def shared_pc(env: SimulatedEnvironment) -> Passage:
    pc = Device("training-room-pc-4")
    first = env.sitting(device=pc, window="window-pc")
    yield from whole_lesson(first)
    second = env.sitting(learner=env.companion(1), device=pc, window="window-pc", at_s=first.t + 40)
    yield from whole_lesson(second)


@case("H32 device_handover_8s", "换设备，两端重叠8秒", "hands over to a phone within 8 s", valid())
def device_handover_8s(env: SimulatedEnvironment) -> Passage:
    desktop = env.sitting()
    yield from desktop.open()
    yield from desktop.watch(env.share(1400))
    handed = env.sitting(device=phone(env.learner), at_s=desktop.t)
    env.alongside(whole_lesson(handed), desktop.t)
    # The phone needs some seconds for its photo and then plays; the desktop is still on.
    yield from desktop.idle(8.0)
    desktop.pause()
    yield from desktop.close("taken_over")


@case(
    "H34 blocked_forward_seek",
    "拖动进度条被拦截",
    "drags forward five times, the player refuses",
    valid(),
)
def blocked_forward_seek(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    for part in (0.1, 0.2, 0.3, 0.4, 0.5):
        yield from sitting.watch(part * env.media_s)
        sitting.seek(env.share(2600), blocked=True)
    yield from sitting.watch()
    yield from sitting.end()


@case("H35 seek_within_seen", "在已学内容中跳转", "jumps about inside what was seen", valid())
def seek_within_seen(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(1500))
    sitting.seek(env.share(400))
    yield from sitting.watch_for(45)
    sitting.seek(env.share(1490))
    yield from sitting.watch()
    yield from sitting.end()


@case("H36 second_monitor", "第二屏上另有程序", "another program on a second screen", valid())
def second_monitor(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    for part in (0.2, 0.5, 0.8):
        yield from sitting.watch(part * env.media_s)
        mark = sitting.position
        sitting.focus(False)
        yield from sitting.watch_for(env.share(40))
        sitting.focus(True)
        sitting.seek(mark)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H37 consent_refused",
    "拒绝人脸处理",
    "refuses face processing: another path, never an accusation",
    Expected(
        PENDING,
        (0.0, 2700.25),
        {},
        (NOT_PROVEN, "valid"),
        frozenset({"face_liveness", "photo_retention"}),
    ),
)
def consent_refused(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting(camera=absent, learner=env.without_consent()))


@case(
    "H38 never_came_back",
    "离开后没再回来",
    "leaves at a pop-up and never comes back",
    valid(300, 900),
)
def never_came_back(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(person=SimulatedPerson(absences={3: 3600.0}))
    yield from sitting.open()
    left_at = None
    for at in sitting.watch():
        if sitting.popups_met >= 3:
            left_at = left_at or at
            if at > left_at + 400:
                break  # the machine is switched off with the pop-up long closed
        yield at
    sitting.crash()


@case(
    "H39 leaves_early", "学了20分钟离开", "closes the lesson after 20 minutes", valid(1190, 1200.25)
)
def leaves_early(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(1200))
    sitting.pause()
    yield from sitting.close()


@case(
    "H42 photo_in_empty_room",
    "抓拍时恰好低头",
    "no face in one random photo",
    pending("photo_retention", or_outcomes=("valid", NOT_PROVEN), tolerated=("face_liveness",)),
    controls=Controls(snapshots=1),
)
def photo_in_empty_room(env: SimulatedEnvironment) -> Passage:
    good, bent = facing(env.learner), facing(env.learner, "empty")
    yield from whole_lesson(env.sitting(camera=once_at_random(bent, good)))


@case(
    "H46 drags_to_the_end",
    "拖到片尾看一眼，播放器报结束",
    "drags to near the end, where the film ends: nothing is played fast, and nothing is earned",
    valid(950, 1020),
)
def drags_to_the_end(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(900))
    sitting.seek(env.share(2600))
    yield from sitting.watch()
    yield from sitting.end()
