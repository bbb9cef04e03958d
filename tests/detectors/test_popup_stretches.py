"""Whose fault a stretch without a pop-up is, and what interrupts one. Lin is honest, Wu is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from detectors.assess import assess
from detectors.facts import facts
from detectors.finding import Fault, Finding, Outcome
from detectors.popup_gap import detect
from detectors.trace import ControlFlag, Flag, Kind, SessionFlag
from tests.detectors.columns import GRADED
from tests.detectors.popup_stories import delivered, lesson
from tests.detectors.stories import (
    HONEST,
    Sitting,
    credited_ms,
    found,
    known,
    ms,
    only,
    reasons,
    trace,
)

RULE = "popup_gap"
PLATFORM = HONEST | SessionFlag.PLATFORM_CONTROLS
ATTESTED = HONEST | SessionFlag.ATTESTED


def lost(*sittings: Sitting) -> tuple[list[Finding], int]:
    """Findings of this rule alone, and milliseconds played that are not credited."""
    result = assess(trace(*sittings), only(RULE))
    played = result.facts.parts
    credited = int((result.credited.t1_ms - result.credited.t0_ms).sum())
    return result.findings, int((played.t1_ms - played.t0_ms).sum()) - credited


# --------------------------------------------------------------------------- the platform's timers


@pytest.mark.parametrize("flags", [PLATFORM, ATTESTED])
@pytest.mark.parametrize("answered_before", [False, True])
def test_a_popup_that_comes_too_late_is_the_platform_s(flags, answered_before):
    lin = Sitting(flags=flags).play()
    if answered_before:
        lin.watch(200).popup(4, stop=True)
    lin.watch(301.08).popup(3, stop=True).watch(60)
    (finding,) = found(RULE, lin)
    assert (finding.outcome, finding.reason) == (Outcome.VIOLATION, "none_issued")
    assert (finding.fault, finding.measured) == (Fault.PLATFORM, 301.08)
    assert finding.controls == ()


@pytest.mark.parametrize("flags", [PLATFORM, ATTESTED])
@pytest.mark.parametrize(
    ("seconds", "accused"), [(300.2, False), (300.5, False), (300.501, True), (301.0, True)]
)
def test_a_timer_that_starts_again_after_the_answer_is_a_little_off(flags, seconds, accused):
    lin = Sitting(flags=flags).play().watch(200).popup(4, stop=True).watch(seconds)
    findings, lost_ms = lost(lin.popup(4, stop=True).watch(50))
    assert [it.fault for it in findings] == ([Fault.PLATFORM] if accused else [])
    assert bool(lost_ms) is accused


@pytest.mark.parametrize("wait", [1.0, 40.0])
def test_two_popups_close_together_are_answered_once(wait):
    lin = Sitting(flags=PLATFORM).play().watch(200).pause()
    lin.popup(None).idle(2).popup(wait).idle(wait).play().watch(250).popup(3, stop=True).watch(200)
    assert lost(lin) == ([], 0)


# ------------------------------------------------------------------------- slow, away, cut off


@pytest.mark.parametrize("needs", [61.0, 75.0, 90.0])
@pytest.mark.parametrize("stands", [True, False])
def test_who_needs_longer_and_answers_the_second_popup_is_not_accused(needs, stands):
    """Play went on for a minute under the first one where a page does not stop it."""
    lin = Sitting().play()
    for _ in range(3):
        lin.watch(240)
        if stands:
            lin.pause()
        lin.popup(None, stop=False)
        (lin.idle if stands else lin.watch)(60)
        lin.pause().idle(max(needs - 60, 1)).popup(4, flags=ControlFlag.REISSUE).idle(4).play()
    findings, lost_ms = lost(lin.watch(100))
    assert reasons(findings) == []
    assert lost_ms <= (0 if stands else 3 * 60_000)
    assert bool(lost_ms) == bool(findings)


@pytest.mark.parametrize("waits", [61.0, 84.0])
def test_an_answer_a_little_late_costs_what_was_played_under_it(waits):
    lin = Sitting().play().watch(240).popup(waits, play_on=True).watch(240)
    findings, lost_ms = lost(lin)
    assert reasons(findings, Outcome.CLEAR) == ["answered_late"] and len(findings) == 1
    assert lost_ms == round(waits * 1000)


def test_content_that_stood_until_the_answer_waited_for_it_however_long():
    lin = Sitting().play().watch(240).pause().popup(500).idle(500).play().watch(240)
    assert lost(lin) == ([], 0)


@pytest.mark.parametrize(("needs", "accused"), [(85.0, False), (170.0, False), (172.0, True)])
def test_a_longer_time_to_answer_is_recorded_for_a_learner(needs, accused):
    """Her platform gives her 145 s; what it plays on meanwhile is not her doing."""
    hu = Sitting().play().watch(240).popup(needs, play_on=True).watch(300)
    columns = replace(trace(hu), answer_ms=np.array([145_000]))
    findings = detect(facts(columns, GRADED), GRADED)
    assert ("ignored" in reasons(findings)) is accused
    if needs <= 145:
        assert findings == []


def test_what_played_on_before_a_stop_and_a_late_answer_is_said():
    lin = Sitting().play().watch(240).popup(None).watch(60).pause()
    shown = lin.controls.pop()
    answered = lin.idle(200).tell(Kind.POPUP_ANSWERED, lin.t)
    lin.controls.append((*shown[:3], 500_000, -1, shown[5], answered, 60_000, 260_000, 1, 1))
    findings, lost_ms = lost(lin.play().watch(290))
    assert [(it.reason, it.outcome) for it in findings] == [("answered_late", Outcome.CLEAR)]
    assert lost_ms == 60_000


@pytest.mark.parametrize("seconds", [1.0, 20.0, 59.0, 84.0])
def test_a_popup_in_the_last_moments_of_a_film_accuses_nobody(seconds):
    lin = Sitting().play().watch(240).popup(4, stop=True).watch(295).popup(None).watch(seconds)
    findings, lost_ms = lost(lin)
    assert reasons(findings) == []
    assert lost_ms == (round(seconds * 1000) if seconds > 1 else 0)
    assert findings or not lost_ms


@pytest.mark.parametrize("gap", [0.5, 5.0, 29.0, 31.0, 200.0])
def test_a_popup_right_before_the_player_waits_for_data(gap):
    lin = Sitting().play().watch(240).popup(5, play_on=True).pause().idle(gap).play().watch(290)
    assert lost(lin) == ([], 0)


def test_a_popup_issued_to_a_sitting_that_was_left_before_it_was_due_blames_nobody():
    evening = Sitting().play().watch(270).popup(None, shown=None)
    morning = Sitting(at=86_400, pos=270, resume=270).play().watch(14).popup(4, stop=True)
    assert lost(evening, morning.watch(200)) == ([], 0)


def test_a_backlog_that_comes_in_bit_by_bit_accuses_nobody():
    lin = Sitting().play().watch(200)
    for n in range(1, 61):  # played from 200 to 800 s, delivered from 800 to 950 s
        received = 800 + 30 * (n // 10)
        lin.tell(Kind.PROGRESS, max(received, 200 + 10 * n), 200 + 10.0 * n, client=200 + 10.0 * n)
    lin.t = max(lin.t, 980.0)
    findings, lost_ms = lost(lin.popup(4, stop=True).watch(100))
    assert reasons(findings) == []
    assert reasons(findings, Outcome.CLEAR) == ["offline_past_due"]
    # An outage is no break: it earns up to the next pop-up.
    assert lost_ms == round(findings[0].measured * 1000) - 300_000 > 250_000


# ----------------------------------------------------------------------------------- two sittings


@pytest.mark.parametrize("flags", [HONEST, PLATFORM, ATTESTED])
def test_a_lesson_in_two_sittings_loses_nothing(flags):
    """0–600 s, the next day 600–2400 s, pop-ups every 200.3 s of each."""

    def sitting(at: float, begin: float, end: float) -> Sitting:
        one = Sitting(at=at, pos=begin, resume=begin, flags=flags).play()
        while end - one.pos > 200.3:
            one.watch(200.3).popup(4, stop=True)
        return one.watch(end - one.pos)

    assert lost(sitting(0, 0, 600), sitting(86_400, 600, 2400)) == ([], 0)


@seed(20261128)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(0, 5), st.booleans(), st.sampled_from([HONEST, PLATFORM]))
def test_in_how_many_sittings_a_lesson_is_studied_makes_no_difference(chance, cuts, anew, flags):
    rng = Random(chance)
    parts = [round(rng.uniform(5, 2395), 1) for _ in range(cuts)]
    assert lost(*lesson(rng, parts, anew=anew, flags=flags)) == ([], 0)


@seed(20261128)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(0, 4), st.sampled_from([1.0, 4.0, 8.0]))
def test_no_network_makes_an_offender_of_an_honest_learner(chance, cuts, slowest):
    rng = Random(chance)
    parts = [round(rng.uniform(5, 2395), 1) for _ in range(cuts)]
    sittings = lesson(rng, parts, anew=rng.random() < 0.5, longest_s=285.0)
    outages = [rng.choice((12.0, 25.0, 45.0, 90.0, 200.0)) for _ in range(rng.randint(0, 3))]
    findings, lost_ms = lost(*(delivered(rng, it, slowest, outages) for it in sittings))
    assert reasons(findings) == []
    assert lost_ms <= sum(it.end_ms - it.start_ms for it in findings if it.voids)


# ------------------------------------------------------------------------------------ still caught


def test_wu_never_answers_and_plays_on():
    wu = Sitting().play().watch(240).popup(None).watch(600)
    (finding,) = found(RULE, wu)
    assert (finding.reason, finding.fault) == ("ignored", Fault.LEARNER)
    assert len(finding.controls) == 1
    assert credited_ms(RULE, wu) == 300_000


@pytest.mark.parametrize(("after", "ignored"), [(85.0, False), (85.001, True)])
def test_ignored_is_what_is_played_under_after_the_allowance(after, ignored):
    wu = Sitting().play().watch(290).popup(None).watch(after)
    assert reasons(found(RULE, wu)) == (["ignored"] if ignored else [])
    assert credited_ms(RULE, wu) <= 300_000


@pytest.mark.parametrize("heard", [1.0, 40.0, 57.0, 59.5])
@pytest.mark.parametrize("silent", [5.0, 20.0, 26.0, 28.0, 29.9, 31.0, 45.0, 90.0, 250.0])
def test_who_stops_in_time_and_cannot_say_so_ignored_nothing(heard, silent):
    """A pop-up that nobody answers: content runs on to the end of its window and stops. That it
    did, a line that falls silent tells late."""
    lin = Sitting().play().watch(290).popup(None).watch(heard)
    begin, origin, left = lin.t, lin.pos, 60 - heard
    back = begin + max(left, silent)
    lin.tell(Kind.PAUSE, back, origin + left, client=begin + left)
    for after in np.arange(10.0, back - begin - left, 10.0).tolist():
        lin.tell(Kind.PROGRESS, back, origin + left, client=begin + left + after)
    findings, _ = lost(lin.idle(60))
    assert reasons(findings) == []


@pytest.mark.parametrize("away", [2.0, 14.0, 29.0])
@pytest.mark.parametrize("late", [1.0, 16.0, 40.0, 200.0])
@pytest.mark.parametrize("answers", [True, False])
def test_who_presses_play_before_the_next_popup_has_come_ignored_nothing(away, late, answers):
    """Content stops as the window is over; the pop-up is issued again, and comes late."""
    lin = Sitting().play().watch(250).popup(None).watch(60).pause()
    issued = lin.t
    lin.idle(away).play().watch(late)
    lin.popup(4 if answers else None, stop=True, issued=issued, flags=ControlFlag.REISSUE)
    findings, _ = lost(lin if answers else lin.pause().idle(60))
    assert "ignored" not in reasons(findings)
    assert credited_ms(RULE, lin) <= 310_000


def answered_after(after: float, held: float) -> Sitting:
    """Content runs on to the end of the window and stops; the answer comes, is held back by the
    line, and content goes on."""
    lin = Sitting().play().watch(250).popup(None)
    shown, row = lin.t, lin.controls[-1]
    lin.watch(60).pause().idle(after - 60)
    back = shown + after + held
    seq = lin.tell(Kind.POPUP_ANSWERED, back, client=shown + after)
    answered = (*row[:3], ms(back), row[4], row[5], seq, row[7], ms(after), *row[9:])
    lin.controls[-1] = answered
    return lin.play().watch(100)


@pytest.mark.parametrize("after", [62.0, 74.6, 84.0])
@pytest.mark.parametrize("held", [0.0, 5.0, 20.0, 28.0])
def test_an_answer_that_was_late_and_held_back_is_no_pop_up_ignored(after, held):
    findings, _ = lost(answered_after(after, held))
    assert reasons(findings) == []


@pytest.mark.parametrize("stops", [0.0, 0.5])
def test_wu_who_plays_on_is_not_excused_by_the_popup_that_follows(stops):
    wu = Sitting().play().watch(250).popup(None).watch(120)
    if stops:
        wu.pause(stops).play()
    wu.popup(None, flags=ControlFlag.REISSUE).watch(200)
    assert set(reasons(found(RULE, wu))) == {"ignored"}
    assert credited_ms(RULE, wu) <= 300_000


@pytest.mark.parametrize("silent", [5.0, 20.0, 28.0])
def test_wu_plays_on_over_a_line_that_falls_silent_and_is_caught(silent):
    wu = Sitting().play().watch(290).popup(None).watch(57).held_back(silent).watch(100)
    assert reasons(found(RULE, wu)) == ["ignored"]
    assert credited_ms(RULE, wu) <= 300_000


@pytest.mark.parametrize("still", [31.0, 61.0, 301.0])
def test_wu_stops_under_every_popup_plays_on_and_earns_five_minutes(still):
    wu = Sitting().play()
    for _ in range(6):
        wu.watch(240).popup(None).watch(50).pause().idle(still).play()
    assert credited_ms(RULE, wu) == 300_000


def test_wu_s_bot_answers_ten_minutes_late():
    wu = Sitting().play()
    for _ in range(3):
        wu.watch(200).popup(600, play_on=True)
    assert set(reasons(found(RULE, wu))) == {"ignored"}
    assert credited_ms(RULE, wu) <= 900_000


@pytest.mark.parametrize("pause", [31.0, 301.0, 86_400.0])
def test_wu_leaves_at_every_popup_and_comes_back_without_having_answered(pause):
    parts = []
    for n in range(8):
        one = Sitting(at=n * (290 + pause), pos=240.0 * n, resume=240.0 * n, window=n)
        parts.append(one.play().watch(240).popup(None))
    assert credited_ms(RULE, *parts) == 300_000


def test_wu_studies_another_lesson_meanwhile_and_that_is_no_break():
    turns = []
    for n in range(4):
        for lesson_no in (0, 1):
            at = (2 * n + lesson_no) * 210.0
            where = 200.0 * n
            one = Sitting(
                at=at, pos=where, resume=where, lesson=lesson_no, window=2 * n + lesson_no
            )
            turns.append(one.play().watch(200))
    assert set(reasons(found(RULE, *turns))) == {"none_issued"}


def test_a_popup_ignored_after_one_that_came_late_is_ignored_all_the_same():
    wu = Sitting(flags=PLATFORM).play().watch(310).popup(None).watch(400)
    (finding,) = found(RULE, wu)
    assert (finding.reason, finding.fault) == ("ignored", Fault.LEARNER)


def test_what_is_played_after_a_stretch_that_was_judged_still_needs_an_answer():
    wu = Sitting().play().watch(240).popup(None).watch(200)
    wu.popup(None).watch(20).pause().idle(60).play().watch(200)
    assert credited_ms(RULE, wu) == 300_000
    assert known(wu)


# ------------------------------------------------------------------- whether the page ever heard it


def unheard(sitting: Sitting, since: float, until: float) -> Sitting:
    """The same where no answer came through between two times: everything is brought again."""
    deaf = range(round(since * 1000), round(until * 1000))
    sitting.events = [
        (*it[:7], it[7] | (Flag.REPEATING if it[1] in deaf else 0)) for it in sitting.events
    ]
    return sitting


def test_a_popup_that_no_answer_brought_is_not_proven_and_nobody_s_fault():
    lin = Sitting().play().watch(240).popup(None, shown=None).watch(240).popup(4, stop=True)
    (finding,) = found(RULE, unheard(lin.watch(100), 239, 481))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "not_delivered")
    assert (finding.fault, finding.voids) == (Fault.ENVIRONMENT, True)


def test_a_page_that_never_takes_an_answer_is_its_platform_s():
    wu = Sitting().play().watch(240).popup(None, shown=None).watch(500)
    (finding,) = found(RULE, unheard(wu, 0, 10_000))
    assert (finding.outcome, finding.fault) == (Outcome.NOT_PROVEN, Fault.PLATFORM)
    assert credited_ms(RULE, wu) == 300_000


@pytest.mark.parametrize(("plays_on", "violated"), [(20, False), (40, True)])
def test_who_heard_of_a_popup_at_last_and_plays_on_has_heard_of_it(plays_on, violated):
    wu = Sitting().play().watch(240).popup(None, shown=None).watch(200 + plays_on)
    (finding,) = found(RULE, unheard(wu, 239, 435))
    assert (finding.outcome is Outcome.VIOLATION) is violated
    assert finding.reason == ("never_shown" if violated else "not_delivered")


@pytest.mark.parametrize("overtakes", [True, False])
def test_a_batch_that_overtook_a_hanging_request_does_not_show_that_an_answer_was_heard(overtakes):
    lin = Sitting().play().watch(240).popup(None, shown=None).watch(240).popup(4, stop=True)
    unheard(lin.watch(100), 239, 481)
    hangs, alone = range(340_000, 400_000), 400_000
    lin.events = [
        (it[0], 480_000 if overtakes and it[1] in hangs else it[1], *it[2:7], 0)
        if it[1] in hangs or it[1] == alone
        else it
        for it in lin.events
    ]
    (finding,) = found(RULE, lin)
    assert (finding.reason == "not_delivered") is overtakes


def test_a_batch_that_is_itself_not_heard_does_not_show_that_the_one_before_was():
    """The one before was sent again and hangs, and this one went without it."""
    lin = Sitting().play().watch(240).popup(None, shown=None).watch(240).popup(4, stop=True)
    unheard(lin.watch(100), 239, 481)
    lin.events = [it if it[1] != 300_000 else (*it[:7], 0) for it in lin.events]
    (finding,) = found(RULE, lin)
    assert finding.reason == "not_delivered"


@given(
    st.floats(300, 900),
    st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), max_size=4),
    st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_whoever_takes_popups_away_earns_nothing_beyond_the_limit_whatever_is_repeated(
    seconds, deaf, salt
):
    wu = Sitting().play().watch(200).popup(4, stop=True).watch(60)
    wu.popup(None, shown=None).watch(round(seconds, 1), beat=Random(salt).choice((5.0, 10.0, 15.0)))
    for since, length in deaf:
        unheard(wu, since, since + length)
    findings, lost_ms = lost(wu)
    assert lost_ms >= round(seconds * 1000) - 240_100
    assert {it.outcome for it in findings} <= {Outcome.VIOLATION, Outcome.NOT_PROVEN}
    assert findings


# ------------------------------------------------------------------ the page that showed it is gone


def counted(sitting: Sitting, loaded: Iterable[float]) -> Sitting:
    """The same of a page that was loaded anew at these times, when its counter begins again."""
    loads = sorted([0.0, *loaded])
    sitting.events = [
        (*it[:5], it[1] - round(1000 * max(at for at in loads if at * 1000 <= it[1])), *it[6:])
        if it[6] == Kind.PROGRESS
        else it
        for it in sitting.events
    ]
    return sitting


@pytest.mark.parametrize(
    ("flags", "reason", "fault"),
    [
        (HONEST, "never_shown", Fault.UNDETERMINED),
        (PLATFORM, "not_asked_again", Fault.PLATFORM),
        (ATTESTED, "not_asked_again", Fault.PLATFORM),
    ],
)
def test_a_popup_of_a_page_that_is_gone_was_not_ignored_by_the_next(flags, reason, fault):
    """Another window was refused, or the page loaded again; what plays on never had the pop-up."""
    lin = Sitting(flags=flags).play().watch(240).popup(None).watch(240)
    (finding,) = found(RULE, counted(lin, [252.0]))
    assert (finding.outcome, finding.reason, finding.fault) == (Outcome.VIOLATION, reason, fault)


@pytest.mark.parametrize("flags", [HONEST, PLATFORM])
@pytest.mark.parametrize("loaded", [[], [100.0], [239.0], [400.0]])
def test_the_page_that_showed_a_popup_and_plays_on_ignores_it(flags, loaded):
    wu = Sitting(flags=flags).play().watch(240).popup(None).watch(240)
    (finding,) = found(RULE, counted(wu, loaded))
    assert (finding.reason, finding.fault) == ("ignored", Fault.LEARNER)


@pytest.mark.parametrize("flags", [HONEST, PLATFORM, ATTESTED])
def test_where_no_counter_tells_which_page_played_on_nobody_ignored_the_popup(flags):
    """A second window was refused and plays on for all that; or the page was loaded anew."""
    lin = Sitting(flags=flags, counter=False).play().watch(240).popup(None).watch(240)
    told = replace(lin, events=list(lin.events), controls=list(lin.controls))
    (finding,) = found(RULE, lin)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "page_untold")
    assert finding.fault is Fault.PLATFORM
    assert lost(lin)[1] == lost(counted(told, []))[1] == 180_000


@pytest.mark.parametrize("silent", ["before", "after"])
def test_a_counter_on_one_side_of_the_popup_alone_tells_nothing(silent):
    lin = Sitting(counter=silent == "after").play().watch(240).popup(None)
    lin.counter = not lin.counter
    (finding,) = found(RULE, lin.watch(240))
    assert finding.reason == "page_untold"


# -------------------------------------------------------- reports late, doubled, out of order, lost


def reported(rng: Random, lag_s: float) -> Sitting:
    """Lin answers every pop-up in time. Its display and its answer are told by batches of their own
    that take up to `lag_s`, may overtake each other, come twice, or come with a later heartbeat
    after a request that was lost; the client's own numbers keep their order."""
    lin = Sitting().play()
    shown = answered = 0.0
    for _ in range(rng.randint(2, 6)):
        lin.watch(round(rng.uniform(185, 285), 1), beat=rng.choice((5.0, 10.0, 15.0)))
        issued, wait = lin.t - rng.uniform(0, 12), round(rng.uniform(0.4, 45), 1)

        def came(at: float) -> float:
            tries = rng.choice((0, 0, 0, 1, 2))
            return at + rng.uniform(0.02, lag_s) + tries * rng.uniform(2, 9)

        seen = lin.t
        lin.pause()
        shown = came(seen)
        lin.popup(wait, issued=issued, shown=shown, latency=wait)
        lin.t = seen + wait
        answered = came(lin.t)
        row = list(lin.controls[-1])
        row[2], row[3] = (round(it * 1000) for it in (shown, answered))
        lin.controls[-1] = tuple(row)
        for seq, at in ((row[5], shown), (row[6], answered)):
            told = lin.events[seq]
            lin.events[seq] = (told[0], round(at * 1000), *told[2:])
        lin.play()
    lin.t = max(lin.t, shown, answered)
    return lin.watch(60)


@given(st.integers(0, 2**32), st.floats(1, 8))
@settings(max_examples=250, deadline=None)
def test_whoever_answers_is_not_accused_however_late_the_display_is_told(salt, lag_s):
    """The display may be told after the answer to it; the ledger keeps both as they came."""
    findings, _ = lost(reported(Random(salt), lag_s))
    assert [it for it in findings if it.outcome is not Outcome.CLEAR] == []
