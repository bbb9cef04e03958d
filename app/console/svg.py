"""Drawing: SVG elements with escaped text, and axes with round steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Value = str | float | int


def element(name: str, *children: Markup | str, **attributes: Value | None) -> Markup:
    """One element. `class_` is written `class`, `stroke_width` `stroke-width`; None is left out.

    >>> element("text", "a<b", x=1.50, class_="note")
    Markup('<text x="1.5" class="note">a&lt;b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children)
    drawn = f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"
    return Markup(drawn)  # noqa: S704 -- names are ours, all else was escaped above


def title(text: str) -> Markup:
    """What a pointer resting on the parent element is told, and what a screen reader reads."""
    return element("title", text)


def link(href: str, *children: Markup | str) -> Markup:
    return element("a", *children, href=href)


def path(points: Sequence[tuple[float, float]]) -> str:
    """A polyline as path data."""
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points)


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def clamped(self, value: float) -> float:
        return self(min(max(value, self.low), self.high))

    def ticks(self, steps: Sequence[float], most: int) -> list[float]:
        """Multiples of the smallest of `steps` that gives at most `most` of them."""
        span = self.high - self.low
        step = next((it for it in steps if span / it <= most), steps[-1])
        first = -(-self.low // step) * step
        return [first + i * step for i in range(int((self.high - first) // step) + 1)]


def round_steps(largest: float) -> list[float]:
    """1, 2, 5, 10, 20 … up to `largest` and one beyond."""
    steps = [1.0]
    while steps[-1] < largest:
        steps.append(steps[-1] * (2.5 if str(steps[-1])[0] == "2" else 2))
    return steps


def _short(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
