"""The picture that tells a sitting: content position against the server's clock.

Whoever plays at normal speed climbs along the dashed line. Above it nobody can honestly be;
what was credited is thick, what was voided is hatched by rule, and below, on the same time axis,
stand the page's visibility, the pop-ups and the photos.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from app.console import words
from app.console.language import N_, Language, position
from app.console.svg import Axis, element, link, path, title

Timeline = Mapping[str, Any]

WIDTH = 1240
LEFT, RIGHT = 78, WIDTH - 14
TOP, PLOT = 30, 250
LANE, LANE_GAP = 24, 6
PHOTO_LANE = 30
_BOTTOM = TOP + PLOT
_MINUTE = 60_000
_TIME_STEPS = [x * 1000 for x in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)]
_SILENCE_MS = 120_000  # a longer gap between samples is drawn as one
_LABEL = 18


@dataclass(frozen=True, slots=True)
class _Frame:
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


def session_picture(timeline: Timeline, lang: Language) -> Markup:
    """The whole picture as one <svg>, drawn only from the timeline."""
    frame = _frame(timeline, lang)
    lanes = list(_lanes(timeline, frame))
    height = _BOTTOM + sum(size + LANE_GAP for size, _, _ in lanes) + 30
    parts: list[Markup] = [_patterns(), *_grid(timeline, frame), *_plot(timeline, frame)]
    y = _BOTTOM + LANE_GAP
    for size, name, drawn in lanes:
        parts.append(element("text", name, x=LEFT - 8, y=y + size / 2 + 4, class_="lane-name"))
        parts.append(element("rect", x=LEFT, y=y, width=RIGHT - LEFT, height=size, class_="lane"))
        parts.append(element("g", *drawn, transform=f"translate(0 {y})"))
        y += size + LANE_GAP
    parts.extend(_time_axis(frame, y + 10))
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


def legend_rules(timeline: Timeline) -> list[str]:
    """The rules that voided something here, in the order of the rules."""
    seen = {it["rule"] for it in timeline["voided"]}
    return [rule for rule in words.RULES if rule in seen] + sorted(seen - set(words.RULES))


def swatch(rule: str) -> Markup:
    """A small piece of a rule's hatching, for the legend."""
    return element(
        "svg",
        element("rect", x=0.5, y=0.5, width=25, height=13, class_="void", fill=_fill(rule)),
        viewBox="0 0 26 14",
        width=26,
        height=14,
        aria_hidden="true",
    )


def _frame(timeline: Timeline, lang: Language) -> _Frame:
    session = timeline["session"]
    samples: Sequence[Sequence[int]] = timeline["samples"]
    opened = session["opened_ms"]
    ends = [session["closed_ms"] or 0, opened + _MINUTE, *(it[0] for it in samples[-1:])]
    tops = [session["media_ms"] or 0, _MINUTE, max((it[1] for it in samples), default=0)]
    time = Axis(opened, max(ends), LEFT, RIGHT)
    return _Frame(time, Axis(0, max(tops), _BOTTOM, TOP), lang)


