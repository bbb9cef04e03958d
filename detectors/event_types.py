"""Types of events, one entry each: their names on the wire, their labels, and what they belong to.

A new type is a `Kind` with a number that was never used, an entry here, and the struct that reads
it in app/domain/events/events.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from detectors.control_kinds import ControlKind
from detectors.trace import Kind


@dataclass(frozen=True, slots=True)
class EventType:
    """`of`: the kind of control that the event tells of."""

    kind: Kind
    zh: str
    en: str
    of: ControlKind | None = None

    @property
    def name(self) -> str:
        return wire(self.kind)


def wire(kind: Kind) -> str:
    """The type's name on the wire.

    >>> wire(Kind.POPUP_SHOWN)
    'popup_shown'
    """
    return kind.name.lower()


EVENT_TYPES = (
    EventType(Kind.PLAY, "播放", "Play"),
    EventType(Kind.PAUSE, "暂停", "Pause"),
    EventType(Kind.WAITING, "缓冲", "Buffering"),
    EventType(Kind.PLAYING, "继续播放", "Play goes on"),
    EventType(Kind.ENDED, "播完", "Ended"),
    EventType(Kind.PROGRESS, "进度", "Progress"),
    EventType(Kind.SEEK, "拖动", "Seek"),
    EventType(Kind.RATE, "倍速", "Rate"),
    EventType(Kind.VISIBILITY, "页面显隐", "Visibility"),
    EventType(Kind.FOCUS, "焦点", "Focus"),
    EventType(Kind.POPUP_SHOWN, "弹窗显示", "Pop-up shown", ControlKind.POPUP),
    EventType(Kind.POPUP_ANSWERED, "弹窗应答", "Pop-up answered", ControlKind.POPUP),
    EventType(Kind.POPUP_EXPIRED, "弹窗超时", "Pop-up expired", ControlKind.POPUP),
    EventType(Kind.INTEGRITY, "页面异常", "Page anomaly"),
    EventType(Kind.ERROR, "播放错误", "Play error"),
)


def telling_of(kind: ControlKind) -> frozenset[str]:
    """Names of the events that tell of controls of a kind."""
    return frozenset(it.name for it in EVENT_TYPES if it.of is kind)
