"""Pop-up events against the ledger: the same for a live batch and for an imported file."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from app.domain.controls.control_line import ControlLine
from app.domain.controls.popups import MAX_UNKNOWN, match_popups
from detectors.trace import ControlFlag

T = 1_772_413_200_000


def popup(challenge: str = "c1", **changes: Any) -> ControlLine:
    return ControlLine(**{"challenge_id": challenge, "nonce": "n1", "issued_ms": T, **changes})


def note(kind: str, seq: int, **changes: Any) -> dict[str, Any]:
    return {
        "type": f"popup_{kind}",
        "challenge_id": "c1",
        "nonce": "n1",
        "seq": seq,
        "recv_ms": T + seq * 1000,
        "at_ms": T + seq * 1000,
        **changes,
    }


def test_lin_sees_a_pop_up_and_answers_it() -> None:
    matched = match_popups([popup()], [note("shown", 3), note("answered", 5, trusted=True)])
    assert matched.unknown == []
    assert matched.changed["c1"] == {
        "shown_ms": T + 3000,
        "shown_seq": 3,
        "answered_ms": T + 5000,
        "answered_seq": 5,
        "latency_ms": 2000,
        "flags": 0,
    }


def test_order_of_arrival_does_not_matter() -> None:
    notes = [note("shown", 3), note("answered", 5), note("answered", 9), note("shown", 8)]
    found = {str(match_popups([popup()], order).changed) for order in permutations(notes)}
    assert len(found) == 1
    assert match_popups([popup()], notes).changed["c1"]["flags"] == ControlFlag.ANSWERED_TWICE


def test_batches_one_after_the_other_give_the_same_as_one() -> None:
    line = popup()
    for part in ([note("answered", 5)], [note("shown", 3)]):
        for name, value in match_popups([line], part).changed["c1"].items():
            setattr(line, name, value)
    assert (line.shown_seq, line.answered_seq, line.flags) == (3, 5, 0)
    assert match_popups([line], [note("answered", 5), note("shown", 3)]).changed == {}


def test_an_answer_counts_only_with_its_own_nonce() -> None:
    matched = match_popups([popup()], [note("answered", 5, nonce="other")])
    assert matched.changed["c1"]["answered_ms"] is None
    assert matched.changed["c1"]["flags"] == ControlFlag.FOREIGN_NONCE
    assert match_popups([popup()], [note("answered", 5, nonce=None)]).changed == {}


def test_a_platform_log_may_leave_nonces_out() -> None:
    imported = popup(source="platform", nonce=None)
    matched = match_popups([imported], [note("answered", 5, nonce=None)])
    assert matched.changed["c1"]["answered_ms"] == T + 5000


def test_an_answer_before_the_issue_is_noted() -> None:
    matched = match_popups([popup()], [note("answered", 5, recv_ms=T - 1)])
    assert matched.changed["c1"]["flags"] == ControlFlag.EARLY_ANSWER


def test_a_platform_s_clock_that_is_ahead_makes_no_forger_of_anybody() -> None:
    imported = popup(source="platform")
    matched = match_popups([imported], [note("answered", 5, recv_ms=T - 240_000)])
    assert matched.changed["c1"]["flags"] == 0
    matched = match_popups([imported], [note("answered", 5, recv_ms=T - 301_000)])
    assert matched.changed["c1"]["flags"] == ControlFlag.EARLY_ANSWER


def test_an_answer_by_a_script_is_noted() -> None:
    matched = match_popups([popup()], [note("answered", 5, trusted=False)])
    assert matched.changed["c1"]["flags"] == ControlFlag.UNTRUSTED_INPUT


def test_answers_to_what_nobody_issued_are_kept_and_are_not_endless() -> None:
    notes = [note("answered", seq, challenge_id=f"x{seq}") for seq in range(100)]
    matched = match_popups([popup()], notes)
    assert matched.changed == {}
    assert len(matched.unknown) == MAX_UNKNOWN
    assert all(line.flags == ControlFlag.UNKNOWN for line in matched.unknown)
    assert match_popups(matched.unknown, notes[MAX_UNKNOWN:]).unknown == []
