"""One list of one class as a file, and the trace that it was taken."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context

from app.clock import day
from app.domain.answer import Answer
from app.domain.judging import assess, eligibility
from app.errors import BadInput, NotAllowed, NotFound
from app.reports import csv, pdf, signed_lists, xlsx
from app.reports.dossier import Dossier
from app.reports.lists import LISTS, Listing, listing
from app.reports.sheet import Sheet
from app.services import Services
from app.store.accounts import audit
from app.store.catalogue.catalogue import ClassRow

EARLIEST = date(2000, 1, 1)
MOST_WRITERS = 4
ROWS_IN_ONE_PROCESS = 5_000

Job = tuple[Sheet, str]  # a list, and the format it is wanted in


@dataclass(frozen=True, slots=True)
class Format:
    write: Callable[[Sheet], bytes]
    media_type: str


FORMATS = {
    "xlsx": Format(xlsx.write, xlsx.MEDIA_TYPE),
    "csv": Format(csv.write, csv.MEDIA_TYPE),
    "pdf": Format(pdf.write, pdf.MEDIA_TYPE),
}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Who asks, and for what. `named`: may be told reviewers' names, as platforms may not."""

    actor: str
    named: bool
    on: date | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    data: bytes


def conclude(services: Services, klass: ClassRow) -> None:
    """Bring the class's verdicts up to the photos that are stored now, and to the lists and reviews
    that came in since."""
    now_ms = services.clock()
    changed = services.kept_photos.recheck(klass.id).learners
    if changed:
        with services.database.write() as connection:
            for learner_id in sorted(changed):
                assess.judge_learner(connection, klass.id, learner_id, now_ms)
    with services.database.read() as connection:
        behind = bool(changed) or eligibility.stale(connection, klass, now_ms)
    if behind:
        with services.database.write() as connection:
            eligibility.conclude(connection, klass.id, now_ms)


def export(
    services: Services, klass: ClassRow, name: str, ext: str, options: ExportOptions
) -> File:
    """One list, written and recorded. Raises NotFound for a name or format there is none of,
    NotAllowed for a list that is kept from platforms."""
    wanted, how = listing(name), _format(ext)
    if wanted.kept and not options.named:
        raise NotAllowed("people_only", f"{wanted.title} is kept from platforms")
    conclude(services, klass)
    sheet = sheets(services, klass, [wanted.name], options)[0]
    file = File(file_name(klass, wanted.title, ext), how.media_type, how.write(sheet))
    record(services, klass, options, [sheet], ext)
    return file


def export_all(services: Services, klass: ClassRow, options: ExportOptions) -> list[File]:
    """Every list as XLSX and CSV; those that are signed as PDF too."""
    conclude(services, klass)
    made = sheets(services, klass, list(LISTS), options)
    jobs = [(sheet, ext) for sheet in made for ext in _formats_of(LISTS[sheet.name])]
    files = [
        File(file_name(klass, LISTS[sheet.name].title, ext), FORMATS[ext].media_type, data)
        for (sheet, ext), data in zip(jobs, _all_written(jobs), strict=True)
    ]
    record(services, klass, options, made, "all")
    return files


def _formats_of(listing: Listing) -> list[str]:
    return ["xlsx", "csv"] + ["pdf"] * listing.signed


def _all_written(jobs: list[Job]) -> list[bytes]:
    """The files of these lists, on all cores where that is worth starting processes."""
    cores = min(os.cpu_count() or 1, MOST_WRITERS)
    if cores == 1 or sum(len(sheet.rows) for sheet, _ in jobs) < ROWS_IN_ONE_PROCESS:
        return list(map(_written, jobs))
    slow_first = sorted(range(len(jobs)), key=lambda at: -len(jobs[at][0].rows))
    # Short-lived and full of objects: a fifth of their time would go to looking for garbage.
    with ProcessPoolExecutor(cores, get_context("spawn"), initializer=gc.disable) as writers:
        begun = {at: writers.submit(_written, jobs[at]) for at in slow_first}
        return [begun[at].result() for at in range(len(jobs))]


def _written(job: Job) -> bytes:
    sheet, ext = job
    return FORMATS[ext].write(sheet)


def sheets(
    services: Services, klass: ClassRow, names: Sequence[str], options: ExportOptions
) -> list[Sheet]:
    """The lists of those names as they stand at one moment."""
    now_ms = services.clock()
    with services.database.read() as connection:
        dossier = Dossier(
            connection,
            klass,
            now_ms,
            named=options.named,
            on=day_of(options, now_ms),
            chosen=options.columns,
        )
        return [signed_lists.printed(dossier, services.vault, name) for name in names]


def day_of(options: ExportOptions, now_ms: int) -> date:
    """The day that 旬报 and 月报 look back from. Raises BadInput for one before there were any."""
    if options.on is not None and options.on < EARLIEST:
        raise BadInput("bad_day", f"on: not before {EARLIEST}", field="on")
    return options.on or day(now_ms)


class OfferedExport(Answer, frozen=True, kw_only=True):
    """A list, or the audit package: the formats it comes in and the path of each."""

    name: str
    title: str
    formats: list[str]
    href: list[str]


class ExportList(Answer, frozen=True, kw_only=True):
    """What can be exported of a class."""

    class_id: str
    exports: list[OfferedExport]


def offered(klass: ClassRow) -> ExportList:
    base = f"/v1/classes/{klass.external_id}/exports"
    lists = [
        OfferedExport(
            name=it.name,
            title=it.title,
            formats=list(FORMATS),
            href=[f"{base}/{it.name}.{ext}" for ext in FORMATS],
        )
        for it in LISTS.values()
    ]
    package = OfferedExport(
        name="audit", title="审计数据包", formats=["zip"], href=[f"{base}/audit.zip"]
    )
    return ExportList(class_id=klass.external_id, exports=[*lists, package])


def record(
    services: Services, klass: ClassRow, options: ExportOptions, made: Sequence[Sheet], ext: str
) -> None:
    """Enter into the audit log who took which personal data."""
    personal = {sheet.name: sheet.digest for sheet in made if sheet.personal}
    if not personal:
        return
    with services.database.write() as connection:
        audit.append(
            connection,
            at_ms=services.clock(),
            actor=options.actor,
            action="export.taken",
            subject=subject(klass),
            detail={"lists": personal, "format": ext},
        )


def subject(klass: ClassRow) -> str:
    """The class as the audit log names it."""
    return f"class:{klass.platform_id}:{klass.external_id}"[:128]


def file_name(klass: ClassRow, title: str, ext: str) -> str:
    """`班级编号_标题.ext`, without characters that a folder would not take."""
    number = klass.terms.get("official_class_no") or klass.external_id
    plain = "".join(it if it.isalnum() or it in "-_." else "_" for it in number)
    return f"{plain}_{title}.{ext}"


def _format(ext: str) -> Format:
    if ext not in FORMATS:
        raise NotFound("unknown_format", f"lists come as {', '.join(FORMATS)}; not as {ext!r}")
    return FORMATS[ext]
