"""A class that a scenario plays in is open when it plays, whenever that is."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app.simulation.environment import LIN, SHANGHAI, Setting


@pytest.mark.parametrize("day", ["2026-10-12", "2026-11-28", "2026-12-31", "2027-02-28"])
def test_a_class_is_open_for_its_first_lesson_and_assessed_after_it(day: str) -> None:
    start_ms = round(datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=SHANGHAI).timestamp())
    setting = Setting(start_ms=start_ms * 1000)
    assert setting.starts_on <= day < setting.ends_on < setting.assessed_on.isoformat()
    assert setting.assessed_on.month in (4, 8, 12)
    klass = next(it for it in setting.catalogue([LIN]) if it["kind"] == "class")
    applied = date.fromisoformat(klass["assessment"]["applied_on"])
    assert (setting.assessed_on - applied).days >= 3
