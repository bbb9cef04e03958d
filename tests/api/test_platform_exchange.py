"""The exchange that docs/controls.md shows a platform with controls of its own is what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.jobs.settler import settle_all
from app.services import Services
from app.simulation.portraits.portrait import portrait
from tests.api.test_sessions import found_school
from tests.people import County, TestClock

PAGE = Path(__file__).parents[2] / "docs" / "controls.md"
SAID_AT = ("sent_at_ms", "started_at_ms")


def exchange() -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Method, address and body of every request that the page shows."""
    shown = PAGE.read_text("utf-8").partition("```http\n")[2].partition("```")[0]
    for request in shown.strip().split("\n\n"):
        line, _, body = request.partition("\n")
        method, _, path = line.partition(" ")
        yield method, path, json.loads(body) if body else None


def test_a_platform_that_follows_the_page_is_credited_and_shows_no_gap(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    found_school(client, county, controls="platform")
    headers, began_ms, paused_ms = county.huang.headers, clock(), 0

    def play_until(ms: int) -> None:
        while clock() + 10_000 < ms:
            clock.advance(seconds=10)
            at = (clock() - began_ms - paused_ms) / 1000
            beat = {"type": "progress", "at_ms": clock(), "position": at, "rate": 1}
            told = {"events": [{**beat, "visible": True, "focused": True}]}
            answer = client.post("/v1/sessions/s-17/events", json=told, headers=headers)
            assert (answer.status_code, answer.json()["rejected"]) == (200, [])
        clock.now_ms = max(clock(), ms)

    for method, path, body in exchange():
        when = next((body[it] for it in SAID_AT if it in body), 0) if body else 0
        popup = [it for it in (body or {}).get("controls", []) if "answered_at_ms" in it]
        for it in (body or {}).get("controls", []):
            when = it["issued_at_ms"]
        play_until(when)
        for it in popup:
            clock.now_ms = it["answered_at_ms"]
            paused_ms += it["answered_at_ms"] - it["shown_at_ms"]
        if body is None:
            answer = client.put(
                path, content=portrait(7), headers={**headers, "content-type": "image/jpeg"}
            )
        else:
            answer = client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        assert not answer.json().get("rejected"), answer.text
    clock.advance(minutes=1)
    settle_all(services)
    view = client.get("/v1/sessions/s-17", headers=headers).json()
    assert sum(end - start for start, end, *_ in view["credited"]) == 300_000
    assert {it["challenge_id"] for it in view["controls"] if it["answered_at_ms"]} == {
        "p-17",
        "f-3",
    }
    assert "popup_gap" not in {it["rule"] for it in view["verdict"]["findings"]}
