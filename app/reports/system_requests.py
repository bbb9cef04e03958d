"""The bodies of an official system's requests, where it has a public interface.

What this service does not keep stands empty, for the platform to fill in before it sends them: its
private key, phone numbers, whole ID numbers and addresses on the network.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from app.domain.catalogue.official_system import OfficialSystem
from app.reports.dossier import Dossier
from app.store.catalogue import class_file, system_codes
from app.store.catalogue.system_codes import OF_THE_CLASS
from app.store.exchange import report_rows

UPLOAD_CLASS, UPLOAD_HOURS = "uploadClass", "uploadClassHourBehavior"


def requests(dossier: Dossier, system: OfficialSystem) -> dict[str, dict[str, Any]]:
    """Body by the request's path; times are milliseconds since the epoch, by the server's clock."""
    codes = system_codes.of_class(dossier.connection, system.id, dossier.id)
    code = codes.get(OF_THE_CLASS) or ""
    made = {UPLOAD_CLASS: _class(dossier, code), UPLOAD_HOURS: _hours(dossier, code)}
    return {path: {"privateKey": "", **made[name]} for name, path in system.requests.items()}


def _class(dossier: Dossier, code: str) -> dict[str, Any]:
    lessons = class_file.lessons(dossier.connection, dossier.id)
    told = {
        "classCode": code,
        "shortName": dossier.row.occupation,
        "learnHour": len(dossier.plan),
        "chapterList": [
            {"chapterCode": it.external_id, "chapterName": it.title, "pCode": "", "sort": at}
            for at, it in enumerate(lessons, start=1)
        ],
        "studentList": [{"name": it.name, "identity": "", "phone": ""} for it in dossier.members],
    }
    return {"classInfoBasic": [told]}


def _hours(dossier: Dossier, code: str) -> dict[str, Any]:
    """When each learner was there: the sittings that are over. What was active in them is said in
    codes whose meaning is not public, and left out."""
    mine: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for it in report_rows.sessions(dossier.connection, dossier.id):
        if it.closed_ms is not None:
            there = {"startTime": it.opened_ms, "endTime": it.closed_ms, "ip": ""}
            mine[it.learner_id].append(there)
    return {
        "classHourBasic": [
            {
                "classCode": code,
                "studentName": it.name,
                "phone": "",
                "identity": "",
                "loginList": mine[it.id],
                "activityList": [],
            }
            for it in dossier.members
            if it.id in mine
        ]
    }
