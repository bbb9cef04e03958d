"""Facts of many sittings as columns.

One live session and the nightly million have the same layout: flat arrays in session order and
offsets into them, so that every detector is written once, vectorised. All times are integer
milliseconds and all positions integer content milliseconds: sums and comparisons are exact, and a
verdict does not depend on which sessions happened to share a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Kinds = NDArray[np.uint8]

NONE = -1  # no time, no position, no row
EPOCH_MS = np.int64(946_684_800_000)  # absolute times are lifted by session relative to this


class Kind(IntEnum):
    """Event types, as stored; the names are the wire's."""

    PLAY = 1
    PAUSE = 2
    WAITING = 3
    PLAYING = 4
    ENDED = 5
    PROGRESS = 6
    SEEK = 7
    RATE = 8
    VISIBILITY = 9
    FOCUS = 10
    POPUP_SHOWN = 11
    POPUP_ANSWERED = 12
    POPUP_EXPIRED = 13
    INTEGRITY = 14
    ERROR = 15


class Flag(IntFlag):
    """Bits of an event's `flags`: a fact is known to be true, known to be false, or unsaid."""

    VISIBLE = 1
    HIDDEN = 2
    FOCUSED = 4
    BLURRED = 8
    BLOCKED = 16
    COMPLETED = 32  # the platform says that the whole lesson was completed
    REPEATING = 64  # it came with events that had come before: their answer was not heard


# 30 bytes an event. `recv_ms` counts from the session's start by the server's clock; `at_ms` is the
# client's own clock and is never used for credit; `x` is a seek's target position, a rate times
# 1000, or an `Integrity` code. Words (challenge, nonce, answer ...) are kept in notes beside.
EVENT = np.dtype(
    [
        ("at_ms", "<i8"),
        ("recv_ms", "<i4"),
        ("seq", "<i4"),
        ("pos_ms", "<i4"),
        ("x", "<i4"),
        ("mono_ms", "<i4"),
        ("kind", "u1"),
        ("flags", "u1"),
    ]
)


class Integrity(IntEnum):
    """What an SDK observed of its own page, by family; the exact code is kept in the notes."""

    OTHER = 0
    HIDDEN_BUT_VISIBLE = 1  # the page says visible, the untouched browser property says hidden
    NO_FRAMES = 2  # playing and visible, and no frame was drawn
    CLOCK_SKEW = 3  # the page's clocks disagree with each other
    SCRIPTED_INPUT = 4  # input events made by a script
    INPUT = 5  # somebody used keyboard, pointer or touch since it last said so
    INPUT_WATCHED = 6  # it tells of input from here on


class Control(IntEnum):
    """Kinds of control that the ledger keeps."""

    POPUP = 1
    SNAPSHOT = 2
    FACE_CHECK = 3


class ControlFlag(IntFlag):
    """What the server knows of one control. `SERVICE` marks one issued by this service itself."""

    SERVICE = 1
    REISSUE = 2
    RANDOM_TIME = 4  # its time was drawn unpredictably
    FOREIGN_NONCE = 8  # answered with a nonce that was not its own
    EARLY_ANSWER = 16  # answered before it was issued
    UNTRUSTED_INPUT = 32  # the browser marked the answering event as made by a script
    ANSWERED_TWICE = 64
    UNKNOWN = 128  # the client answered a challenge that nobody issued


# Times count from the session's start by the server's clock, NONE where it did not happen.
CONTROL = np.dtype(
    [
        ("issued_ms", "<i4"),
        ("due_ms", "<i4"),
        ("shown_ms", "<i4"),
        ("answered_ms", "<i4"),
        ("expired_ms", "<i4"),
        ("shown_seq", "<i4"),  # place of the popup_shown event in the client's own order
        ("answered_seq", "<i4"),
        ("window_ms", "<i4"),
        ("latency_ms", "<i4"),  # shown to answered on the client's own clock
        ("kind", "u1"),
        ("flags", "u1"),
    ]
)


