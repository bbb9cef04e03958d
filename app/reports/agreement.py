"""Where two members of a package tell of the same thing, they have to tell the same.

The audit log's entries are chained, so what people did is held against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.review.inspections import drawn, frame_digest
from app.domain.review.review import UNDECIDED
from app.reports import money_agreement
from app.reports.members import PackageProblem, rows

_CHECKED = ("learner", "result", "remark")
_DECIDED = "finding."  # finding.uphold, finding.overturn …, with the stage they were decided at

Members = Mapping[str, bytes]


def problems(members: Members, class_id: int) -> Iterator[PackageProblem]:
    """Inspections, reviews, appeals and photos that another member contradicts."""
    audit = rows(members, "audit.ndjson")
    yield from _draws(members, audit)
    yield from _checks(members, audit)
    yield from _reviews(members, audit)
    yield from _same(members, "reviews.ndjson", "tables/reviews.ndjson", settled=False)
    yield from _same(members, "appeals.ndjson", "tables/appeals.ndjson", settled=True)
    yield from _photos(members, class_id)
    yield from money_agreement.problems(members, audit)


def _draws(members: Members, audit: list[dict[str, Any]]) -> Iterator[PackageProblem]:
    """Draws follow from seed and frame."""
    bound = {it["detail"]["inspection"]: it for it in audit if it["action"] == "inspection.drawn"}
    member = "inspections.ndjson"
    made = {it["id"]: it for it in rows(members, member)}
    for number in sorted(bound.keys() | made.keys()):
        for problem in _draw_problems(made.get(number), bound.get(number)):
            yield PackageProblem(member, "draw", f"inspection {number}: {problem}")


def _checks(members: Members, audit: list[dict[str, Any]]) -> Iterator[PackageProblem]:
    member = "inspection-checks.ndjson"
    found = Counter(
        (it["inspection_id"], it["checked_ms"], it["learner"], it["result"], it["remark"])
        for it in rows(members, member)
    )
    logged = Counter(
        (int(it["subject"].partition(":")[2]), it["at_ms"], *map(it["detail"].get, _CHECKED))
        for it in audit
        if it["action"] == "inspection.checked"
    )
    for entry in sorted((found - logged) + (logged - found)):
        yield PackageProblem(
            member, "check", f"inspection {entry[0]}, {entry[2]}: record and audit log differ"
        )


def _reviews(members: Members, audit: list[dict[str, Any]]) -> Iterator[PackageProblem]:
    """Every decision on what is settled has its review and its entry in the audit log."""
    found = rows(members, "findings.ndjson")
    settled = {f"finding:{it['id']}" for it in found if it["status"] not in UNDECIDED}
    member = "reviews.ndjson"
    reviews = Counter(
        (f"finding:{it['finding_id']}", it["created_ms"], it["stage"], it["decision"], it["reason"])
        for it in rows(members, member)
    )
    logged = Counter(
        (
            it["subject"],
            it["at_ms"],
            it["detail"]["stage"],
            it["action"].removeprefix(_DECIDED),
            it["detail"]["reason"],
        )
        for it in audit
        if it["action"].startswith(_DECIDED)
        and "stage" in it["detail"]
        and it["subject"] in settled
    )
    for entry in sorted(reviews - logged):
        yield PackageProblem(member, "review", f"{entry[0]}, {entry[2]}: is not in the audit log")
    for entry in sorted(logged - reviews):
        yield PackageProblem(
            member, "review", f"{entry[0]}, {entry[2]}: is in the audit log and missing here"
        )


def _same(members: Members, member: str, table: str, *, settled: bool) -> Iterator[PackageProblem]:
    """What people read and what is judged by are the same rows; `settled`: some only are judged."""
    shown = {it["id"]: it for it in rows(members, member)}
    judged = {it["id"]: it for it in rows(members, table)}
    for number in sorted(judged.keys() | (shown.keys() if not settled else set())):
        row, other = shown.get(number), judged.get(number)
        if row is None or other is None:
            yield PackageProblem(
                member if row is None else table, "row", f"row {number} is missing"
            )
        elif any(row.get(name) != value for name, value in other.items()):
            yield PackageProblem(member, "row", f"row {number} is another one in {table}")


def _photos(members: Members, class_id: int) -> Iterator[PackageProblem]:
    """The list of photos says of each what the row says that its sitting is judged by."""
    member = "evidence/photos.ndjson"
    sittings = {
        it["id"]: it["external_id"]
        for it in rows(members, "tables/sessions.ndjson")
        if it["class_id"] == class_id
    }
    judged = {
        it["id"]: it | {"session": sittings[it["session_id"]]}
        for it in rows(members, "tables/snapshots.ndjson")
        if it["session_id"] in sittings
    }
    told = {it["id"]: it for it in rows(members, member)}
    for number in sorted(judged.keys() | told.keys()):
        here, there = told.get(number), judged.get(number)
        if here is None or there is None:
            at = "here" if here is None else "in tables/snapshots.ndjson"
            yield PackageProblem(member, "photo", f"photo {_name(here, there)} is missing {at}")
            continue
        shared = (here.keys() & there.keys()) - {"blob_key"}  # there only whether it has one
        differing = sorted(it for it in shared if here[it] != there[it])
        if differing:
            detail = f"photo {_name(there)} is judged by another {', '.join(differing)}"
            yield PackageProblem(member, "photo", detail)


def _name(*photos: dict[str, Any] | None) -> str:
    return next(str(it["external_id"]) for it in photos if it is not None)


def _draw_problems(made: dict[str, Any] | None, bound: dict[str, Any] | None) -> Iterator[str]:
    """What of one draw does not hold together: its record, and the audit log's entry on it."""
    if made is None or bound is None:
        yield "is missing here" if made is None else "is not in the audit log"
        return
    if frame_digest(made["frame"]) != made["frame_sha256"]:
        yield "who could be drawn is not what frame_sha256 names"
    if made["drawn"] != drawn(made["seed"], made["frame"], len(made["drawn"])):
        yield "the seed draws other learners out of the frame"
    detail = bound["detail"]
    same = {it: made[it] for it in ("seed", "frame_sha256", "drawn")}
    same["frame"] = made["frame_kind"]
    for name, value in same.items():
        if detail[name] != value:
            yield f"the audit log names another {name}"
    if bound["at_ms"] != made["drawn_ms"]:
        yield "the audit log names another time"
