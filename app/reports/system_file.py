"""A class as an official system takes it: one table on the class, one on its learners."""

from __future__ import annotations

from typing import Any

from app.domain.catalogue.official_system import OfficialSystem, SystemTable
from app.reports.dossier import Dossier
from app.reports.sheet import Value
from app.reports.xlsx import open_book
from app.store.catalogue import system_codes
from app.store.catalogue.system_codes import OF_THE_CLASS

Line = dict[str, Value]


def tables(dossier: Dossier, system: OfficialSystem) -> dict[str, list[list[str]]]:
    """Both tables by their title, the first row of each the system's own titles. Full ID numbers
    are not kept here, so that only their last four digits can stand in it."""
    codes = system_codes.of_class(dossier.connection, system.id, dossier.id)
    own = dossier.row.official_class_no if system.official else None
    class_code = codes.get(OF_THE_CLASS) or own or ""
    klass: Line = {
        **{it: dossier.terms.get(it) for it in ("level", "certificate_type", "mode")},
        "class_code": class_code,
        "class_id": dossier.klass.external_id,
        "platform": dossier.row.platform_name,
        "institution": dossier.row.institution,
        "occupation": dossier.row.occupation,
        "starts_on": dossier.row.starts_on,
        "ends_on": dossier.row.ends_on,
        "assessment_on": dossier.row.assessment_on,
        "learners": len(dossier.members),
        "hours": len(dossier.plan),
    }
    learners = [_learner(dossier, it, class_code, codes) for it in dossier.members]
    return {
        system.classes.title: _table(system, system.classes, [klass]),
        system.learners.title: _table(system, system.learners, learners),
    }


def workbook(found: dict[str, list[list[str]]]) -> bytes:
    """Both tables as sheets of one book; every cell is text."""
    book, buffer = open_book()
    text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    for title, rows in found.items():
        page = book.add_worksheet(title[:31])
        page.set_column(0, len(rows[0]) - 1, 18, text)
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                page.write_string(at, place, cell, text if at else head)
        page.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


def _learner(dossier: Dossier, member: Any, class_code: str, codes: dict[int, str]) -> Line:
    verdict = dossier.verdicts.get(member.external_id)
    held = [it for it in dossier.assessed if it.learner_id == member.id]
    last = held[-1] if held else None
    hours = dossier.hours.get(member.external_id, ())
    return {
        "class_code": class_code,
        "learner_code": codes.get(member.id, ""),
        "learner_id": member.external_id,
        "name": member.name,
        "id_last4": member.id_last4,
        "category": member.category,
        "employer": member.employer,
        "valid_hours": sum(it.outcome.value == "valid" for it in hours),
        "outcome": verdict.outcome if verdict else None,
        "assessed_on": last.held_on if last else None,
        "passed": None if last is None or last.passed is None else str(last.passed).lower(),
        "certificate_no": last.body.get("certificate_no") if last and last.passed else None,
    }


def _table(system: OfficialSystem, table: SystemTable, lines: list[Line]) -> list[list[str]]:
    def cell(field: str, line: Line) -> str:
        value = line.get(field)
        return "" if value is None else system.word(field, str(value))

    rows = [[cell(it.field, line) for it in table.columns] for line in lines]
    return [[it.title for it in table.columns], *rows]
