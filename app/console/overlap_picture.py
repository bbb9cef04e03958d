"""Sittings at one time as named bars on one axis: who, which lesson, which device or window."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from sqlalchemy import Connection

from app.clock import DAY_MS
from app.console.language import N_, Language
from app.console.session_frame import LEFT, RIGHT, WIDTH, DrawnSitting, PictureFrame
from app.console.session_lanes import LANE, sitting_bar
from app.console.session_picture import LANE_GAP, time_axis
from app.console.svg import Axis, element, title
from app.store.review.crowds import CrowdPerson
from app.store.scope import AccessScope
from app.store.sittings import case_file
from app.store.sittings.case_file import SittingCase

MOST_LANES = 12
_SHORT_ID = 12


def named(
    sittings: Sequence[tuple[str, SittingCase]], lang: Language, here: int | None = None
) -> tuple[DrawnSitting, ...]:
    """Each under its name, with what tells it from the others: its device, and its window where
    one device had them all. All lead to their pages but the one that this is."""
    one_device = len({it.device_id for _, it in sittings}) == 1
    words = (
        N_("%(who)s · 第%(n)s课 %(lesson)s · 同一设备，窗口 %(window)s")
        if one_device
        else N_("%(who)s · 第%(n)s课 %(lesson)s · 设备 %(device)s")
    )
    return tuple(
        DrawnSitting(
            name=name,
            words=lang.say(
                words,
                who=it.learner_name,
                n=it.lesson_position + 1,
                lesson=it.lesson_title,
                device=it.device_id,
                window=it.window_id[-_SHORT_ID:],
            ),
            opened_ms=it.opened_ms,
            closed_ms=it.closed_ms or it.last_recv_ms or it.opened_ms,
            href="" if it.id == here else f"/console/sessions/{it.id}",
        )
        for name, it in sittings
    )


def overlap_picture(sittings: Sequence[DrawnSitting], lang: Language) -> Markup:
    """One lane a sitting under one time axis."""
    opened = min(it.opened_ms for it in sittings)
    closed = max(max(it.closed_ms for it in sittings), opened + 60_000)
    frame = PictureFrame(Axis(opened, closed, LEFT, RIGHT), Axis(0, 1, 0, 1), lang)
    height = len(sittings) * (LANE + LANE_GAP) + 30
    parts = [title(lang.say(N_("同时进行的学习"))), *time_axis(frame, height - 20, 0)]
    for at, it in enumerate(sittings):
        y = at * (LANE + LANE_GAP)
        parts += [
            element("text", it.name, x=LEFT - 8, y=y + LANE / 2 + 4, class_="lane-name"),
            element("rect", x=LEFT, y=y, width=RIGHT - LEFT, height=LANE, class_="lane"),
            element("g", sitting_bar(it, frame), transform=f"translate(0 {y})"),
        ]
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH} {height}",
        class_="session-picture",
        role="group",
    )


def crowd_picture(
    connection: Connection, scope: AccessScope, members: Sequence[CrowdPerson], lang: Language
) -> Markup | str:
    """The first sittings of a crowd on one axis."""
    return lanes(connection, scope, [one.id for it in members for one in it.sittings], lang)


def lanes(
    connection: Connection, scope: AccessScope, ids: Sequence[int], lang: Language
) -> Markup | str:
    """Sittings by their ids, up to MOST_LANES, where several are of one day; else nothing."""
    seen = [case_file.sitting(connection, it, scope) for it in ids[:MOST_LANES]]
    sittings = sorted((it for it in seen if it is not None), key=lambda it: it.opened_ms)
    if len(sittings) < 2 or sittings[-1].opened_ms - sittings[0].opened_ms > DAY_MS:
        return ""
    numbered = [(lang.say(N_("第%(n)s次"), n=n), it) for n, it in enumerate(sittings, 1)]
    return overlap_picture(named(numbered, lang), lang)
