"""A class: the matrix learner × class-hour. And the list of classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup, escape
from sqlalchemy import Connection

from app.clock import day
from app.console import consequences, labels, weighty
from app.console.finding_view import sentence_of
from app.console.findings_page import plain_text
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.console.sign_off_page import dossier_of, matters_shown
from app.console.stages_page import summaries
from app.domain import runs, standing
from app.domain.accounts.users import Login, User
from app.domain.faces import enrolment_photos
from app.domain.judging import class_requests, unsettled, wording
from app.domain.judging.class_requests import SCALES
from app.domain.policy import packs
from app.domain.review import recoveries, sign_off, stages
from app.domain.review.stages import PAYMENT, StepView
from app.errors import BadInput, NotFound
from app.reports import exports, signed_lists, signing
from app.reports.lists import periodic
from app.store.accounts import users
from app.store.bodies import ClassVerdict, HourVerdict, StoredVerdict
from app.store.catalogue import catalogue
from app.store.catalogue import class_file as store
from app.store.faces import reference_photos, retention
from app.store.judging import runs as run_store
from app.store.judging import unsettled as undecided_now
from app.store.review import acts, sign_offs

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50
_CLASS_FINDINGS = 50
_ROOMY = 12  # class-hours that leave room for their coverage in the matrix
_DENSE = 30  # from more than these on, cells and conclusions are drawn narrow
_PLAIN = ("valid", "not_started")  # a cell of these needs no further word


@dataclass(frozen=True, slots=True)
class HourCell:
    """One class-hour of one learner. `tenths` of the content are covered, for the small bar."""

    number: int
    code: str
    letter: str
    tenths: int
    covered: str
    told: str


@dataclass(frozen=True, slots=True)
class GridRow:
    id: int
    name: str
    id_last4: str
    cells: Markup
    valid: int
    waiting: int
    outcome: str  # of the enrolment; empty before it was judged
    ended_by: str | None
    last_on: str | None


@router.get("/classes")
def classes(request: Request, login: SignedIn, q: str = "", before: int | None = None) -> Response:
    text = plain_text(q)
    with request.app.state.services.database.read() as connection:
        rows = store.page(connection, login.user.scope, text, _row_id(before), PAGE + 1)
    return render(
        request,
        "classes.html",
        login=login,
        rows=rows[:PAGE],
        q=text,
        before=before,
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@router.get("/classes/{class_id}")
def klass(request: Request, login: SignedIn, class_id: RowId) -> Response:
    lang, today = language_of(request), day(request.app.state.services.clock())
    with request.app.state.services.database.read() as connection:
        row = store.klass(connection, class_id, login.user.scope)
        if row is None:
            raise NotFound("unknown_class", "there is no such class")
        pack = f"{row.pack_id}@{row.pack_version}"
        hours, roster = store.hours(connection, class_id), store.roster(connection, class_id)
        undecided = unsettled.of_class(connection, class_id, pack)
        marks = _as_they_stand(
            store.hour_marks(connection, class_id, pack),
            undecided_now.finding_keys(connection, class_id),
        )
        outcomes = store.enrolment_outcomes(connection, class_id, pack)
        lists = _signing(request, connection, class_id, judged=bool(outcomes))
        verdict = next(iter(store.latest(connection, class_id, ClassVerdict, pack)), None)
        waiting = store.waiting_by_learner(connection, class_id)
        findings = store.findings(connection, class_id, None, _CLASS_FINDINGS)
        run = run_store.latest(connection, class_id)
        chosen_by = users.names(connection, [row.scale_chosen_by or 0])
        steps = stages.of_class(connection, class_id, today)
        asides = _asides(connection, class_id, steps, login.user)
    roomy = len(hours) <= _ROOMY
    return render(
        request,
        "class.html",
        login=login,
        klass=row,
        hours=hours,
        rows=matrix(
            class_id, roster, hours, marks, outcomes, waiting, undecided.learners, lang, roomy=roomy
        ),
        **_unsettled(undecided, outcomes, row, today.isoformat(), lang, login.user),
        signing=labels.SIGN_OFFS[lists],
        width="roomy" if roomy else "dense" if len(hours) > _DENSE else "",
        in_class=sum(it.ended_by is None for it in roster),
        tally=tally(len(roster), len(hours), marks),
        verdict=verdict,
        concluded=wording.of_class(verdict.body, verdict.created_ms, today) if verdict else None,
        today=today.isoformat(),
        **_stages(steps),
        **_run(request, run),
        chosen_by=chosen_by.get(row.scale_chosen_by or 0, ""),
        scales=SCALES,
        **_exported(request, row),
        findings=[(it, sentence_of(it.body, lang)) for it in findings],
        waiting=sum(waiting.values()),
        **asides,
    )


def _as_they_stand(marks: Sequence[Any], found: standing.Found) -> list[tuple[Any, ...]]:
    """The marks of class-hours with those that are lost only if people say so as undecided."""
    told = []
    for enrolment, number, code, body in marks:
        if code == "invalid":
            code = standing.of_stored(code, body, found)
        told.append((enrolment, number, code, body))
    return told


def _run(request: Request, run: Any) -> dict[str, Any]:
    """The last run of the class, and how far it is."""
    now_ms = request.app.state.services.clock()
    return {"run": run, "told": runs.shown(run, now_ms) if run else None}


def _stages(steps: Sequence[StepView]) -> dict[str, Any]:
    return {"steps": steps, "stages": summaries(steps)}


def _owed(connection: Connection, class_id: int, steps: Sequence[StepView], user: User) -> int:
    """What of the money that was paid is to come back, in 分; 0 for whom it is no business of."""
    paid = any(it.batches for it in steps if it.step.id == PAYMENT)
    if not paid or not user.of_authority:
        return 0
    cases = recoveries.of_class(connection, catalogue.class_by_id(connection, class_id))
    return sum(it.left_fen for it in cases)


def _asides(
    connection: Connection, class_id: int, steps: Sequence[StepView], user: User
) -> dict[str, Any]:
    """Learners with fewer enrolled photos than are wanted, and how many they have; how many photos
    wait to be compared and acts to be approved, who studies now, how many holds keep photos, what
    is to come back."""
    wanted = enrolment_photos.WANTED
    enrolled = reference_photos.counts(connection, class_id)
    return {
        "few": {who: photos for who, photos in enrolled.items() if photos < wanted},
        "photos_wanted": wanted,
        "photos_waiting": len(run_store.photos_waiting(connection, class_id)),
        "open_now": store.open_now(connection, class_id),
        "acts_waiting": acts.waiting(connection, class_id),
        "owed_fen": _owed(connection, class_id, steps, user),
        "held": sum(it.lifted_ms is None for it in retention.holds_of_class(connection, class_id)),
    }


def _unsettled(
    undecided: unsettled.Unsettled,
    outcomes: Mapping[int, str],
    row: Any,
    today: str,
    lang: Language,
    user: User,
) -> dict[str, Any]:
    """Who of the class stands on neither list and why."""
    pack = f"{row.pack_id}@{row.pack_version}"
    return {
        "undecided": len(undecided.learners) if outcomes else 0,
        "matters": matters_shown(undecided.matters, row.id, pack, today, lang, user),
    }


def _signing(request: Request, connection: Connection, class_id: int, *, judged: bool) -> str:
    """Whether the class's lists are signed, and still say what was signed."""
    signed = sign_off.in_force(sign_offs.of_class(connection, class_id))
    if signed is None:
        return "draft"
    klass, services = catalogue.class_by_id(connection, class_id), request.app.state.services
    if not judged or packs.found(klass.pack_id, klass.pack_version) is None:
        return "signed"  # nothing tells how they stand now
    dossier = dossier_of(connection, klass, services.clock())
    before = signed_lists.signed(dossier, services.vault, signed)
    return "changed" if signed_lists.differ(before, signed_lists.drafts(dossier)) else "signed"


