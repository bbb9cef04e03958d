"""连续5分钟内无弹窗管控: exactly 300 s without an effective pop-up are allowed."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Control, ControlFlag, Kind, SessionFlag
from tests.detectors.stories import HONEST, Sitting, credited_ms, found, reasons

RULE = "popup_gap"


@pytest.mark.parametrize(("seconds", "accused"), [(300.0, False), (300.001, True)])
def test_from_the_start_to_the_first_popup(seconds, accused):
    lin = Sitting().play().watch(seconds).popup(4, stop=True).watch(60)
    assert bool(found(RULE, lin)) is accused


@pytest.mark.parametrize(("seconds", "accused"), [(300.0, False), (300.001, True)])
def test_between_two_popups(seconds, accused):
    lin = Sitting().play().watch(200).popup(4, stop=True).watch(seconds).popup(4, stop=True)
    assert bool(found(RULE, lin)) is accused


@pytest.mark.parametrize(("seconds", "accused"), [(300.0, False), (300.001, True)])
def test_from_the_last_popup_to_the_end(seconds, accused):
    lin = Sitting().play().watch(200).popup(4, stop=True).watch(seconds)
    assert bool(found(RULE, lin)) is accused


def test_only_what_lies_beyond_the_300_s_is_lost():
    wu = Sitting().play().watch(720)
    (finding,) = found(RULE, wu)
    assert finding.outcome is Outcome.NOT_PROVEN
    assert finding.evidence is Evidence.SERVER
    assert (finding.measured, finding.limit, finding.reason) == (720.0, 300.0, "none_issued")
    assert credited_ms(RULE, wu) == 300_000


def test_credit_goes_on_after_the_next_effective_popup():
    wu = Sitting().play().watch(400).popup(4, stop=True).watch(200)
    assert credited_ms(RULE, wu) == 500_000


def test_a_pause_does_not_count_on_the_learning_clock():
    lin = Sitting().play().watch(200).pause().idle(1200).play().watch(100).popup(4, stop=True)
    assert found(RULE, lin) == []


def test_a_popup_that_was_issued_and_never_shown_is_no_control():
    wu = Sitting().play().watch(240).popup(None, shown=None).watch(240)
    (finding,) = found(RULE, wu)
    assert (finding.reason, finding.fault) == ("never_shown", Fault.UNDETERMINED)


def test_a_platform_without_popups_is_itself_at_fault():
    lin = Sitting(flags=HONEST | SessionFlag.PLATFORM_CONTROLS).play().watch(301)
    (finding,) = found(RULE, lin)
    assert (finding.reason, finding.fault) == ("none_issued", Fault.PLATFORM)


@pytest.mark.parametrize(("wait", "accused"), [(60.0, False), (60.001, True)])
def test_an_answer_counts_for_60_s_after_the_display(wait, accused):
    wu = Sitting().play().watch(200).popup(wait, play_on=True).watch(300)
    assert bool(found(RULE, wu)) is accused


def test_the_server_s_own_60_s_need_no_word_of_the_client():
    lin = Sitting().play().watch(200).popup(60, play_on=True, latency=999).watch(300)
    assert found(RULE, lin) == []


def test_the_learning_time_under_a_popup_answered_in_time_is_not_lost():
    lin = Sitting().play().watch(200).popup(50, play_on=True).watch(100)
    assert credited_ms(RULE, lin) == 350_000


def test_an_unanswered_popup_accuses_nobody_when_play_stopped():
    lin = Sitting().play().watch(240).popup(None, stop=False).pause().idle(900).play().watch(240)
    findings = found(RULE, lin)
    assert reasons(findings) == []
    # What goes beyond 300 s since the last answer waits for one.
    assert reasons(findings, Outcome.CLEAR) == ["unanswered"]
    assert credited_ms(RULE, lin) == 300_000


@pytest.mark.parametrize(("still", "accused"), [(30.0, False), (29.999, True)])
def test_a_player_that_stands_still_for_30_s_has_really_stopped(still, accused):
    lin = Sitting().play().watch(240).popup(None).watch(50).pause().idle(still).play().watch(240)
    assert (Outcome.VIOLATION in {finding.outcome for finding in found(RULE, lin)}) is accused


def test_what_ran_under_an_unanswered_popup_is_rolled_back_to_the_display():
    lin = Sitting().play().watch(240).popup(None).watch(20).pause().idle(600).play().watch(100)
    findings = found(RULE, lin)
    assert reasons(findings) == []
    assert reasons(findings, Outcome.CLEAR) == ["unanswered_play_stopped", "unanswered"]
    assert credited_ms(RULE, lin) == 300_000


@pytest.mark.parametrize(
    ("silent_s", "accused", "told"),
    [
        (600, ["none_issued"], []),
        (1_100, [], ["none_issued"]),
        (3_600, [], ["offline_past_due"]),  # all of it may have been played meanwhile
    ],
)
def test_a_sitting_that_was_over_is_asked_nothing_and_accuses_nobody(silent_s, accused, told):
    """A page that does not hear `controls.stop` plays on: not counted, and no more."""
    lin = Sitting().play().watch(200).popup(4, stop=True).watch(100)
    lin.t += silent_s
    findings = found(RULE, lin.watch(600))
    assert reasons(findings) == accused
    assert reasons(findings, Outcome.CLEAR) == told
    assert credited_ms(RULE, lin) <= 600_000


def test_who_comes_back_a_second_after_the_window_is_not_accused_by_a_jittering_network():
    lin = Sitting().play().watch(240).pause().popup(None)
    lin.idle(60.2).play()
    # The next heartbeat overtakes the clock by 300 ms: play is laid out from 59.9 s on.
    lin.tell(Kind.PROGRESS, lin.t + 9.7, lin.pos + 10)
    assert reasons(found(RULE, lin.watch(230))) == []


def test_an_answer_delivered_after_an_outage_is_believed():
    lin = Sitting().play().watch(240).pause().popup(None)
    shown = lin.controls.pop()
    lin.tell(Kind.PROGRESS, lin.t + 5, lin.pos)
    answered = lin.tell(Kind.POPUP_ANSWERED, lin.t + 600)
    lin.controls.append(
        (*shown[:3], int(lin.t * 1000), -1, shown[5], answered, 60_000, 6_000, 1, 1)
    )
    assert reasons(found(RULE, lin.play().watch(290))) == []


@pytest.mark.parametrize(("outage", "accused"), [(True, []), (False, ["ignored"])])
def test_who_answers_it_again_as_soon_as_the_line_is_back_was_slow(outage, accused):
    """The service cannot ask again before it hears of the sitting; where it could, it did."""
    lin = Sitting().play().watch(240).popup(None).watch(58)
    lin = (lin.held_back if outage else lin.watch)(420)
    lin.popup(5, stop=True, flags=ControlFlag.REISSUE).watch(100)
    findings = found(RULE, lin)
    assert reasons(findings) == accused
    assert credited_ms(RULE, lin) <= 400_000


def test_wu_cannot_call_an_answer_quick_that_came_after_half_an_hour_of_heartbeats():
    wu = Sitting().play().watch(240).popup(1800, play_on=True, latency=3.0).watch(60)
    assert reasons(found(RULE, wu), Outcome.VIOLATION) == ["ignored"]
    assert credited_ms(RULE, wu) <= 360_000


def test_offline_past_the_due_point_is_not_counted_and_not_an_accusation():
    lin = Sitting().play().watch(200).held_back(600).popup(4, stop=True).watch(100)
    findings = found(RULE, lin)
    assert reasons(findings) == []
    assert reasons(findings, Outcome.CLEAR) == ["offline_past_due"]
    assert credited_ms(RULE, lin) == 400_000


@pytest.mark.parametrize("beat", [2.5, 5.0, 10.0, 25.0])
def test_playing_on_after_an_outage_without_a_popup_is_not_counted(beat):
    wu = Sitting().play().watch(200, beat=beat).held_back(300, beat=beat).watch(180, beat=beat)
    findings = found(RULE, wu)
    assert reasons(findings) == ["none_issued"]
    assert credited_ms(RULE, wu) <= 305_000


@pytest.mark.parametrize("watched", [310.0, 900.0])
def test_what_this_service_did_not_ask_for_is_nobody_s_violation(watched):
    """A platform that runs the pop-ups answers for them; a learner cannot issue any."""
    lin = Sitting().play().watch(watched).popup(4, stop=True).watch(60)
    assert {it.outcome for it in found(RULE, lin)} == {Outcome.NOT_PROVEN}
    theirs = Sitting(flags=HONEST | SessionFlag.PLATFORM_CONTROLS).play().watch(watched)
    (finding,) = found(RULE, theirs)
    assert (finding.outcome, finding.fault) == (Outcome.VIOLATION, Fault.PLATFORM)


def test_a_second_outage_right_after_the_first_accuses_nobody():
    lin = Sitting().play().watch(200).held_back(300)
    assert reasons(found(RULE, lin.held_back(300))) == []


@pytest.mark.parametrize(
    "forged", [ControlFlag.FOREIGN_NONCE, ControlFlag.EARLY_ANSWER, ControlFlag.UNKNOWN]
)
def test_a_forged_answer_is_no_control(forged):
    wu = Sitting().play().watch(240).popup(4, stop=True, flags=forged).watch(240)
    assert reasons(found(RULE, wu)) in (["never_shown"], ["none_issued"], ["ignored"])


def test_the_popup_clock_survives_a_reload():
    dodging = [Sitting(at=190.0 * n, pos=185.0 * n, resume=185.0 * n) for n in range(3)]
    assert reasons(found(RULE, *(one.play().watch(185) for one in dodging))) == ["none_issued"]


def test_a_break_of_more_than_five_minutes_between_sittings_excuses_and_earns_nothing_more():
    evening = Sitting().play().watch(200)
    morning = Sitting(at=600, pos=200, resume=200).play().watch(200)
    findings = found(RULE, evening, morning)
    assert reasons(findings) == []
    assert reasons(findings, Outcome.CLEAR) == ["unanswered"]


def test_nobody_earns_a_class_hour_without_one_answered_popup():
    shown = Sitting().play()
    for _ in range(9):
        shown.watch(285).popup(None, stop=False).pause().idle(61).play()
    assert credited_ms(RULE, shown) == 300_000


def test_each_class_hour_has_its_own_clock():
    first = Sitting().play().watch(200)
    other = Sitting(lesson=1, at=201).play().watch(200)
    assert found(RULE, first, other) == []


@pytest.mark.parametrize(("expired", "noted"), [(2, False), (3, True)])
def test_three_expired_popups_are_a_note_that_decides_nothing(expired, noted):
    lin = Sitting().play()
    for _ in range(expired):
        lin.watch(200).pause().popup(None).idle(100).popup(4).play()
    findings = found(RULE, lin)
    assert reasons(findings) == (["many_expiries"] if noted else [])
    assert all(finding.evidence is Evidence.STATISTIC for finding in findings)


def test_who_answers_every_second_popup_is_slow_whatever_else_was_asked_in_between():
    lin = Sitting().play()
    for _ in range(4):
        lin.watch(200).pause().popup(None).idle(50).demand(Control.SNAPSHOT)
        lin.idle(10).popup(30, flags=ControlFlag.REISSUE).idle(30).play()
    assert found(RULE, lin) == []


def test_somebody_who_was_away_twice_was_away_twice_and_not_four_times():
    lin = Sitting().play()
    for _ in range(2):
        lin.watch(200).pause().popup(None).idle(80).popup(None, flags=ControlFlag.REISSUE)
        lin.idle(300).popup(4).play()
    assert found(RULE, lin) == []