def _grid(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    """Content ticks, and the slope of normal speed: its ceiling, and faint parallels."""
    yield element("rect", x=LEFT, y=TOP, width=RIGHT - LEFT, height=PLOT, class_="plot")
    for pos in frame.content.ticks(_TIME_STEPS, 6):
        y = frame.content(pos)
        yield element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid")
        yield element("text", position(int(pos)), x=LEFT - 8, y=y + 4, class_="tick end")
    start, first = frame.time.low, _first_position(timeline)
    span, tall = frame.time.high - start, frame.content.high
    ceiling = [frame.point(start, first), *_slope(frame, start, first)]
    corner = [(ceiling[-1][0], TOP), (LEFT, TOP)]
    yield element(
        "path",
        title(frame.lang.say(N_("进度快于服务器时间，正常播放到不了这里"))),
        d=path([*ceiling, *corner]) + "Z",
        class_="beyond",
    )
    step = max(span, tall) / 6
    for i in range(1, 12):
        at = start - tall + i * step
        if at < start + span:
            yield element("path", d=path(_clipped_slope(frame, at)), class_="parallel")
    yield element("path", d=path(ceiling), class_="honest")
    x, y = ceiling[-1]
    yield element(
        "text",
        frame.lang.say(N_("1× 正常速度")),
        x=min(x, RIGHT) - 8,
        y=max(y, TOP) + 22,
        class_="honest-name",
    )


def _slope(frame: _Frame, t_ms: float, pos_ms: float) -> list[tuple[float, float]]:
    """Where the line of normal speed from a point leaves the plot."""
    run = min(frame.time.high - t_ms, frame.content.high - pos_ms)
    return [frame.point(t_ms + run, pos_ms + run)]


def _clipped_slope(frame: _Frame, at_ms: float) -> list[tuple[float, float]]:
    """The line of normal speed that is at position 0 at `at_ms`, within the plot."""
    t_ms = max(at_ms, frame.time.low)
    pos_ms = t_ms - at_ms
    return [frame.point(t_ms, pos_ms), *_slope(frame, t_ms, pos_ms)]


def _first_position(timeline: Timeline) -> float:
    samples = timeline["samples"]
    if not samples:
        return 0
    t_ms, pos_ms = samples[0][0], samples[0][1]
    return float(max(0, pos_ms - max(0, t_ms - timeline["session"]["opened_ms"])))


def _plot(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    yield from _voids(timeline, frame)
    for pos0, pos1, t0, t1 in timeline["credited"]:
        told = frame.lang.say(
            N_("计入学时：内容 %(from)s–%(to)s，服务器时间 %(t0)s–%(t1)s"),
            **{"from": position(pos0), "to": position(pos1)},
            t0=frame.lang.clock(t0),
            t1=frame.lang.clock(t1),
        )
        d = path([frame.point(t0, pos0), frame.point(t1, pos1)])
        yield element("path", title(told), d=d, class_="credit")
    for run in _runs(timeline["samples"]):
        yield element(
            "path", d=path(_thinned([frame.point(t, p) for t, p, *_ in run])), class_="trace"
        )
    for before, after in pairwise(timeline["samples"]):
        if after[0] - before[0] > _SILENCE_MS:
            d = path([frame.point(*before[:2]), frame.point(*after[:2])])
            yield element("path", d=d, class_="silence")
    yield from _labels(timeline, frame)


def _voids(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    for it in timeline["voided"]:
        x, width = frame.between(it["t0_ms"], it["t1_ms"])
        told = frame.lang.say(
            N_("%(rule)s：%(t0)s–%(t1)s 不计学时"),
            rule=frame.lang.say(words.word(words.RULES, it["rule"]).text),
            t0=frame.lang.clock(it["t0_ms"]),
            t1=frame.lang.clock(it["t1_ms"]),
        )
        band = element(
            "rect",
            title(told),
            x=x,
            y=TOP,
            width=width,
            height=PLOT,
            class_="void",
            fill=_fill(it["rule"]),
        )
        yield link(f"#finding-{it['finding']}", band)


def _labels(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    """The letter of each finding's rule above its stretch, pushed aside rather than overlapping."""
    dated = [it for it in timeline["findings"] if it.get("start_ms") is not None]
    free_from = float(LEFT)
    for it in sorted(dated, key=lambda finding: finding["start_ms"]):
        x, width = frame.between(it["start_ms"], it["end_ms"] or it["start_ms"])
        at = min(max(x + width / 2 - _LABEL / 2, free_from), RIGHT - _LABEL)
        free_from = at + _LABEL + 3
        word = words.word(words.RULES, it["rule"])
        outcome = words.word(words.OUTCOMES, it["outcome"])
        stem = element("line", x1=at + _LABEL / 2, x2=x + width / 2, y1=22, y2=TOP, class_="stem")
        box = element("rect", x=at, y=4, width=_LABEL, height=_LABEL, rx=3)
        letter = element(
            "text", frame.lang.say(word.letter) or it["rule"][0], x=at + _LABEL / 2, y=17.5
        )
        told = title(f"{frame.lang.say(outcome.text)} · {it['sentence']}")
        yield link(
            f"#finding-{it['id']}",
            element("g", told, stem, box, letter, class_=f"label tone-{outcome.tone}"),
        )


def _lanes(timeline: Timeline, frame: _Frame) -> Iterator[tuple[float, str, list[Markup]]]:
    """(height, name, drawing) of the lanes under the plot."""
    say = frame.lang.say
    yield LANE, say(N_("计入")), list(_credit_lane(timeline, frame))
    yield LANE, say(N_("页面")), list(_page_lane(timeline, frame))
    yield LANE, say(N_("弹窗")), list(_popup_lane(timeline, frame))
    yield PHOTO_LANE, say(N_("照片")), list(_photo_lane(timeline, frame))


def _credit_lane(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    for _, _, t0, t1 in timeline["credited"]:
        x, width = frame.between(t0, t1)
        yield element("rect", x=x, y=6, width=width, height=LANE - 12, class_="credited")
    for it in timeline["voided"]:
        x, width = frame.between(it["t0_ms"], it["t1_ms"])
        yield element(
            "rect", x=x, y=2, width=width, height=LANE - 4, class_="void", fill=_fill(it["rule"])
        )


def _page_lane(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    for t0, t1 in hidden_stretches(timeline["samples"]):
        x, width = frame.between(t0, t1)
        told = frame.lang.say(
            N_("页面隐藏 %(t0)s–%(t1)s，计时停止，不作违规认定"),
            t0=frame.lang.clock(t0),
            t1=frame.lang.clock(t1),
        )
        yield element("rect", title(told), x=x, y=4, width=width, height=LANE - 8, class_="hidden")


def hidden_stretches(samples: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Server times between which the page said it was hidden.

    >>> hidden_stretches([[0, 0, 1], [10, 5, 0], [20, 5, 0], [30, 5, 1]])
    [(10, 30)]
    """
    stretches: list[tuple[int, int]] = []
    since: int | None = None
    for t, _, visible in samples:
        if not visible and since is None:
            since = t
        elif visible and since is not None:
            stretches.append((since, t))
            since = None
    if since is not None:
        stretches.append((since, samples[-1][0]))
    return stretches


def _popup_lane(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    middle = LANE / 2
    for row, it in enumerate(timeline["controls"]):
        if it["kind"] != "popup":
            continue
        begun = it["shown_ms"] or it["due_ms"] or it["issued_ms"]
        ended = it["answered_ms"] or it["expired_ms"]
        x = frame.time.clamped(begun)
        marks = []
        if ended:
            marks.append(
                element(
                    "line", x1=x, x2=frame.time.clamped(ended), y1=middle, y2=middle, class_="wait"
                )
            )
        marks.append(_popup_mark(it, x, middle))
        yield link(f"#control-{row}", element("g", title(control_told(it, frame.lang)), *marks))


def _popup_mark(it: Mapping[str, Any], x: float, y: float) -> Markup:
    if it["answered_ms"] and not _doubtful(it):
        return element("path", d=f"M{x - 5:.1f} {y:g}l3.5 4 6.5-8", class_="mark answered")
    if it["answered_ms"]:
        return element("path", d=f"M{x:.1f} {y - 6:g}l6 6-6 6-6-6z", class_="mark doubtful")
    if it["expired_ms"]:
        return element("path", d=f"M{x - 4.5:.1f} {y - 4.5:g}l9 9m0-9l-9 9", class_="mark expired")
    return element("circle", cx=x, cy=y, r=4.5, class_="mark unshown")


def _doubtful(it: Mapping[str, Any]) -> bool:
    return any(flag not in ("service", "reissue", "random_time") for flag in it["flags"])


def control_told(it: Mapping[str, Any], lang: Language) -> str:
    """One control's story in one line."""
    steps = [
        (N_("应于%(t)s出现"), it["due_ms"] or it["issued_ms"]),
        (N_("%(t)s显示"), it["shown_ms"]),
        (N_("%(t)s应答"), it["answered_ms"]),
        (N_("%(t)s超时"), it["expired_ms"]),
    ]
    told = [lang.say(text, t=lang.clock(at)) for text, at in steps if at]
    if not it["shown_ms"] and not it["answered_ms"]:
        told.append(lang.say(N_("未见显示")))
    kind = lang.say(words.word(words.CONTROLS, it["kind"]).text)
    return kind + lang.say(N_("：")) + lang.say(N_("，")).join(told)


def _photo_lane(timeline: Timeline, frame: _Frame) -> Iterator[Markup]:
    for row, it in enumerate(timeline["controls"]):
        if it["kind"] != "popup" and it["expired_ms"] and not it["answered_ms"]:
            x = frame.time.clamped(it["due_ms"] or it["issued_ms"])
            box = element("rect", x=x - 9, y=6, width=18, height=18, rx=3, class_="photo missed")
            told = title(control_told(it, frame.lang))
            yield link(f"#control-{row}", element("g", told, box))
    for it in timeline["photos"]:
        x = frame.time.clamped(it["t_ms"])
        word = words.word(words.CHECKS, it["check"])
        purpose = frame.lang.say(words.word(words.PURPOSES, it["purpose"]).text)
        told = f"{frame.lang.clock(it['t_ms'])} {purpose} · {frame.lang.say(word.text)}"
        yield link(
            f"#photo-{it['id']}",
            element(
                "g",
                title(told),
                element("rect", x=x - 10, y=5, width=20, height=20, rx=3, class_="photo"),
                element("text", word.letter or "·", x=x, y=19.5),
                class_=f"photo-mark tone-{word.tone}",
            ),
        )


def _time_axis(frame: _Frame, y: float) -> Iterator[Markup]:
    shift = 8 * 3_600_000  # ticks on round minutes of Shanghai time
    axis = Axis(frame.time.low + shift, frame.time.high + shift, LEFT, RIGHT)
    for at in axis.ticks(_TIME_STEPS, 11):
        x = axis(at)
        yield element("line", x1=x, x2=x, y1=TOP, y2=y - 10, class_="grid")
        label = frame.lang.clock(int(at - shift))
        yield element("text", label, x=min(x, RIGHT - 24), y=y + 6, class_="tick middle")


def _runs(samples: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
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


def _fill(rule: str) -> str:
    return f"url(#void-{rule if rule in _HATCHES else 'other'})"


_HATCHES = {
    "fast_forward": "M0 8L8 0M-2 2L2-2M6 10L10 6",
    "multi_window": "M0 0L8 8M0 8L8 0",
    "popup_gap": "M4 2.4v3.2M2.4 4h3.2",
    "face_liveness": "M0 2h8M0 6h8",
    "lesson_order": "M2 0v8M6 0v8",
    "photo_retention": "M0 4h8M4 0v8",
    "forged_telemetry": "M0 0L8 8M-2 6L2 10M6-2L10 2",
    "photo_reuse": "M2 2h4v4h-4z",
    "other": "M3.2 4h1.6",
}


def _patterns() -> Markup:
    return element(
        "defs",
        *(
            element(
                "pattern",
                element("rect", width=8, height=8, class_="hatch-ground"),
                element("path", d=d, class_="hatch"),
                id=f"void-{rule}",
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for rule, d in _HATCHES.items()
        ),
    )
