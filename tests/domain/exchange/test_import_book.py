"""What an import says became of it."""

from __future__ import annotations

from app.domain.exchange.import_book import RefusedRecord, Report


def refused(line: int) -> RefusedRecord:
    fields = dict.fromkeys(RefusedRecord.__struct_fields__)
    return RefusedRecord(**fields | {"line": line, "code": "unknown", "detail": f"no class {line}"})


def test_a_report_counts_by_kind_and_names_what_was_refused() -> None:
    report = Report(unchanged=2, rejected=[refused(7)], rejected_total=1)
    report.stored.update({"session": 3, "course": 1})
    assert report.summary().splitlines() == [
        "stored: 1 course, 3 session; unchanged: 2; rejected: 1",
        "  line 7: unknown: no class 7",
    ]
    assert list(report.shown().stored) == ["course", "session"]


def test_of_many_refusals_fifty_are_printed_and_the_others_counted() -> None:
    report = Report(rejected=[refused(it) for it in range(60)], rejected_total=900)
    lines = report.summary().splitlines()
    assert (len(lines), lines[-1]) == (52, "  … and 850 more")


def test_an_import_of_nothing_says_so() -> None:
    assert Report().summary() == "stored: nothing; unchanged: 0; rejected: 0"
