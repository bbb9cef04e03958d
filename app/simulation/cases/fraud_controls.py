"""Cheating with pop-ups and with what a page tells of itself."""

from __future__ import annotations

from app.simulation.behaviour import (
    answer_unseen,
    answer_with_foreign_nonce,
    click_at_once,
    click_before_shown,
    ignore_while_playing,
    strip,
)
from app.simulation.casebook import (
    FULL_S,
    NOT_PROVEN,
    PENDING,
    REVIEW,
    Expected,
    case,
    pending,
    violation,
    whole_lesson,
)
from app.simulation.entities import Popup, SimulatedLearner
from app.simulation.environment import DAY_S, SimulatedEnvironment
from app.simulation.service import Controls
from app.simulation.sitting import Device, Habits, OnPopup, Passage, SimulatedSitting

BARE_CLIENT = Device("client-0", "python-requests/2.32", sdk_version=None)


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
def http_client_random_beats(env: SimulatedEnvironment) -> Passage:
    habits = Habits(
        heartbeat_s=(30.0, 90.0), on_popup=answer_unseen, whole_positions=True, heeds_stop=False
    )
    yield from whole_lesson(env.sitting(habits=habits, device=BARE_CLIENT))


@case(
    "F15 visibility_spoof",
    "伪装页面可见",
    "says visible, the prototype says hidden, no frames",
    pending("forged_telemetry"),
)
def visibility_spoof(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting()
    yield from sitting.open()
    yield from sitting.watch(env.share(200))
    while sitting.position < env.media_s - 30:
        yield from sitting.watch_for(env.share(30))
        sitting.emit("integrity", code="hidden_by_prototype", value=True)
        sitting.emit("integrity", code="frames_presented", value=0)
    yield from sitting.watch()
    yield from sitting.end()


def popups_met_by(env: SimulatedEnvironment, strategy: OnPopup, minutes: float = 45.0) -> Passage:
    sitting = env.sitting(habits=Habits(on_popup=strategy, heeds_stop=False))
    yield from sitting.open()
    yield from sitting.watch(min(env.media_s, minutes * 60))
    if sitting.position >= env.media_s - 1e-6:
        yield from sitting.end()
    else:
        yield from sitting.close()


@case(
    "F16 popup_stripped",
    "弹窗被剥除，连播12分钟",
    "pop-ups stripped, plays on for 12 minutes",
    violation("popup_gap", credited_s=(0, 320)),
)
def popup_stripped(env: SimulatedEnvironment) -> Passage:
    yield from popups_met_by(env, strip, minutes=12.0)


@case(
    "F17 script_clicks_first",
    "弹窗显示前脚本已点",
    "a script answers before the pop-up is shown",
    pending("forged_telemetry", tolerated=("popup_gap",), or_outcomes=("invalid",)),
)
def script_clicks_first(env: SimulatedEnvironment) -> Passage:
    yield from popups_met_by(env, click_before_shown)


@case(
    "F18 foreign_nonce",
    "以别处的随机码作答",
    "answers with another session's nonce",
    violation("popup_gap", credited_s=(0, 320), tolerated=("forged_telemetry", "photo_retention")),
)
def foreign_nonce(env: SimulatedEnvironment) -> Passage:
    yield from popups_met_by(env, answer_with_foreign_nonce)


@case(
    "F19 popup_reload_dodge",
    "弹窗到点就刷新",
    "reloads every 185 s to dodge the pop-up",
    violation("popup_gap", credited_s=(0, 500)),
)
def popup_reload_dodge(env: SimulatedEnvironment) -> Passage:
    at_s = 0.0
    for _ in range(6):
        sitting = env.sitting(
            at_s=at_s, window="window-f5", habits=Habits(on_popup=strip, heeds_stop=False)
        )
        yield from sitting.open()
        yield from sitting.watch_for(185.0)
        yield from sitting.reload()
        at_s = sitting.t + 1.2
        if sitting.position >= env.media_s - 1e-6:
            return


@case(
    "F20 answer_before_issue",
    "未发先答",
    "answers challenges that have not been issued",
    violation("popup_gap", credited_s=(0, 320), tolerated=("forged_telemetry", "photo_retention")),
)
def answer_before_issue(env: SimulatedEnvironment) -> Passage:
    sitting = env.sitting(habits=Habits(on_popup=strip, heeds_stop=False))
    yield from sitting.open()
    for n in range(1, 6):
        yield from sitting.watch(n * env.media_s / 6)
        guess = Popup(f"{sitting.session_id}-p{n + 40}", f"{n:032x}", 0.0, 0.0, 60.0)
        sitting.answer(guess, after_s=1.5)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "F21 popup_ignored_playing",
    "弹窗开着照样播放",
    "the pop-up stays open and play goes on",
    violation("popup_gap", credited_s=(0, 320), tolerated=("photo_retention",)),
)
def popup_ignored_playing(env: SimulatedEnvironment) -> Passage:
    yield from popups_met_by(env, ignore_while_playing)


@case(
    "F24 auto_clicker",
    "自动点击器",
    "an untrusted click 1-5 ms after the pop-up appears",
    pending("forged_telemetry", tolerated=("popup_gap",), or_outcomes=("invalid",)),
)
def auto_clicker(env: SimulatedEnvironment) -> Passage:
    yield from popups_met_by(env, click_at_once)


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
def platform_without_controls(env: SimulatedEnvironment) -> Passage:
    yield from whole_lesson(env.sitting())


MACRO_EVERY_S = 55.0  # less than the answer window


@case(
    "F31 answers_in_unison",
    "四个账号由一人同秒作答",
    "a macro answers for four accounts on one device in the same second",
    Expected(
        PENDING,
        (3 * FULL_S[0], 3 * FULL_S[1]),
        {"collusion": REVIEW, "shared_device": REVIEW},
    ),
)
def answers_in_unison(env: SimulatedEnvironment) -> Passage:
    bench = Device("bench-0")

    def when_the_macro_runs(sitting: SimulatedSitting, popup: Popup) -> Passage:
        sitting.pause()
        sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
        sitting.flush()
        wait = MACRO_EVERY_S - sitting.t % MACRO_EVERY_S + 0.4
        yield from sitting.idle(wait)
        sitting.answer(popup, after_s=wait)
        sitting.play()

    def course(learner: SimulatedLearner) -> Passage:
        for lesson in range(1, min(3, env.setting.lessons) + 1):
            sitting = env.sitting(
                learner=learner,
                lesson=lesson,
                at_s=(lesson - 1) * DAY_S,
                device=bench,
                habits=Habits(on_popup=when_the_macro_runs),
            )
            yield from whole_lesson(sitting)

    for n in range(1, 4):
        env.alongside(course(env.companion(n)))
    yield from course(env.learner)
