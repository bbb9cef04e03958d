"""The photos of a sitting on its time axis: marks, and thumbnails for who said why they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from app.console import labels
from app.console.language import N_
from app.console.session_frame import LEFT, RIGHT, PictureFrame
from app.console.svg import element, link, title
from app.domain.judging.timeline import KeptPhoto, Plotted

MARK_LANE, THUMB_LANE = 30, 62
_MARK, _THUMB, _BETWEEN = 36, (72, 54), 4
_CONCERN = ("violation", "review", "unproven")

Looks = Mapping[int, int]  # photo → the access under which this person may see it now


def shown_small(plotted: Plotted, frame: PictureFrame) -> list[int]:
    """Ids of the photos that have a thumbnail when all may be seen: of those that would cover one
    another, the one that gives most cause for concern."""
    return [_leader(group).id for _, group in _groups(plotted, frame, _THUMB[0])]


def photo_marks(plotted: Plotted, frame: PictureFrame) -> Iterator[Markup]:
    """One mark for each photo, or for several that were taken at nearly the same time."""
    for x, group in _groups(plotted, frame, _MARK):
        it = _leader(group)
        word = labels.label(labels.CHECKS, it.check)
        box = element("rect", x=x - 10, y=5, width=20, height=20, rx=3, class_="photo")
        letter = element("text", word.letter or "·", x=x, y=19.5)
        yield link(
            f"#photo-{it.id}",
            element(
                "g",
                title(_title(it, group, frame)),
                box,
                letter,
                *_more(group, x + 11, 8),
                class_=f"photo-mark tone-{word.tone}",
            ),
        )


def thumbnails(plotted: Plotted, frame: PictureFrame, looks: Looks) -> Iterator[Markup]:
    """The photos that may be seen, small, none over another."""
    width, height = _THUMB
    for x, group in _groups(plotted, frame, width):
        it = _leader([photo for photo in group if photo.id in looks] or group)
        word = labels.label(labels.CHECKS, it.check)
        place = {"x": x - width / 2, "y": 4, "width": width, "height": height}
        told = _title(it, group, frame)
        address = f"/console/photo-accesses/{looks.get(it.id)}/small.jpg"
        pixels = [element("image", href=address, **place)] if it.id in looks else []
        yield link(
            f"#photo-{it.id}",
            element(
                "g",
                title(told),
                element("rect", class_="ground", **place),
                element("text", word.letter or "·", x=x, y=4 + height / 2 + 4),
                *pixels,
                element("rect", class_="edge", **place),
                *_more(group, x + width / 2 - 2, 4 + height - 3, anchor="end"),
                class_=f"thumbnail tone-{word.tone}",
            ),
        )


def _groups(
    plotted: Plotted, frame: PictureFrame, width: float
) -> Iterator[tuple[float, Sequence[KeptPhoto]]]:
    """(x of the middle, photos), so far apart that drawings of this width stay clear."""
    group: list[KeptPhoto] = []
    at = 0.0
    for it in sorted(plotted.photos, key=lambda photo: photo.t_ms):
        x = min(max(frame.time.clamped(it.t_ms), LEFT + width / 2), RIGHT - width / 2)
        if group and x - at < width + _BETWEEN:
            group.append(it)
            continue
        if group:
            yield at, group
        group, at = [it], x
    if group:
        yield at, group


def _leader(group: Sequence[KeptPhoto]) -> KeptPhoto:
    tones = [labels.label(labels.CHECKS, it.check).tone for it in group]
    first = next((tones.index(tone) for tone in _CONCERN if tone in tones), 0)
    return group[first]


def _title(it: KeptPhoto, group: Sequence[KeptPhoto], frame: PictureFrame) -> str:
    say = frame.lang.say
    purpose = say(labels.label(labels.PURPOSES, it.purpose).text)
    check = say(labels.label(labels.CHECKS, it.check).text)
    told = f"{frame.lang.clock(it.t_ms)} {purpose} · {check}"
    if len(group) > 1:
        told += " · " + say(N_("前后共%(n)s张，见影像表"), n=len(group))
    return told


def _more(group: Sequence[KeptPhoto], x: float, y: float, anchor: str = "start") -> list[Markup]:
    if len(group) == 1:
        return []
    return [element("text", f"×{len(group)}", x=x, y=y, class_=f"more {anchor}")]
