"""Whoever lists, labels or awaits controls takes them from the one registry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.console import labels
from app.console.language import language
from app.domain.controls.controls_due import ControlsDue
from app.domain.controls.scheduler import ASKED
from app.domain.policy import packs, sitting_terms
from app.domain.sittings.platform_controls import ControlReport, line_of_report
from app.languages import LOCALES
from app.store.controls import controls as store
from detectors import registry
from detectors.control_kinds import ControlKind
from detectors.event_types import EVENT_TYPES
from detectors.trace import Control, ControlFlag

APP = Path(app.__file__).parent
TERMS = sitting_terms.from_policy(packs.load("huangchuan-2021-graded").policy)
NOT_THE_SERVICE = ("simulation", "bench")  # clients, who know the wire by its words


def test_packed_ledgers_know_each_kind_by_a_number_of_its_own() -> None:
    assert [kind.code for kind in ControlKind] == list(Control)


def test_a_client_can_be_told_of_each_kind() -> None:
    assert {*ControlKind} <= {*ControlsDue.__struct_fields__}
    assert {*ControlKind} == {*ASKED}


@pytest.mark.parametrize("kind", ControlKind)
def test_a_platform_may_report_each_kind(kind: ControlKind) -> None:
    said = ControlReport(control=kind.value, challenge_id="c", issued_at_ms=1_772_431_200_000)
    line = line_of_report(said, TERMS)
    assert (line.kind, line.random_time) == (kind.value, kind.random_time)
    assert line.window_ms > 0
    assert bool(line.flags & ControlFlag.RANDOM_TIME) is kind.random_time


def test_the_document_of_the_interface_lists_the_kinds() -> None:
    told = ControlReport.model_json_schema()["properties"]["control"]
    assert told["enum"] == [*ControlKind]


@pytest.mark.parametrize("kind", ControlKind)
def test_the_ledger_becomes_columns_whatever_the_kind(kind: ControlKind) -> None:
    line = line_of_report(
        ControlReport(control=kind.value, challenge_id="c", issued_at_ms=1_772_431_200_000), TERMS
    )
    (column,) = store.controls_array([line], line.issued_ms - 5_000)
    assert (column["kind"], column["issued_ms"]) == (kind.code, 5_000)


@pytest.mark.parametrize("kind", ControlKind)
def test_people_read_of_each_kind_in_their_language(kind: ControlKind) -> None:
    shown = {it.code: language(it.code).say(labels.CONTROLS[kind].text) for it in LOCALES}
    assert shown == {"zh": kind.zh, "en": kind.en}


@pytest.mark.parametrize("kind", ControlKind)
def test_a_rule_and_a_handler_in_the_sdk_meet_each_kind(kind: ControlKind) -> None:
    assert kind.rule in {it.rule for it in registry.ALL}
    entry = (APP / "sdk/v1/zhenxue.js").read_text("utf-8")
    assert f'from "./{kind.handler}"' in entry or f'import("./{kind.handler}")' in entry
    assert f"controls.{kind.value}" in entry


def test_events_that_tell_of_a_control_name_its_kind() -> None:
    for it in EVENT_TYPES:
        assert it.of is None or it.name.startswith(it.of.value)


def _compared(path: Path) -> Iterator[str]:
    """Words that a module compares something with."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Compare):
            for it in (node.left, *node.comparators):
                for part in ast.walk(it):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_no_module_compares_with_the_name_of_a_kind() -> None:
    names = {*ControlKind, *(it.name for it in EVENT_TYPES if it.of)}
    found = [
        f"{path.relative_to(APP)}: {word}"
        for path in APP.rglob("*.py")
        if path.relative_to(APP).parts[0] not in NOT_THE_SERVICE
        for word in _compared(path)
        if word in names
    ]
    assert not found