def _exported(request: Request, row: Any) -> dict[str, Any]:
    """What the page offers to export."""
    vault = request.app.state.services.vault
    return {
        "exports": exports.offered(row).exports,
        "columns": {name: name in periodic.USUAL for name in periodic.FIGURES},
        "public_key": signing.public_hex(signing.private_key(vault)),
    }


@router.post("/classes/{class_id}/run", dependencies=[FormOfThisLogin])
def judge(request: Request, login: SignedIn, class_id: RowId) -> Response:
    """Judge the class now; the page tells how far it is."""
    services = request.app.state.services
    with services.database.write() as connection:
        class_requests.judge(connection, class_id, login.user, services.clock())
    return see_other(f"/console/classes/{class_id}#conclusion")


@router.get("/classes/{class_id}/scale")
def weigh_scale(request: Request, login: SignedIn, class_id: RowId, scale: str = "") -> Response:
    """What picking a scale will do; without a word on which, the one that is not picked."""
    return _weigh_scale(request, login, class_id, scale)


@router.post("/classes/{class_id}/scale", dependencies=[FormOfThisLogin])
def choose_scale(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    scale: Annotated[str, Form()] = "",
    reason: weighty.Reason = "",
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh_scale(request, login, class_id, scale, reason, error.code)
    with services.database.write() as connection:
        class_requests.choose(connection, class_id, login.user, scale, services.clock(), why)
    return see_other(f"/console/classes/{class_id}#conclusion")


def _weigh_scale(
    request: Request,
    login: Login,
    class_id: int,
    scale: str,
    reason: str = "",
    problem: str = "",
) -> Response:
    with request.app.state.services.database.read() as connection:
        row = class_requests.class_of(connection, class_id, login.user)
        other = next(it for it in SCALES if it != (row.scale_chosen or SCALES[0]))
        wanted = scale if scale in SCALES else other
        deed = consequences.scale(connection, row, wanted, language_of(request))
    return weighty.page(request, login, deed, reason, problem)


def tally(learners: int, hours: int, hour_verdicts: Sequence[Any]) -> Counter[str]:
    """How many cells of the matrix are of each outcome."""
    counts = Counter(code for _, _, code, _ in hour_verdicts)
    counts["not_started"] = learners * hours - counts.total()
    return counts


def matrix(
    class_id: int,
    roster: Sequence[Any],
    hours: Sequence[Any],
    hour_verdicts: Sequence[Any],
    outcomes: Mapping[int, str],
    waiting: Mapping[int | None, int],
    undecided: Collection[int],
    lang: Language,
    *,
    roomy: bool = False,
) -> list[GridRow]:
    """One row a learner with a cell for every class-hour of the plan, studied or not.

    Each cell leads to the sittings behind it. Cells are written here and not by the template: a
    full class has 3,200 of them, and only the learner differs between those that are alike.
    """
    numbers = [it.number for it in hours]
    blank = {number: _drawn(lang, number, "not_started", None, roomy) for number in numbers}
    drawn = {it.enrolment_id: dict(blank) for it in roster}
    valid: Counter[int] = Counter()
    for enrolment, number, code, body in hour_verdicts:
        if enrolment not in drawn:  # whose move into the class was taken back
            continue
        covered = None if code in _PLAIN and not roomy else _covered(body).coverage or 0
        drawn[enrolment][number] = _drawn(lang, number, code, covered, roomy)
        valid[enrolment] += code == "valid"
    rows = []
    for it in roster:
        path = f"{class_id}/learners/{it.id}/hours/"
        cells = [f"{before}{path}{after}" for before, after in drawn[it.enrolment_id].values()]
        rows.append(
            GridRow(
                id=it.id,
                name=it.name,
                id_last4=it.id_last4 or "–",
                cells=Markup("".join(cells)),  # noqa: S704 -- escaped in _drawn
                valid=valid[it.enrolment_id],
                waiting=waiting.get(it.id, 0),
                outcome=standing.of_learner(outcomes.get(it.enrolment_id, ""), it.id, undecided),
                ended_by=it.ended_by,
                last_on=it.last_on,
            )
        )
    return rows


@lru_cache(maxsize=20_000)
def _drawn(
    lang: Language, number: int, code: str, covered: float | None, roomy: bool
) -> tuple[str, str]:
    """A cell's markup before and after the path that names the learner."""
    it = _cell(lang, number, code, covered)
    told = "" if code in _PLAIN else f' title="{escape(it.told)}"'
    bar = f" t{it.tenths}" if code == "incomplete" else ""
    share = f'<small class="number">{it.covered}</small>' if roomy else ""
    return (
        f'<td><a class="hour {code}{bar}"{told} href="',
        f'{number}">{escape(it.letter)}</a>{share}',
    )


def cell(
    number: int, mark: StoredVerdict[HourVerdict] | None, found: standing.Found, lang: Language
) -> HourCell:
    """The cell of one class-hour; without a verdict it was not studied yet."""
    code = unsettled.hour_now(mark, found)
    return _cell(lang, number, code, mark.body.coverage if mark else None)


@lru_cache(maxsize=20_000)
def _cell(lang: Language, number: int, code: str, covered: float | None) -> HourCell:
    word = labels.label(labels.HOURS, code)
    told = lang.say(N_("第%(n)s课时"), n=number) + " · " + lang.say(word.text)
    share = ""
    if covered is not None:
        share = f"{lang.number(round(covered * 100, 1))}%"
        told += " · " + lang.say(N_("覆盖%(share)s"), share=share)
    return HourCell(
        number, code, lang.say(word.letter), min(10, int((covered or 0) * 10)), share, told
    )


class _Covered(msgspec.Struct):
    """What a cell shows of a verdict's body."""

    coverage: float | None = None


_covered = msgspec.json.Decoder(_Covered).decode


def _row_id(value: int | None) -> int | None:
    return value if value is not None and 0 < value < 2**62 else None
