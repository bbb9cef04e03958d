"""What a person may study in a day is theirs over all classes, whichever of them is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.jobs.settler import settle_all
from app.services import Services
from tests.evidence import START_MS, ndjson, sitting
from tests.people import LIN, County, course, instant, training_class

PACK = """
schema = 1
extends = "aq-8011-2023@1.4.0"
id = "capped-2026"
version = "1.0.0"

[rules.daily_cap]
status = "active"

[rules.daily_cap.parameters.max_hours]
value = 0.05
unit = "h"
source = "default"
note_zh = "测试"
note_en = "test"
"""


@pytest.mark.both_databases
@pytest.mark.parametrize(("begins", "credited_s"), [("21:00", 60), ("next day", 120)])
def test_a_day_s_study_in_two_classes_is_one_day_s_study(
    client: TestClient,
    county: County,
    services: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins: str,
    credited_s: int,
) -> None:
    """Three minutes count on a day: of twice two, in two classes, one is over."""
    (tmp_path / "capped-2026@1.0.0.toml").write_text(PACK, "utf-8")
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(tmp_path))
    terms = {"policy_id": "capped-2026"}
    records = [{"kind": "course", **course()}]
    for name in ("c1", "c2"):
        records += [
            {"kind": "class", **training_class(class_id=name, **terms)},
            {"kind": "roster", "class_id": name, "learners": [LIN]},
        ]
    later_ms = instant("2026-03-04 08:00") if begins == "next day" else instant("2026-03-03 21:00")
    records += sitting("morning", start_ms=START_MS, beats=12)
    records += sitting("evening", start_ms=later_ms, beats=12, class_id="c2")
    report = client.post("/v1/imports", content=ndjson(records), headers=county.huang.headers)
    assert report.json()["rejected"] == [], report.text
    settle_all(services)

    def credited(session: str) -> int:
        told = client.get(f"/v1/sessions/{session}", headers=county.huang.headers).json()
        return round(told["verdict"]["credited_ms"] / 1000)

    assert (credited("morning"), credited("evening")) == (120, credited_s)
