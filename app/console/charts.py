"""The overview's charts, drawn on the server: they print, and need nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.console import labels
from app.console.language import Language
from app.console.svg import Axis, element, link, round_steps, title

OUTCOMES = ("violation", "review", "not_proven")  # from the bottom of a stack to its top


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its counts by outcome, where it leads, and what hovering tells."""

    label: str
    counts: Mapping[str, int]
    href: str = ""
    told: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts.get(outcome, 0) for outcome in OUTCOMES)


def columns(bars: Sequence[Bar], lang: Language, name: str, every: int = 1) -> Markup:
    """Standing stacked bars, one a day; every `every`-th is labelled."""
    width, height, left, bottom, top, right = 640, 200, 34, 172, 10, 18  # half a label at the end
    tallest = max([bar.total for bar in bars] + [4])
    scale = Axis(0, tallest, bottom, top)
    pitch = (width - left - right) / len(bars)
    parts: list[Markup] = []
    for tick in scale.ticks(round_steps(tallest), 5):
        y = scale(tick)
        parts.append(element("line", x1=left, x2=width - right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", lang.number(tick), x=left - 6, y=y + 4, class_="tick end"))
    for i, bar in enumerate(bars):
        x, below = left + i * pitch + pitch * 0.15, 0
        stack = [title(bar.told)]
        for outcome in OUTCOMES:
            count = bar.counts.get(outcome, 0)
            if count:
                y1, y0 = scale(below + count), scale(below)
                stack.append(
                    element(
                        "rect",
                        x=x,
                        y=y1,
                        width=pitch * 0.7,
                        height=y0 - y1,
                        class_=f"bar {outcome}",
                    )
                )
                below += count
        parts.append(element("g", *stack))
        if i % every == (len(bars) - 1) % every:
            parts.append(
                element("text", bar.label, x=x + pitch * 0.35, y=bottom + 18, class_="tick middle")
            )
    return _chart(width, height, name, parts)


def rows(bars: Sequence[Bar], lang: Language, name: str) -> Markup:
    """Lying stacked bars with their totals."""
    width, left, pitch = 640, 190, 28
    longest = max([bar.total for bar in bars] + [1])
    scale = Axis(0, longest, left, width - 52)
    parts: list[Markup] = []
    for i, bar in enumerate(bars):
        y, upto = i * pitch + 4, 0
        stack = [title(bar.told or bar.label)]
        lines = _lines(bar.label)
        for n, line in enumerate(lines):
            at = y + 15 + (n - (len(lines) - 1) / 2) * 13
            stack.append(element("text", line, x=left - 10, y=at, class_="tick end name"))
        for outcome in OUTCOMES:
            count = bar.counts.get(outcome, 0)
            if count:
                x0, x1 = scale(upto), scale(upto + count)
                stack.append(
                    element(
                        "rect",
                        x=x0,
                        y=y,
                        width=max(1.0, x1 - x0),
                        height=20,
                        class_=f"bar {outcome}",
                    )
                )
                upto += count
        stack.append(
            element("text", lang.number(bar.total), x=scale(upto) + 6, y=y + 15, class_="tick")
        )
        drawn = element("g", *stack)
        parts.append(link(bar.href, drawn) if bar.href else drawn)
    return _chart(width, len(bars) * pitch + 4, name, parts)


def key(lang: Language) -> Markup:
    """Which fill is which outcome."""
    return Markup("").join(
        element(
            "span",
            element(
                "svg",
                element("rect", x=0.5, y=0.5, width=17, height=11, class_=f"bar {outcome}"),
                viewBox="0 0 18 12",
                width=18,
                height=12,
                class_="chart",
                aria_hidden="true",
            ),
            lang.say(labels.OUTCOMES[outcome].text),
        )
        for outcome in OUTCOMES
    )


def _chart(width: int, height: int, name: str, parts: Sequence[Markup]) -> Markup:
    hatch = element(
        "defs",
        element(
            "pattern",
            element("rect", width=6, height=6, class_="ground"),
            element("path", d="M0 6L6 0M-1.5 1.5L1.5-1.5M4.5 7.5L7.5 4.5", class_="stripe"),
            id="bar-not_proven",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
        ),
    )
    return element(
        "svg",
        title(name),
        hatch,
        *parts,
        viewBox=f"0 0 {width} {height}",
        class_="chart",
        role="group",
    )


def _lines(label: str, most: float = 14.5) -> list[str]:
    """The label in one line, or two; what two do not hold is cut, and told by hovering."""
    fits = _fitting(label, most)
    if fits == len(label):
        return [label]
    space = label.rfind(" ", 0, fits + 1)
    first = space if space > 0 else fits
    rest = label[first:].strip()
    fits = _fitting(rest, most)
    return [label[:first], rest if fits == len(rest) else rest[: fits - 1] + "…"]


def _fitting(text: str, most: float) -> int:
    """How many of the first characters are no wider than `most` Chinese ones."""
    wide = 0.0
    for n, char in enumerate(text):
        wide += 1.0 if ord(char) > 0x2E7F else 0.62
        if wide > most:
            return n
    return len(text)
