"""The picture that tells a sitting: content position against the server's clock.

Whoever plays at normal speed climbs along the dashed line. Above it nobody can honestly be;
what was credited is thick, what was voided is hatched by rule, and below, on the same time axis,
stand the page's visibility, the pop-ups and the photos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markupsafe import Markup

from app import rules
from app.console import labels, readable
from app.console.language import N_, Language, position
from app.console.session_frame import (
    BOTTOM,
    LEFT,
    PLOT,
    RIGHT,
    TOP,
    WIDTH,
    Drawing,
    PictureFrame,
    frame_of,
    hatched,
    patterns,
)
from app.console.session_lanes import credit_title, event_at, lanes, void_title
from app.console.session_photos import Looks
from app.console.svg import Axis, element, link, path, title
from app.domain.judging.timeline import Sample

LANE_GAP = 6
_TIME_STEPS = [x * 1000 for x in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)]
_SILENCE_MS = 120_000  # a longer gap between samples is drawn as one
_LABEL = 18


def session_picture(drawing: Drawing, lang: Language, looks: Looks | None = None) -> Markup:
    """The whole picture as one <svg>, drawn only from what it is given.

    `looks`: the photos that may be seen now, each under an access of its own.
    """
    frame = frame_of(drawing, lang)
    drawn_lanes = list(lanes(drawing, frame, looks or {}))
    height = BOTTOM + sum(size + LANE_GAP for size, _, _ in drawn_lanes) + 30
    parts: list[Markup] = [patterns(), *_grid(drawing, frame)]
    parts.extend(time_axis(frame, height - 20, TOP))
    parts.extend(_plot(drawing, frame))
    y: float = BOTTOM + LANE_GAP
    for size, name, drawn in drawn_lanes:
        parts.append(element("text", name, x=LEFT - 8, y=y + size / 2 + 4, class_="lane-name"))
        parts.append(element("rect", x=LEFT, y=y, width=RIGHT - LEFT, height=size, class_="lane"))
        parts.append(element("g", *drawn, transform=f"translate(0 {y})"))
        y += size + LANE_GAP
    return element(
        "svg",
        title(lang.say(N_("内容进度与服务器时间对照图"))),
        *parts,
        viewBox=f"0 0 {WIDTH} {height:g}",
        class_="session-picture",
        role="group",
        data_from=int(frame.time.low),
        data_to=int(frame.time.high),
        data_content=int(frame.content.high),
    )


def legend_rules(drawing: Drawing) -> list[str]:
    """The rules that voided something here, in the order of the rules."""
    seen = {it.rule for it in drawing.voided}
    known = rules.known()
    return [rule for rule in known if rule in seen] + sorted(seen - set(known))


def swatch(rule: str) -> Markup:
    """A small piece of a rule's hatching, for the legend."""
    return element(
        "svg",
        hatched(0.5, 0.5, 25, 13, rule),
        viewBox="0 0 26 14",
        width=26,
        height=14,
        class_="session-picture",
        aria_hidden="true",
    )


