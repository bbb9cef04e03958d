"""Every module of the domain has a test that names it, or stands here with the one that runs it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import app.domain

DOMAIN = Path(app.domain.__file__ or "").parent
TESTS = Path(__file__).parents[1]

# Modules that work on rows of many tables: what they do is seen from outside, by these.
SEEN_BY = {
    "accounts.foreign_identity": "console/test_sign_on.py",
    "accounts.passkeys": "e2e/test_second_factor.py",
    "catalogue.certificates": "api/test_records.py",
    "catalogue.class_setups": "console/test_setups.py",
    "catalogue.claims": "api/test_class_dates.py",
    "catalogue.consents": "console/test_setups.py",
    "catalogue.learner_account": "api/test_roster.py",
    "catalogue.official_system": "console/test_systems.py",
    "catalogue.roster_intake": "api/test_roster.py",
    "catalogue.system_intake": "console/test_systems.py",
    "catalogue.trainings": "domain/judging/test_eligibility.py",
    "events.batch_answer": "contract/test_document.py",
    "exchange.import_evidence": "api/test_imports.py",
    "exchange.import_sittings": "api/test_imports.py",
    "exchange.statement_mappings": "api/test_statement_mapping.py",
    "exchange.xapi_sittings": "api/test_statement_mapping.py",
    "faces.burst_liveness": "jobs/test_face_worker.py",
    "faces.enrolling": "api/test_enrolment.py",
    "faces.face_checks": "jobs/test_face_worker.py",
    "faces.face_confidence": "console/test_face_case.py",
    "faces.photo_formats": "api/test_snapshots.py",
    "faces.photo_codes": "jobs/test_photo_copies.py",
    "judging.class_report": "reports/test_package.py",
    "judging.conformity_report": "api/test_verdicts.py",
    "judging.eligibility_body": "domain/judging/test_eligibility.py",
    "judging.findings": "api/test_verdicts.py",
    "judging.timeline_view": "api/test_verdicts.py",
    "judging.verdict_body": "reports/test_wording.py",
    "exchange.xapi_links": "api/test_xapi_record_store.py",
    "review.county_tasks": "console/test_county.py",
    "review.live_board": "console/test_live.py",
    "review.presence": "reports/test_annex.py",
    "review.review_queue": "console/test_sharing.py",
    "sittings.sealing": "reports/test_package.py",
}


def modules() -> list[str]:
    paths = sorted(it for it in DOMAIN.rglob("*.py") if it.name != "__init__.py")
    return [".".join(it.relative_to(DOMAIN).with_suffix("").parts) for it in paths]


@cache
def named_by_tests() -> set[str]:
    """Modules that a test imports, or whose name a test file bears."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for it in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(it, ast.ImportFrom) and (it.module or "").startswith("app.domain"):
                home = str(it.module)
                found |= {home, *(f"{home}.{name.name}" for name in it.names)}
    files = {it.stem.removeprefix("test_") for it in TESTS.rglob("test_*.py")}
    by_import = {it.removeprefix("app.domain.") for it in found}
    return by_import | {it for it in modules() if it.rpartition(".")[2] in files}


def test_no_module_is_without_a_test() -> None:
    named = named_by_tests()
    assert [it for it in modules() if it not in named and it not in SEEN_BY] == []


def test_the_list_holds_only_what_no_test_names() -> None:
    assert [it for it in SEEN_BY if it not in modules() or it in named_by_tests()] == []


@pytest.mark.parametrize("path", sorted(set(SEEN_BY.values())))
def test_the_tests_of_the_list_are_there(path: str) -> None:
    assert (TESTS / path).is_file()
