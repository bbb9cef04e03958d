"""The frame of the session picture: both axes, the hatchings of the rules, and the words."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from markupsafe import Markup

from app import rules
from app.console import labels
from app.console.language import Language
from app.console.svg import Axis, element
from app.domain.judging.timeline import Plotted, VoidedStretch

WIDTH = 900
LEFT, RIGHT = 78, WIDTH - 14
TOP, PLOT = 30, 210
BOTTOM = TOP + PLOT
_MINUTE = 60_000


class DrawnVoid(VoidedStretch, frozen=True, kw_only=True):
    """A voided stretch, and where its finding is told."""

    outcome: str
    href: str


class WithheldStretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch that does not count though nobody is accused, and why, in the page's language."""

    t0_ms: int
    t1_ms: int
    sentence: str


class DrawnFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of the page, in the words of its language."""

    id: int
    rule: str
    outcome: str
    start_ms: int
    end_ms: int
    sentence: str


class DrawnSitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as a bar on the time axis, beside the one it is told to overlap with."""

    name: str
    words: str
    opened_ms: int
    closed_ms: int
    href: str


class Drawing(Plotted, frozen=True, kw_only=True):
    """What the picture shows. `events` is the address of the raw events, `pack` id@version."""

    voided: list[DrawnVoid]
    findings: list[DrawnFinding]
    events: str
    pack: str
    beside: tuple[DrawnSitting, ...] = ()
    withheld: tuple[WithheldStretch, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureFrame:
    """Both axes, and the words."""

    time: Axis
    content: Axis
    lang: Language

    def point(self, t_ms: float, pos_ms: float) -> tuple[float, float]:
        return self.time.clamped(t_ms), self.content.clamped(pos_ms)

    def between(self, t0_ms: float, t1_ms: float, least: float = 1.5) -> tuple[float, float]:
        """x and width of a stretch of time, never too narrow to be seen."""
        x0, x1 = self.time.clamped(t0_ms), self.time.clamped(t1_ms)
        return x0, max(least, x1 - x0)


def frame_of(plotted: Plotted, lang: Language) -> PictureFrame:
    session, samples = plotted.session, plotted.samples
    opened = session.opened_ms
    ends = [
        session.closed_ms or session.ended_ms,
        opened + _MINUTE,
        *(it[0] for it in samples[-1:]),
    ]
    tops = [session.media_ms or 0, _MINUTE, max((it[1] for it in samples), default=0)]
    time = Axis(opened, max(ends), LEFT, RIGHT)
    return PictureFrame(time, Axis(0, max(tops), BOTTOM, TOP), lang)


def hatched(
    x: float, y: float, width: float, height: float, rule: str, outcome: str = ""
) -> Markup:
    """A voided stretch: the hatching tells the rule; red is only where somebody is accused."""
    tone = labels.label(labels.DRAWN, outcome).tone
    place = {"x": x, "y": y, "width": width, "height": height}
    return element(
        "g",
        element("rect", class_="void-ground", **place),
        element("rect", class_="void", fill=_fill(rule), **place),
        class_=f"tone-{tone}",
    )


def _fill(rule: str) -> str:
    return f"url(#void-{rule if rule in _hatches() else 'other'})"


def _hatches() -> dict[str, str]:
    drawn = {rule: it.hatch for rule, it in rules.known().items() if it.hatch}
    return drawn | {"other": "M3.2 4h1.6"}


def patterns() -> Markup:
    return element(
        "defs",
        *(
            element(
                "pattern",
                element("path", d=d, class_="hatch"),
                id=f"void-{rule}",
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for rule, d in _hatches().items()
        ),
    )
