"""How much a run proves: `make test` what a change may break, `make thorough` the same with more
examples, and what needs minutes by the clock."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

THOROUGH = os.environ.get("ZHENXUE_TEST_THOROUGH") == "1"


def examples(many: int) -> int:
    """Of that many examples of a costly property: a quarter, unless the run is thorough."""
    return many if THOROUGH else many // 4


def later(*cases: Any) -> Iterable[Any]:
    """Parameters of a test that only a thorough run tries."""
    return [pytest.param(it, marks=pytest.mark.thorough) for it in cases]