class Check(IntEnum):
    """Result of one photo's comparison with the enrolled face."""

    PENDING = 0
    MATCH = 1
    REVIEW = 2  # between the thresholds
    MISMATCH = 3
    NO_FACE = 4
    SEVERAL_FACES = 5
    LOW_QUALITY = 6
    SPOOF = 7
    NO_REFERENCE = 8
    NO_CONSENT = 9
    UNREADABLE = 10
    NOT_COMPARED = 11  # kept as an image only; the class runs no comparison on it
    LOST = 12  # the service cannot get at it: its loss, not the learner's


class Purpose(IntEnum):
    START = 1
    RANDOM = 2
    RESUME = 3
    CHALLENGE = 4


class PhotoFlag(IntFlag):
    BOUND = 1  # answers a control of this session with an unused nonce
    RANDOM_TIME = 2  # that control's time was drawn unpredictably
    KEPT = 4  # the bytes were retrievable and unaltered when the facts were gathered
    SEEN_BEFORE = 8  # identical bytes exist under another snapshot
    LIVE = 16  # liveness passed
    REUSE_CONFIRMED = 32  # a person confirmed the re-use
    REUSE_CLEARED = 64  # a person cleared it
    NEAR_DUPLICATE = 128  # another photo, aligned with it, leaves nothing over
    FEED_NOT_LIVE = 256  # it, or the burst it belongs to, looks like an attack
    LATE = 512  # the window of its control was over when it came, and nothing excused it


PHOTO = np.dtype(
    [
        ("taken_ms", "<i8"),
        ("recv_ms", "<i4"),
        ("control", "<i4"),  # row in this session's controls, NONE when unbound
        ("score", "<f4"),  # face distance; NaN where none was computed
        ("limit", "<f4"),  # threshold the score was held against
        ("purpose", "u1"),
        ("check", "u1"),
        ("flags", "<u2"),
    ]
)


class SessionFlag(IntFlag):
    OPEN = 1
    LEASE_EXPIRED = 2
    ATTESTED = 4  # receive times come from a platform's log
    PLATFORM_CONTROLS = 8  # the platform runs its own pop-ups and photo times
    REFERENCE_PHOTO = 16
    FACE_CONSENT = 32
    SEQ_CONFLICT = 64  # one seq arrived with two contents
    CHAIN_BROKEN = 128  # the stored batches no longer hash to the chain


SESSION = np.dtype(
    [
        ("start_ms", "<i8"),
        ("end_ms", "<i8"),
        ("case", "<i4"),  # one person in one class
        ("person", "<i4"),
        ("klass", "<i4"),
        ("platform", "<i4"),
        ("lesson", "<i4"),  # row in `lessons`
        ("device", "<i4"),
        ("window", "<i4"),
        ("resume_ms", "<i4"),  # content position at which the service told the client to start
        ("flags", "u1"),
        ("told_start_ms", "<i8"),  # as a platform's log has it, NONE for a live sitting
        ("told_end_ms", "<i8"),  # by somebody's word: an end by silence may be taken back
        ("agent", "<i4"),  # what the browser calls itself and its address, NONE where untold
        ("address", "<i4"),
        ("counts_from_ms", "<i8"),  # study counts from here until there: the class's days
        ("counts_until_ms", "<i8"),  # … NONE where nobody told them
        ("stated_until_ms", "<i8"),  # … if what only the platform says of these days held
    ]
)

LESSON = np.dtype(
    [
        ("course", "<i4"),  # row of the frozen course version, same number = same course
        ("order", "<i4"),
        ("media_ms", "<i4"),
        ("professional", "u1"),
        ("sequential_lock", "u1"),
    ]
)

# A stretch of a lesson's timeline, as its player counts, that the film does not hold.
HOLE = np.dtype([("lesson", "<i4"), ("start_ms", "<i4"), ("end_ms", "<i4")])