def _grid(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    """Content ticks, and the slope of normal speed: its ceiling, and faint parallels."""
    yield element("rect", x=LEFT, y=TOP, width=RIGHT - LEFT, height=PLOT, class_="plot")
    for pos in frame.content.ticks(_TIME_STEPS, 6):
        y = frame.content(pos)
        yield element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid")
        yield element("text", position(int(pos)), x=LEFT - 8, y=y + 4, class_="tick end")
    start, first = frame.time.low, _first_position(drawing)
    span, tall = frame.time.high - start, frame.content.high
    ceiling = [frame.point(start, first), *_slope(frame, start, first)]
    corner = [(ceiling[-1][0], TOP), (LEFT, TOP)]
    yield element(
        "path",
        title(frame.lang.say(N_("进度快于服务器时间"))),
        d=path([*ceiling, *corner]) + "Z",
        class_="beyond",
    )
    step = max(span, tall) / 6
    for i in range(1, 12):
        at = start - tall + i * step
        if at < start + span:
            yield element("path", d=path(_clipped_slope(frame, at)), class_="parallel")
    yield element("path", d=path(ceiling), class_="honest")
    (x0, y0), (x1, y1) = ceiling
    named = frame.lang.say(N_("1× 正常速度"))
    x, y = x0 + (x1 - x0) * 0.32 - 6, y0 + (y1 - y0) * 0.32 - 6
    yield element("text", named, x=x, y=y, class_="honest-name")


def _slope(frame: PictureFrame, t_ms: float, pos_ms: float) -> list[tuple[float, float]]:
    """Where the line of normal speed from a point leaves the plot."""
    run = min(frame.time.high - t_ms, frame.content.high - pos_ms)
    return [frame.point(t_ms + run, pos_ms + run)]


def _clipped_slope(frame: PictureFrame, at_ms: float) -> list[tuple[float, float]]:
    """The line of normal speed that is at position 0 at `at_ms`, within the plot."""
    t_ms = max(at_ms, frame.time.low)
    pos_ms = t_ms - at_ms
    return [frame.point(t_ms, pos_ms), *_slope(frame, t_ms, pos_ms)]


def _first_position(drawing: Drawing) -> float:
    samples = drawing.samples
    if not samples:
        return 0
    t_ms, pos_ms = samples[0][0], samples[0][1]
    return float(max(0, pos_ms - max(0, t_ms - drawing.session.opened_ms)))


def _plot(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    yield from _voids(drawing, frame)
    for pos0, pos1, t0, t1 in drawing.credited:
        told = title(credit_title(pos0, pos1, t0, t1, frame.lang))
        d = path([frame.point(t0, pos0), frame.point(t1, pos1)])
        drawn = element("g", told, element("path", d=d, class_="credit"))
        yield element("a", drawn, href=event_at(drawing, t0), tabindex=-1)
    for run in _runs(drawing.samples):
        yield element(
            "path", d=path(_thinned([frame.point(t, p) for t, p, *_ in run])), class_="trace"
        )
    for before, after in pairwise(drawing.samples):
        if after[0] - before[0] > _SILENCE_MS:
            d = path([frame.point(*before[:2]), frame.point(*after[:2])])
            yield element("path", d=d, class_="silence")
    yield from _labels(drawing, frame)


def _voids(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    for it in drawing.voided:
        x, width = frame.between(it.t0_ms, it.t1_ms)
        told = void_title(it, drawing.pack, frame.lang)
        band = hatched(x, TOP, width, PLOT, it.rule, it.outcome)
        yield link(it.href, element("g", title(told), band))


def _labels(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    """The letter of each finding's rule above its stretch, pushed aside rather than overlapping."""
    told = sorted(drawing.findings, key=lambda it: it.start_ms + it.end_ms)
    stretches = [frame.between(it.start_ms, it.end_ms) for it in told]
    places = _apart([x + width / 2 - _LABEL / 2 for x, width in stretches])
    for it, (x, width), at in zip(told, stretches, places, strict=True):
        outcome = labels.label(labels.DRAWN, it.outcome)
        stem = element("line", x1=at + _LABEL / 2, x2=x + width / 2, y1=22, y2=TOP, class_="stem")
        box = element("rect", x=at, y=4, width=_LABEL, height=_LABEL, rx=3)
        letter = readable.rule_letter(it.rule, frame.lang)
        mark = element("text", letter, x=at + _LABEL / 2, y=17.5)
        words = title(f"{frame.lang.say(outcome.text)} · {it.sentence}")
        yield link(
            f"#finding-{it.id}",
            element("g", words, stem, box, mark, class_=f"label tone-{outcome.tone}"),
        )


def _apart(wished: Sequence[float]) -> list[float]:
    """Left edges of labels in a row: as near as may be to where they are wished, side by side."""
    pitch = min(_LABEL + 3, (RIGHT - LEFT - _LABEL) / max(1, len(wished) - 1))
    places: list[float] = []
    for wish in wished:
        places.append(max(wish, places[-1] + pitch if places else LEFT))
    limit = float(RIGHT - _LABEL)
    for i in reversed(range(len(places))):
        places[i] = limit = min(places[i], limit)
        limit -= pitch
    return places


def time_axis(frame: PictureFrame, y: float, top: float) -> Iterator[Markup]:
    """Ticks from the top down to their times at y."""
    shift = 8 * 3_600_000  # ticks on round minutes of Shanghai time
    axis = Axis(frame.time.low + shift, frame.time.high + shift, LEFT, RIGHT)
    for at in axis.ticks(_TIME_STEPS, 8):
        x = axis(at)
        yield element("line", x1=x, x2=x, y1=top, y2=y - 10, class_="grid")
        label = frame.lang.clock(int(at - shift))
        yield element("text", label, x=min(x, RIGHT - 24), y=y + 6, class_="tick middle")


def _runs(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """Samples between silences."""
    begin = 0
    for i in range(1, len(samples) + 1):
        if i == len(samples) or samples[i][0] - samples[i - 1][0] > _SILENCE_MS:
            if i > begin:
                yield samples[begin:i]
            begin = i


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without points that fall on the one before, so that a long sitting stays a small picture."""
    kept = [points[0]]
    for point in points[1:-1]:
        if abs(point[0] - kept[-1][0]) >= 0.6 or abs(point[1] - kept[-1][1]) >= 0.6:
            kept.append(point)
    return [*kept, points[-1]]
