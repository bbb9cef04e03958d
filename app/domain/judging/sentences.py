"""One plain sentence for every finding, in Chinese first: what was seen, both numbers, both times.

The sentence is what an auditor reads, what the learner was told, and what a report prints. Times
are Asia/Shanghai. The words stand in `detectors/<rule>.toml`, see `app/rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from msgspec import UnsetType

from app import rules
from app.clock import at
from app.languages import CODES, Text

# Of a finding that an earlier or a later version made, and that this one has no words for.
UNKNOWN = Text(
    "{start}至{end:short}，所用规则包的一项规则查出问题，本版本没有其说明（测得{measured}，界限{limit}）。",
    "From {start} to {end:short} a rule of the pack found something that this version has no words "
    "for (measured {measured}, limit {limit}).",
)

# {reviewers}: who decides, by the pack.
TWO = Text("须由两人复核确认", "two reviewers decide")
ONE = Text("须由人工复核确认", "a reviewer decides")


class Said(Protocol):
    """What a sentence is made of: a finding, stored or not."""

    @property
    def rule(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...
    @property
    def measured(self) -> float: ...
    @property
    def limit(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def needs_two_reviewers(self) -> bool: ...
    @property
    def stretches(self) -> Sequence[tuple[int, int]] | UnsetType: ...


# Seconds are told only where they matter: of what is short, or within a minute of its limit.
_SHORT_MS = 120_000
_LONG_S, _CLOSE_S = 600, 60


def sentences(finding: Said) -> Text:
    """The finding's sentence in both languages."""
    known = rules.reason(finding.rule, finding.reason)
    template = known.sentence if known else UNKNOWN
    return Text(*(filled(template, finding, code) for code in CODES))


def sentence(finding: Said, code: str, span: Callable[[int], str]) -> str:
    """The finding's sentence in one language, with long times as `span` tells milliseconds."""
    known = rules.reason(finding.rule, finding.reason)
    return filled(known.sentence if known else UNKNOWN, finding, code, span)


def filled(
    template: Text, finding: Said, code: str, span: Callable[[int], str] | None = None
) -> str:
    """A template of a rule's file with the finding's values. `span` tells milliseconds as people
    do; without it `plain_span` does."""
    start, end, unit = finding.start_ms, finding.end_ms, finding.unit
    one_day = start >= 0 and end >= 0 and at(start).date() == at(end).date()
    brief = end - start < _SHORT_MS
    told = span or partial(plain_span, code=code)
    close = abs(finding.measured - finding.limit) < _CLOSE_S
    return template.in_(code).format(
        measured=_Amount(finding.measured, unit, told, close),
        limit=_Amount(finding.limit, unit, told, close),
        start=_Moment(start, one_day, brief, code),
        end=_Moment(end, one_day, brief, code),
        reviewers=(TWO if finding.needs_two_reviewers else ONE).in_(code),
        stretches=("、" if code == "zh" else ", ").join(
            f"{_place(first)}–{_place(last)}" for first, last in finding.stretches or ()
        ),
    )


def _place(position_ms: int) -> str:
    """A place in a film as its player shows it: hours, minutes, seconds."""
    minutes, seconds = divmod(position_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def number(value: float) -> str:
    """At most two decimals, none that say nothing.

    >>> number(300.0), number(0.7234), number(12.5)
    ('300', '0.72', '12.5')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def plain_span(ms: int, code: str) -> str:
    """A length of time in its two largest units.

    >>> plain_span(7_500_000, "zh"), plain_span(188_000, "zh"), plain_span(300_000, "en")
    ('2小时05分', '3分08秒', '5 min')
    """
    seconds = max(0, round(ms / 1000))
    minutes, left = divmod(seconds, 60)
    zh = code == "zh"
    if minutes >= 60:
        hours, minutes = divmod(minutes, 60)
        return f"{hours}小时{minutes:02}分" if zh else f"{hours} h {minutes:02} min"
    if minutes and not left:
        return f"{minutes}分钟" if zh else f"{minutes} min"
    if minutes:
        return f"{minutes}分{left:02}秒" if zh else f"{minutes} min {left:02} s"
    return f"{seconds}秒" if zh else f"{seconds} s"


@dataclass(frozen=True, slots=True)
class _Amount:
    value: float
    unit: str
    span: Callable[[int], str]
    close: bool

    def __format__(self, spec: str) -> str:
        if spec != "span" or self.unit != "s":
            return number(self.value)
        whole = self.close or self.value < _LONG_S
        return self.span(round(self.value * 1000) if whole else round(self.value / 60) * 60_000)


@dataclass(frozen=True, slots=True)
class _Moment:
    ms: int
    one_day: bool
    brief: bool
    code: str

    def __format__(self, spec: str) -> str:
        moment = at(self.ms)
        clock = f"{moment:%H:%M:%S}" if self.brief else f"{moment:%H:%M}"
        if spec == "short" and self.one_day:
            return clock
        if self.code == "zh":
            return f"{moment.year}年{moment.month}月{moment.day}日{clock}"
        return f"{moment:%Y-%m-%d} {clock}"
