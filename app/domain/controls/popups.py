"""Which pop-up was shown and answered, and whether the answer was its own.

The same function serves a live batch and an imported file. What a client says about a pop-up is
held against the ledger: the challenge must have been issued, the nonce must be that challenge's,
and it is answered once. The result does not depend on the order in which events arrive: of
several, the one with the lowest `seq` counts, and `seq` is the client's own order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.controls.control_line import ControlLine
from detectors.event_types import wire
from detectors.trace import ControlFlag, Kind

MAX_UNKNOWN = 20  # rows kept of one sitting for answers to challenges that nobody issued
NAME_CHARS = 128


@dataclass(slots=True)
class Matched:
    """`changed`: challenge → columns to update; `unknown`: lines for challenges nobody issued;
    `said`: what was answered, of those that changed."""

    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: list[ControlLine] = field(default_factory=list)
    said: dict[str, object] = field(default_factory=dict)


def match_popups(controls: Sequence[ControlLine], notes: Iterable[Mapping[str, Any]]) -> Matched:
    """Hold `popup_*` events against the pop-ups of one session's ledger.

    notes: {type, challenge_id, nonce?, trusted?, latency_ms?, seq, recv_ms, at_ms}, any order;
    `recv_ms` is the server's clock (an import: the platform's receive time), epoch milliseconds.
    The lines in `controls` are left as they were.
    """
    before = {line.challenge_id: line.answers() for line in controls}
    lines = {line.challenge_id: replace(line) for line in controls}
    room = MAX_UNKNOWN - sum(bool(line.flags & ControlFlag.UNKNOWN) for line in controls)
    fresh: list[ControlLine] = []
    for note in sorted(notes, key=lambda note: int(note["seq"])):
        challenge = str(note.get("challenge_id") or "")[:NAME_CHARS]
        line = lines.get(challenge)
        if note["type"] == wire(Kind.POPUP_SHOWN) and line is not None:
            _shown(line, note)
        elif note["type"] == wire(Kind.POPUP_ANSWERED):
            if line is not None:
                _answered(line, note)
            elif challenge and len(fresh) < room:
                lines[challenge] = _nobodys(challenge, note)
                fresh.append(lines[challenge])
    changed = {
        challenge: line.answers()
        for challenge, line in lines.items()
        if challenge in before and line.answers() != before[challenge]
    }
    said = {challenge: lines[challenge].said for challenge in changed}
    return Matched(changed, fresh, said)


def _shown(line: ControlLine, note: Mapping[str, Any]) -> None:
    if not line.owns(note.get("nonce")):
        return
    if line.shown_seq is None or note["seq"] < line.shown_seq:
        line.shown_ms, line.shown_seq = note["recv_ms"], note["seq"]
        line.seen_at_ms = note.get("at_ms")


def _answered(line: ControlLine, note: Mapping[str, Any]) -> None:
    if not line.owns(note.get("nonce")):
        if note.get("nonce") is not None:
            line.flags |= ControlFlag.FOREIGN_NONCE
        return
    if note["seq"] == line.answered_seq:
        return
    if line.early(note["recv_ms"]):
        line.flags |= ControlFlag.EARLY_ANSWER
    if note.get("trusted") is False:
        line.flags |= ControlFlag.UNTRUSTED_INPUT
    if line.answered_seq is not None:
        line.flags |= ControlFlag.ANSWERED_TWICE
        if note["seq"] > line.answered_seq:
            return
    line.answered_ms, line.answered_seq = note["recv_ms"], note["seq"]
    line.said = note.get("answer")
    line.latency_ms = _latency(line, note)


def _latency(line: ControlLine, note: Mapping[str, Any]) -> int | None:
    """Display to answer on the client's own clock: as it says, or from its two time stamps."""
    said = note.get("latency_ms")
    if said is None and line.seen_at_ms is not None and note.get("at_ms") is not None:
        said = note["at_ms"] - line.seen_at_ms
    return None if said is None else max(-1, min(round(said), 2**31 - 1))


def _nobodys(challenge: str, note: Mapping[str, Any]) -> ControlLine:
    nonce = note.get("nonce")
    line = ControlLine(
        challenge_id=challenge,
        nonce=str(nonce)[:NAME_CHARS] if nonce is not None else None,
        source="client",
        issued_ms=note["recv_ms"],
        due_ms=note["recv_ms"],
        flags=ControlFlag.UNKNOWN,
    )
    _answered(line, note)
    return line
