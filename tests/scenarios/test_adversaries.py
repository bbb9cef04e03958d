"""The tables in docs/adversaries.md are what their command makes of the code as it is."""

from __future__ import annotations

import pytest

from app.simulation.scenarios import SCENARIOS
from app.simulation.tools import TOOLS
from benchmarks import adversaries


@pytest.mark.thorough
def test_the_page_says_what_the_detectors_say():
    made, kept = adversaries.page().splitlines(), adversaries.PAGE.read_text("utf-8").splitlines()
    changed = [line for line in made if line not in kept]
    again = "python -m benchmarks.adversaries --write"
    assert (changed, len(made)) == ([], len(kept)), f"{again}, and look at what changed"


def test_every_fraud_names_its_tool():
    assert set(TOOLS) == {scenario.id for scenario in SCENARIOS.values() if not scenario.honest}
