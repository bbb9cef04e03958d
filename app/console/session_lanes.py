"""The lanes under the session picture: credit, the page, the pop-ups, the photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from app.console import words
from app.console.language import N_, Language
from app.console.session_frame import LEFT, RIGHT, Frame, Timeline, hatched
from app.console.svg import element, link, title

LANE, PHOTO_LANE = 24, 30


def lanes(timeline: Timeline, frame: Frame) -> Iterator[tuple[float, str, list[Markup]]]:
    """(height, name, drawing) of the lanes under the plot."""
    say = frame.lang.say
    yield LANE, say(N_("计入")), list(_credit_lane(timeline, frame))
    yield LANE, say(N_("页面")), list(_page_lane(timeline, frame))
    yield LANE, say(N_("弹窗")), list(_popup_lane(timeline, frame))
    yield PHOTO_LANE, say(N_("照片")), list(_photo_lane(timeline, frame))


def _credit_lane(timeline: Timeline, frame: Frame) -> Iterator[Markup]:
    for _, _, t0, t1 in timeline["credited"]:
        x, width = frame.between(t0, t1)
        yield element("rect", x=x, y=6, width=width, height=LANE - 12, class_="credited")
    for it in timeline["voided"]:
        x, width = frame.between(it["t0_ms"], it["t1_ms"])
        yield hatched(x, 2, width, LANE - 4, it["rule"], it["outcome"])


def _page_lane(timeline: Timeline, frame: Frame) -> Iterator[Markup]:
    for t0, t1 in hidden_stretches(timeline["samples"]):
        x, width = frame.between(t0, t1)
        told = frame.lang.say(
            N_("页面隐藏或失去焦点 %(t0)s–%(t1)s，计时停止，不作违规认定"),
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


def _popup_lane(timeline: Timeline, frame: Frame) -> Iterator[Markup]:
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


def _photo_lane(timeline: Timeline, frame: Frame) -> Iterator[Markup]:
    for row, it in enumerate(timeline["controls"]):
        if it["kind"] != "popup" and it["expired_ms"] and not it["answered_ms"]:
            x = frame.time.clamped(it["due_ms"] or it["issued_ms"])
            box = element("rect", x=x - 9, y=6, width=18, height=18, rx=3, class_="photo missed")
            yield link(f"#control-{row}", element("g", title(control_told(it, frame.lang)), box))
    for it in timeline["photos"]:
        x = min(max(frame.time.clamped(it["t_ms"]), LEFT + 10), RIGHT - 10)
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
