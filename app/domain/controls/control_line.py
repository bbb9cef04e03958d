"""One line of the controls ledger, as the domain works on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.answer import Answer
from detectors.control_kinds import ControlKind

PLATFORM_SKEW_MS = 5 * 60_000  # a platform's clock may differ by this much


class ControlSource(StrEnum):
    """Who issued it. CLIENT: it is known from an answer alone."""

    SERVICE = "service"
    PLATFORM = "platform"
    CLIENT = "client"


class PhotoResult(StrEnum):
    """What became of the photos that answer a control."""

    NONE = "none"
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(slots=True)
class ControlLine:
    """A pop-up, photo or face check of one session. Times are epoch milliseconds, server's clock.

    `demand` is what the client was told and what the time was drawn from; in it `mark_ms` is the
    moment on the session's learning clock at which the control is due. `seen_at_ms` (display on
    the client's clock), `photos`, `result`, `why` (it did not pass), `said` (the answer) and
    `posed` (what it asks) are not columns of the ledger.
    """

    challenge_id: str
    nonce: str | None
    issued_ms: int
    kind: str = ControlKind.POPUP.value
    source: str = "service"  # service | platform | client
    random_time: bool = False
    reissue_of: str | None = None
    demand: dict[str, Any] = field(default_factory=dict)
    due_ms: int = 0
    window_ms: int = 0
    shown_ms: int | None = None
    shown_seq: int | None = None
    answered_ms: int | None = None
    answered_seq: int | None = None
    expired_ms: int | None = None
    latency_ms: int | None = None
    flags: int = 0
    seen_at_ms: int | None = None
    photos: int = 0
    result: PhotoResult = PhotoResult.NONE
    why: str = ""
    said: object = None
    posed: Answer | None = None

    @property
    def open(self) -> bool:
        return self.answered_ms is None and self.expired_ms is None

    @property
    def mark_ms(self) -> int:
        return int(self.demand.get("mark_ms", 0))

    def owns(self, nonce: str | None) -> bool:
        """A platform's log may leave nonces out; a challenge of this service never does."""
        if nonce is None:
            return self.nonce is None or self.source != "service"
        return self.nonce is None or self.nonce == nonce

    def early(self, answered_ms: int) -> bool:
        """An answer from before the issue; a platform tells the issue by a clock of its own."""
        skew_ms = 0 if self.source == "service" else PLATFORM_SKEW_MS
        return answered_ms < self.issued_ms - skew_ms

    def answers(self) -> dict[str, Any]:
        """The columns that events about a pop-up may change."""
        return {name: getattr(self, name) for name in _ANSWERS}

    def columns(self) -> dict[str, Any]:
        """All columns of the ledger, but for the ids of row and session."""
        row = asdict(self)
        for name in ("seen_at_ms", "photos", "result", "why", "said", "posed"):
            del row[name]
        return row


_ANSWERS = ("shown_ms", "shown_seq", "answered_ms", "answered_seq", "latency_ms", "flags")
