"""Many honest people at once, who look like one from afar."""

from __future__ import annotations

from app.simulation.casebook import (
    FULL_S,
    REVIEW,
    VALID,
    Expected,
    case,
    valid,
    whole_lesson,
)
from app.simulation.entities import Network, Popup
from app.simulation.environment import SimulatedEnvironment
from app.simulation.sitting import Device, Habits, Passage, SimulatedSitting

ROOM = 10
BELL_S = 40.0  # the teacher goes round: less than the answer window


def when_the_teacher_says_so(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """Who has a pop-up waits for "now click", and clicks as quickly as people do."""
    sitting.pause()
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()
    wait = BELL_S - sitting.t % BELL_S + sitting.rng.uniform(0.4, 2.5)
    yield from sitting.idle(wait)
    sitting.answer(popup, after_s=wait)
    sitting.play()


@case(
    "H43 computer_room_at_a_word",
    "机房里听老师口令一起点",
    "a computer room of distinct devices answers at the teacher's word",
    valid(),
)
def computer_room_at_a_word(env: SimulatedEnvironment) -> Passage:
    habits = Habits(on_popup=when_the_teacher_says_so)
    for n in range(1, ROOM):
        at_s = env.rng.uniform(0, 20)
        sitting = env.sitting(learner=env.companion(n), at_s=at_s, habits=habits)
        env.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(env.sitting(habits=habits))


@case(
    "H44 web_view_without_a_device",
    "应用内网页报同一个设备编号",
    "phones at home, whose app gives one device number to everybody",
    Expected(VALID, FULL_S, tolerated=frozenset({"shared_device"})),
)
def web_view_without_a_device(env: SimulatedEnvironment) -> Passage:
    for n in range(1, 6):
        at_s = env.rng.uniform(0, 600)
        sitting = env.sitting(
            learner=env.companion(n),
            at_s=at_s,
            device=Device("webview", f"Mozilla/5.0 (Android {9 + n}; Mobile) App/2.1"),
            network=Network(address=f"198.51.100.{n}"),
        )
        env.alongside(whole_lesson(sitting), at_s)
    yield from whole_lesson(env.sitting(device=Device("webview", "Mozilla/5.0 App/2.1")))


def over_the_hole(
    sitting: SimulatedSitting, start_s: float, end_s: float, declared: bool
) -> Passage:
    """A player that jumps over what the film lacks by itself, and says so or not."""
    yield from sitting.open()
    yield from sitting.watch(start_s)
    if sitting.position < end_s:
        sitting.seek(end_s, declared=declared)
    yield from sitting.watch()
    yield from sitting.end()


@case(
    "H45 film_lacks_a_stretch",
    "片中缺一段，全班的播放器都跳过",
    "a film that lacks a stretch: every player jumps over it by itself",
    Expected(VALID, (2500.0, 2590.0), {"lesson_length": REVIEW}),
)
def film_lacks_a_stretch(env: SimulatedEnvironment) -> Passage:
    hole = env.share(1200), env.share(1320)
    for n in range(1, 6):
        at_s = env.rng.uniform(0, 600)
        sitting = env.sitting(learner=env.companion(n), at_s=at_s)
        env.alongside(over_the_hole(sitting, *hole, declared=n % 2 == 0), at_s)
    yield from over_the_hole(env.sitting(), *hole, declared=False)