# A class-hour is made of pieces of lessons; `hour` numbers the class-hours of all plans.
PIECE = np.dtype(
    [
        ("klass", "<i4"),
        ("hour", "<i4"),
        ("lesson", "<i4"),
        ("start_ms", "<i4"),
        ("end_ms", "<i4"),
    ]
)

# Two persons whose faces are alike, numbered as in SESSION's `person`.
FACE_PAIR = np.dtype(
    [
        ("one", "<i4"),
        ("other", "<i4"),
        ("distance", "<f4"),
        ("limit", "<f4"),
        ("pictures", "<i4"),  # of the account with fewer
    ]
)


class OverCourse(IntEnum):
    """How a sitting's face stands out of the learner's course."""

    ODD = 1  # it lies apart from the enrolled face and the other sittings
    TWO = 2  # it belongs to the smaller of two groups that the sittings fall into
    WHOLE = 3  # it is the last, and all sittings together lie off the enrolled face


COURSE_FACE = np.dtype(
    [
        ("session", "<i4"),
        ("kind", "u1"),
        ("distance", "<f4"),
        ("limit", "<f4"),
        ("sittings", "<i4"),  # that lie apart together
        ("others", "<i4"),  # sittings that they were held against
    ]
)

# A class-hour in which somebody saw the learner study and compared the face, as recorded.
IN_PERSON = np.dtype([("case", "<i4"), ("hour", "<i4")])


@dataclass(frozen=True, slots=True)
class Trace:
    """Columns of S sittings.

    sessions  SESSION[S], sorted by (case, start_ms)
    events    EVENT[E], per session sorted by seq, each seq once
    controls  CONTROL[C], per session in order of issue
    photos    PHOTO[P], per session in order of receipt
    lessons   LESSON[L]; pieces PIECE[Q], sorted by (klass, hour)
    faces     FACE_PAIR[F], known only when whole classes are judged
    course    COURSE_FACE[K], sittings whose face stands out of the learner's course, by session
    answer_ms int64[S], the longer time to answer pop-ups that was recorded for the sitting's
              learner, 0 where none was; int64[0] where none was for anybody
    in_person IN_PERSON[H], class-hours checked in person
    holes     HOLE[N], disjoint and in order within a lesson; its `media_ms`, its pieces and its
              sittings' `resume_ms` count without them, events' positions with them
    named     int64[S], a number for the name that the sitting's account bears, one number a name;
              int64[0] where nobody told names
    *_at      int64[S+1] offsets: events of session s are events[events_at[s]:events_at[s + 1]]
    """

    sessions: NDArray[np.void]
    events: NDArray[np.void]
    events_at: Ints
    controls: NDArray[np.void]
    controls_at: Ints
    photos: NDArray[np.void]
    photos_at: Ints
    lessons: NDArray[np.void]
    pieces: NDArray[np.void]
    faces: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, FACE_PAIR))
    course: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, COURSE_FACE))
    answer_ms: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    in_person: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, IN_PERSON))
    named: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    holes: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, HOLE))

    def __len__(self) -> int:
        return len(self.sessions)

    def events_of(self, session: int) -> NDArray[np.void]:
        return self.events[self.events_at[session] : self.events_at[session + 1]]

    def controls_of(self, session: int) -> NDArray[np.void]:
        return self.controls[self.controls_at[session] : self.controls_at[session + 1]]

    def course_of(self, session: int) -> NDArray[np.void]:
        return self.course[self.course["session"] == session]

    def photos_of(self, session: int) -> NDArray[np.void]:
        return self.photos[self.photos_at[session] : self.photos_at[session + 1]]


def offsets(counts: Ints) -> Ints:
    """int64[n+1] offsets of n groups of the given sizes.

    >>> offsets(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def owners(at: Ints) -> Ints:
    """The group of every element, from the groups' offsets.

    >>> owners(np.array([0, 2, 2, 5])).tolist()
    [0, 0, 2, 2, 2]
    """
    return np.repeat(np.arange(len(at) - 1, dtype=np.int64), np.diff(at))
