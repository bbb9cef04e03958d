"""Why a sitting was credited so, minute by minute of the server's clock, in words.

What counted comes first; the rest of a minute has one reason each: a rule, what a rule takes
without accusing anybody, a page that was not seen, a player that stood still, content that brought
nothing new, or nothing that was received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.console import readable
from app.console.language import N_, Language
from app.console.session_frame import Drawing
from app.console.session_lanes import hidden_stretches

MINUTE_MS = 60_000
LEAST_MS = 1_000  # less is a matter of rounding
MOST = 600  # minutes that are looked at

Stretch = tuple[int, int]

HIDDEN = N_("页面隐藏或失去焦点")
STILL = N_("播放停着（暂停、缓冲或弹窗等待）")
NOTHING_NEW = N_("播放的内容此前已计入、超出服务器时间所允许，或不属于本次课程")
NOTHING_CAME = N_("没有收到播放记录")


@dataclass(frozen=True, slots=True)
class CreditLine:
    """Minutes in a row of which the same is to be said; `reasons` with their milliseconds."""

    t0_ms: int
    t1_ms: int
    credited_ms: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def plain(self) -> bool:
        """Whether one thing is true of all of it, so that minutes may be told together."""
        return len(self.reasons) + (self.credited_ms > 0) == 1


def lines(drawing: Drawing, lang: Language) -> list[CreditLine]:
    """All minutes of the sitting; those in a row that are alike told together."""
    told: list[CreditLine] = []
    for it in _minutes(drawing, lang):
        last = told[-1] if told else None
        if last and last.plain and it.plain and _said(last) == _said(it):
            reasons = tuple(
                (name, ms + more)
                for (name, ms), (_, more) in zip(last.reasons, it.reasons, strict=True)
            )
            credited = last.credited_ms + it.credited_ms
            told[-1] = CreditLine(last.t0_ms, it.t1_ms, credited, reasons)
        else:
            told.append(it)
    return told


def _said(line: CreditLine) -> list[str]:
    return [name for name, _ in line.reasons]


def _minutes(drawing: Drawing, lang: Language) -> Iterator[CreditLine]:
    def rule(code: str) -> str:
        return readable.rule(code, drawing.pack, lang)

    credited = [(t0, t1) for _, _, t0, t1 in drawing.credited]
    reasons = [
        *((rule(it.rule), [(it.t0_ms, it.t1_ms)]) for it in drawing.voided),
        *((it.sentence, [(it.t0_ms, it.t1_ms)]) for it in drawing.withheld),
        (lang.say(HIDDEN), hidden_stretches(drawing.samples)),
        *((lang.say(text), it) for text, it in _played(drawing)),
    ]  # fmt: skip
    start, end = drawing.session.opened_ms, drawing.session.ended_ms
    for t0 in range(start, min(end, start + MOST * MINUTE_MS), MINUTE_MS):
        minute = (t0, min(t0 + MINUTE_MS, end))
        left = without([minute], credited)
        counted, found = minute[1] - t0 - length(left), dict[str, int]()
        for name, stretches in reasons:
            rest = without(left, stretches)
            if length(left) - length(rest) >= LEAST_MS:
                found[name] = found.get(name, 0) + length(left) - length(rest)
            left = rest
        if length(left) >= LEAST_MS:
            found[lang.say(NOTHING_CAME)] = length(left)
        yield CreditLine(*minute, counted if counted >= LEAST_MS else 0, tuple(found.items()))


def _played(drawing: Drawing) -> list[tuple[str, list[Stretch]]]:
    """Where the player stood still, and where it moved."""
    still, moved = list[Stretch](), list[Stretch]()
    for (t0, pos0, _), (t1, pos1, _) in zip(drawing.samples, drawing.samples[1:], strict=False):
        if t1 > t0:
            (moved if pos1 != pos0 else still).append((t0, t1))
    return [(STILL, still), (NOTHING_NEW, moved)]


def without(stretches: Sequence[Stretch], others: Sequence[Stretch]) -> list[Stretch]:
    """What of the stretches none of the others covers.

    >>> without([(0, 60)], [(10, 20), (15, 30), (50, 99)])
    [(0, 10), (30, 50)]
    """
    left = list(stretches)
    for a, b in others:
        left = [
            it for t0, t1 in left for it in ((t0, min(t1, a)), (max(t0, b), t1)) if it[0] < it[1]
        ]
    return left


def length(stretches: Sequence[Stretch]) -> int:
    return sum(t1 - t0 for t0, t1 in stretches)
