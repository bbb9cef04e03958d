"""The picture of a sitting in a real browser: everything in it leads to its row of evidence, by
mouse and by keyboard, and its photos are shown to who says why."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import func, select

from models import Finding, PhotoAccess, Session, Snapshot
from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
Visit = Callable[..., Visitor]


def sitting(somebody: Visitor, rule: str) -> Visitor:
    """The page of a sitting with a finding of that rule."""
    with somebody.site.services.database.read() as connection:
        found = select(Finding.session_id).where(Finding.rule == rule, Finding.session_id > 0)
        return somebody.open(f"/console/sessions/{connection.scalars(found.limit(1)).one()}")


def marks(somebody: Visitor, href: str) -> Locator:
    return somebody.page.locator(f".picture-scroll a[href*='{href}']:not([tabindex])")


@pytest.mark.parametrize("href", ["#control-", "#photo-", "#finding-"])
@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_mark_leads_to_its_row_on_the_page(visitor: Visit, href: str, by: str) -> None:
    zhao = sitting(visitor("zhao"), "fast_forward")
    mark = marks(zhao, href).first
    target = mark.get_attribute("href")
    assert target
    expect(mark.locator("title")).not_to_be_empty()
    if by == "mouse":
        # A stretch is long, and what happened within it is drawn on top: it is open at its edge.
        edge = {"x": 3, "y": 3} if href == "#finding-" else None
        mark.locator("g > *:not(title)").last.click(force=True, position=edge)  # type: ignore[arg-type]
    else:
        mark.focus()
        zhao.press("Enter")
    expect(zhao.page.locator(target)).to_be_in_viewport()


def test_the_row_of_a_mark_is_lit_while_the_pointer_or_the_focus_is_on_it(visitor: Visit) -> None:
    zhao = sitting(visitor("zhao"), "fast_forward")
    zhao.page.locator("#controls summary").click()
    mark = marks(zhao, "#control-").first
    row = zhao.page.locator(str(mark.get_attribute("href")))
    mark.hover()
    expect(row).to_have_class("pointed")
    zhao.page.mouse.move(5, 5)
    expect(row).not_to_have_class("pointed")
    mark.focus()
    expect(row).to_have_class("pointed")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_stretch_leads_to_the_raw_events_it_rests_on(visitor: Visit, by: str) -> None:
    zhao = sitting(visitor("zhao"), "fast_forward")
    stretch = marks(zhao, "/events?at=").first
    if by == "mouse":
        stretch.locator("rect").last.click()
    else:
        stretch.focus()
        zhao.press("Enter")
    zhao.page.wait_for_url(re.compile(r"/events\?at=\d+#at$"))
    expect(zhao.page.locator("tr#at")).to_be_in_viewport()
    expect(zhao.page.locator("tr.current")).to_have_count(1)


def test_photos_stand_on_the_time_axis_once_a_purpose_is_stated(visitor: Visit) -> None:
    zhao = sitting(visitor("zhao"), "face_liveness")
    expect(zhao.page.locator(".session-picture image")).to_have_count(0)
    zhao.page.get_by_text("在时间轴上显示影像").click()
    picture = zhao.page.locator("#picture")
    picture.get_by_label("用途").fill("初审人脸比对结果")
    picture.get_by_role("button", name="显示影像").click()
    small = zhao.page.locator(".session-picture image")
    expect(small.first).to_be_visible()
    for address in small.evaluate_all("all => all.map(it => it.getAttribute('href'))"):
        answer = zhao.page.request.get(zhao.site.url + address)
        assert answer.headers["content-type"] == "image/jpeg" and "no-store" in str(answer.headers)
    with zhao.site.services.database.read() as connection:
        looks = connection.scalar(select(func.count()).select_from(PhotoAccess))
    assert looks == small.count()
    zhao.page.locator(".thumbnail").first.click()
    expect(zhao.page.locator("tr:target")).to_be_in_viewport()


def test_two_photos_are_held_side_by_side_and_a_mirrored_one_is_turned_back(
    visitor: Visit,
) -> None:
    zhao = visitor("zhao")
    with zhao.site.services.database.write() as connection:
        one, other = connection.execute(
            select(Snapshot.id, Snapshot.external_id, Session.external_id.label("session"))
            .join(Session, Session.id == Snapshot.session_id)
            .where(Snapshot.blob_key.is_not(None))
            .order_by(Session.learner_id.desc(), Snapshot.id)
        ).all()[::3][:2]
        proof = {
            "session_id": other.session,
            "snapshot_id": other.external_id,
            "residual": 0.02,
            "mirrored": True,
        }
        row = connection.execute(select(Snapshot.reading).where(Snapshot.id == one.id)).scalar()
        connection.execute(
            Snapshot.__table__.update()  # type: ignore[attr-defined]
            .where(Snapshot.id == one.id)
            .values(reading=(row or {}) | {"near_duplicate": proof})
        )
    for address in (f"/console/photos/{one.id}", f"/console/photos/{one.id}?beside={other.id}"):
        zhao.open(address)
        expect(zhao.page.locator("main img")).to_have_count(0)
        zhao.page.get_by_label("用途").fill("核对是否重复使用照片")
        zhao.page.locator("main form").get_by_role("button", name="查看").click()
        pair = zhao.page.locator("main figure:not(.reference) img")
        expect(pair).to_have_count(2)
        for picture in pair.all():
            assert picture.evaluate("it => it.decode().then(() => it.naturalWidth)") > 0
        left, right = (it.bounding_box() for it in pair.all())
        assert left and right and abs(left["y"] - right["y"]) < 2  # side by side
    zhao.open(f"/console/photos/{one.id}")
    zhao.page.get_by_label("用途").fill("核对是否重复使用照片")
    zhao.page.locator("main form").get_by_role("button", name="查看").click()
    turned = zhao.page.locator("main img[src$='mirrored=1']")
    assert turned.evaluate("it => it.decode().then(() => it.naturalWidth)") > 0


def test_a_printed_sitting_has_its_lists_unfolded_and_names_nobody_else(visitor: Visit) -> None:
    zhao = sitting(visitor("zhao"), "fast_forward")
    controls = zhao.page.locator("#controls table")
    expect(controls).to_be_hidden()
    zhao.page.emulate_media(media="print")
    zhao.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(controls).to_be_visible()
    expect(zhao.page.get_by_text("赵明打印于")).to_be_visible()
    expect(zhao.page.get_by_role("heading", name="该学员在本班的其他学习")).to_be_hidden()
    zhao.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(controls).to_be_hidden()


def test_the_printed_overview_keeps_the_bars_of_its_charts(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console")
    zhao.page.emulate_media(media="print")
    expect(zhao.page.locator(".grid-2 .chart rect.bar").first).to_be_visible()
    expect(zhao.page.get_by_role("navigation")).to_be_hidden()
