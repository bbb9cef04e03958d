"""Statements that come otherwise than a page sends them: credited by a rule, or told of."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.services import Services
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_xapi import Lrs
from tests.api.test_xapi_events import ADL, paused, played, said
from tests.people import County, TestClock

HALF_HOUR_S = 1800


def one_long_stretch(lrs: Lrs, wait: Any) -> Any:
    lrs.post([played(0)])
    wait(HALF_HOUR_S)
    return lrs.post([paused(HALF_HOUR_S)])


def a_short_one(lrs: Lrs, wait: Any) -> Any:
    lrs.post([played(0)])
    wait(100)
    return lrs.post([paused(100)])


def beats_without_popups(lrs: Lrs, wait: Any) -> Any:
    lrs.post([played(0)])
    for at in range(60, HALF_HOUR_S, 60):
        wait(60)
        lrs.post([said(f"{ADL}interacted", time=at)])
    wait(60)
    return lrs.post([paused(HALF_HOUR_S)])


def forwarded_an_hour_later(lrs: Lrs, wait: Any) -> Any:
    wait(3600)
    return lrs.post([played(0), paused(HALF_HOUR_S)])


@pytest.mark.parametrize(
    ("send", "fate", "credited_s", "reason"),
    [
        (one_long_stretch, "late=1", 300, "offline_past_due"),
        (a_short_one, "taken=1", 100, None),
        (beats_without_popups, "taken=1", 300, "none_issued"),
        (forwarded_an_hour_later, "late=2", 300, "offline_past_due"),
    ],
)
def test_what_comes_late_or_seldom_is_credited_by_rule_and_the_rest_is_told(
    client: TestClient,
    county: County,
    services: Services,
    clock: TestClock,
    send: Any,
    fate: str,
    credited_s: int,
    reason: str | None,
) -> None:
    found_school(client, county, controls="platform")
    lrs = Lrs(client, county.huang)
    assert post(client, county, opening(session_id="s1")).status_code == 201

    def wait(seconds: int) -> None:
        for _ in range(0, seconds, 100):
            clock.advance(seconds=min(seconds, 100))
            sweep(services)

    assert send(lrs, wait).headers["zhenxue-statements"] == fate
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    clock.advance(minutes=40)
    sweep(services)
    settle_all(services)
    view = client.get("/v1/sessions/s1", headers=county.huang.headers).json()
    assert sum(end - start for start, end, *_ in view["credited"]) == credited_s * 1000
    gaps = [it for it in view["verdict"]["findings"] if it["rule"] == "popup_gap"]
    assert [it["reason"] for it in gaps] == ([reason] if reason else [])
    assert all(it["fault"] != "learner" for it in view["verdict"]["findings"])
