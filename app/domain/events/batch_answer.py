"""What is answered to a batch of events."""

from __future__ import annotations

from app.domain.answer import UNSET, Answer, EpochMs, Sha256, UnsetType
from app.domain.controls.controls_due import ControlsDue
from app.domain.sittings.sitting_life import Fate, State
from app.domain.wire import ItemError


class LeaseStatus(Answer, frozen=True, kw_only=True):
    """The playback lease after this batch, and the state of the sitting."""

    expires_at_ms: EpochMs
    state: State


class BatchNote(Answer, frozen=True, kw_only=True):
    """What of `count` events was odd and does not matter."""

    code: str
    detail: str
    count: int


class BatchAnswer(Answer, frozen=True, kw_only=True):
    """One sitting's batch. What is `accepted` is durable; `rejected` says why by index; `chain` is
    the digest over all that is stored of the sitting so far."""

    accepted: int
    duplicates: int
    rejected: list[ItemError]
    next_seq: int
    chain: Sha256
    controls: ControlsDue
    lease: LeaseStatus
    fate: Fate
    noted: list[BatchNote] | UnsetType = UNSET


class SittingAnswer(Answer, frozen=True, kw_only=True):
    """A sitting's part of a batch of many."""

    accepted: int
    duplicates: int
    next_seq: int
    chain: Sha256
    controls: ControlsDue
    lease: LeaseStatus
    fate: Fate
    noted: list[BatchNote] | UnsetType = UNSET

    @classmethod
    def of(cls, told: BatchAnswer) -> SittingAnswer:
        return cls(**{name: getattr(told, name) for name in cls.__struct_fields__})


class BatchesAnswer(Answer, frozen=True, kw_only=True):
    """A batch of many sittings; `sessions` by their ids, `rejected` by index in the whole batch."""

    accepted: int
    duplicates: int
    rejected: list[ItemError]
    sessions: dict[str, SittingAnswer]
