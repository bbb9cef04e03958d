"""The lanes under the session picture: credit, the page, the pop-ups, the photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from app.console import labels, readable
from app.console.language import N_, Language, position
from app.console.session_frame import (
    Drawing,
    DrawnSitting,
    DrawnVoid,
    PictureFrame,
    hatched,
)
from app.console.session_photos import MARK_LANE, THUMB_LANE, Looks, photo_marks, thumbnails
from app.console.svg import element, link, title
from app.domain.judging.timeline import Sample, TimelineControl
from detectors.control_kinds import ControlKind

LANE = 24


def lanes(
    drawing: Drawing, frame: PictureFrame, looks: Looks
) -> Iterator[tuple[float, str, list[Markup]]]:
    """(height, name, drawing) of the lanes under the plot; sittings that overlap come first."""
    say = frame.lang.say
    for it in drawing.beside:
        yield LANE, it.name, [sitting_bar(it, frame)]
    yield LANE, say(N_("计入")), list(_credit_lane(drawing, frame))
    yield LANE, say(N_("页面")), list(_page_lane(drawing, frame))
    yield LANE, say(N_("弹窗")), list(_popup_lane(drawing, frame))
    yield MARK_LANE, say(N_("照片")), list(_photo_lane(drawing, frame))
    if looks:
        yield THUMB_LANE, say(N_("影像")), list(thumbnails(drawing, frame, looks))


def sitting_bar(it: DrawnSitting, frame: PictureFrame) -> Markup:
    x, width = frame.between(it.opened_ms, it.closed_ms)
    told = f"{it.words} {frame.lang.clock(it.opened_ms)}–{frame.lang.clock(it.closed_ms)}"
    bar = element("rect", x=x, y=2, width=width, height=LANE - 4, class_="sitting-bar")
    words = element("text", it.words, x=x + 6, y=LANE / 2 + 4, class_="sitting-name")
    drawn = element("g", title(told), bar, words)
    return link(it.href, drawn) if it.href else drawn


def _credit_lane(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    for pos0, pos1, t0, t1 in drawing.credited:
        x, width = frame.between(t0, t1)
        band = element("rect", x=x, y=6, width=width, height=LANE - 12, class_="credited")
        caption = title(credit_title(pos0, pos1, t0, t1, frame.lang))
        yield link(event_at(drawing, t0), element("g", caption, band))
    for it in drawing.voided:
        x, width = frame.between(it.t0_ms, it.t1_ms)
        band = hatched(x, 2, width, LANE - 4, it.rule, it.outcome)
        caption = title(void_title(it, drawing.pack, frame.lang))
        yield link(event_at(drawing, it.t0_ms), element("g", caption, band))


def _page_lane(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    for t0, t1 in hidden_stretches(drawing.samples):
        x, width = frame.between(t0, t1)
        caption = frame.lang.say(
            N_("页面隐藏或失去焦点 %(t0)s–%(t1)s，计时停止，不作违规认定"),
            t0=frame.lang.clock(t0),
            t1=frame.lang.clock(t1),
        )
        band = element("rect", x=x, y=4, width=width, height=LANE - 8, class_="hidden")
        yield link(event_at(drawing, t0), element("g", title(caption), band))


def event_at(drawing: Drawing, t_ms: int) -> str:
    """Where the raw events show what was received from this moment on."""
    return f"{drawing.events}?at={t_ms}#at"


def credit_title(pos0: int, pos1: int, t0: int, t1: int, lang: Language) -> str:
    return lang.say(
        N_("计入学时：内容 %(from)s–%(to)s，服务器时间 %(t0)s–%(t1)s"),
        **{"from": position(pos0), "to": position(pos1)},
        t0=lang.clock(t0),
        t1=lang.clock(t1),
    )


def void_title(void: DrawnVoid, pack: str, lang: Language) -> str:
    return lang.say(
        N_("%(rule)s：%(t0)s–%(t1)s 不计学时"),
        rule=readable.rule(void.rule, pack, lang),
        t0=lang.clock(void.t0_ms),
        t1=lang.clock(void.t1_ms),
    )


def hidden_stretches(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Server times between which the page said it was hidden.

    >>> hidden_stretches([(0, 0, 1), (10, 5, 0), (20, 5, 0), (30, 5, 1)])
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


def _popup_lane(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    middle = LANE / 2
    for row, it in enumerate(drawing.controls):
        if it.kind != ControlKind.POPUP:
            continue
        ended = it.answered_ms or it.expired_ms
        begun = it.shown_ms or it.due_ms or it.issued_ms or ended
        if begun is None:
            continue
        x = frame.time.clamped(begun)
        marks = [element("rect", x=x - 9, y=0, width=18, height=LANE, class_="hit")]
        if ended:
            marks.append(
                element(
                    "line", x1=x, x2=frame.time.clamped(ended), y1=middle, y2=middle, class_="wait"
                )
            )
        marks.append(_popup_mark(it, x, middle))
        yield link(f"#control-{row}", element("g", title(control_title(it, frame.lang)), *marks))


def _popup_mark(it: TimelineControl, x: float, y: float) -> Markup:
    if it.answered_ms and not _doubtful(it):
        return element("path", d=f"M{x - 5:.1f} {y:g}l3.5 4 6.5-8", class_="mark answered")
    if it.answered_ms:
        return element("path", d=f"M{x:.1f} {y - 6:g}l6 6-6 6-6-6z", class_="mark doubtful")
    if it.expired_ms:
        return element("path", d=f"M{x - 4.5:.1f} {y - 4.5:g}l9 9m0-9l-9 9", class_="mark expired")
    return element("circle", cx=x, cy=y, r=4.5, class_="mark unshown")


def _doubtful(it: TimelineControl) -> bool:
    return any(flag not in ("service", "reissue", "random_time") for flag in it.flags)


def control_title(it: TimelineControl, lang: Language) -> str:
    """One control's story in one line."""
    steps = [
        (N_("应于%(t)s出现"), it.due_ms or it.issued_ms),
        (N_("%(t)s显示"), it.shown_ms),
        (N_("%(t)s应答"), it.answered_ms),
        (N_("%(t)s超时"), it.expired_ms),
    ]
    steps_in_words = [lang.say(text, t=lang.clock(at)) for text, at in steps if at]
    if not it.shown_ms and not it.answered_ms:
        steps_in_words.append(lang.say(N_("未见显示")))
    kind = lang.say(labels.label(labels.CONTROLS, it.kind).text)
    return kind + lang.say(N_("：")) + lang.say(N_("，")).join(steps_in_words)


def _photo_lane(drawing: Drawing, frame: PictureFrame) -> Iterator[Markup]:
    for row, it in enumerate(drawing.controls):
        if it.kind != ControlKind.POPUP and it.expired_ms and not it.answered_ms:
            x = frame.time.clamped(it.due_ms or it.issued_ms or it.expired_ms)
            box = element("rect", x=x - 9, y=6, width=18, height=18, rx=3, class_="photo missed")
            yield link(f"#control-{row}", element("g", title(control_title(it, frame.lang)), box))
    yield from photo_marks(drawing, frame)
