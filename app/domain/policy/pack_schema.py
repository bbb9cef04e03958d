"""The tables of a pack, a clause file and a catalogue, as written in TOML, with clear refusals."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from detectors.batch_facts import CheckScope, Unknown
from detectors.eligibility import Cure
from detectors.policy import Reach, Status, Value

Word = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[A-Za-z0-9_]+$")]
FILE_STEM = r"^[\w.-]{1,60}$"
FileStem = Annotated[str, Field(pattern=FILE_STEM)]  # of a file that is named in another one

NOT_IN_TREE = "not in tree"

NUMBER, LIST = "a number", "a list of months, 1 to 12"

# What later packs may say besides: the words it may say, or a number.
OPTIONAL: dict[str, dict[str, str | tuple[Value, ...]]] = {
    "provenance": {
        "attested_needs_act": ("attested_accepted",),
        "platform_controls_need_act": ("platform_controls_accepted",),
        "extension_needs_act": ("class_extended",),
        "leave_needs_act": ("leave_approved",),
    },
    "class_hour": {"photo_and_face": ("always", "acting_rules")},
    "reach": {"decisions_need_two": (True, False)},
    "cure": {"misconduct_needs_act": ("make_up_approved",)},
    "popup_gap": {"question": ("none", "quiz", "identity", "both")},
    "face_liveness": {
        "without_live": ("not_proven", "pending_review"),
        "face_moves": ("never", "announced", "always"),
    },
    "retention": {"archive_years": NUMBER, "photo_years_at_most": NUMBER},
}

# A check that reads another one's parameters comes with it.
COMPANIONS = {"B6": "B7", "B7": "B6", "B18": "B19", "C11_opening": "C11"}

# Every sitting is judged by their numbers, even where such a rule is a draft or retired.
THE_SIX = (
    "fast_forward",
    "multi_window",
    "popup_gap",
    "face_liveness",
    "lesson_order",
    "photo_retention",
)

# What the product itself reads: a table named here has each of these, a word from this choice or a
# number. A pack may leave out a check or a rule beyond the six, never a section. Two reviewers are
# how the service works.
REQUIRED: dict[str, dict[str, str | tuple[Value, ...]]] = {
    "class_hour": {"min_minutes": NUMBER, "coverage": NUMBER},
    "enrolment": {"required_share": NUMBER},
    "session": {
        **dict.fromkeys(("clock_on_hidden", "clock_on_unfocused"), ("stop", "run")),
        **dict.fromkeys(("heartbeat_s", "lease_timeout_s"), NUMBER),
    },
    "multi_window": {"on_second": ("reject_new", "kick_old"), "clock_on_hidden": ("stop", "run")},
    "B2": {"near_groups": NUMBER},
    "B3": {"same_groups": NUMBER},
    "B5": {"min_class_hours": NUMBER},
    "B6": {"min_minutes": NUMBER},
    "B7": {"min_continuous_minutes": NUMBER},
    "B8": {"max_age": NUMBER},
    "B10": {"max_learners_per_teacher": NUMBER},
    "B11": {"max_learners": NUMBER},
    "B13": {"min_practical_share": NUMBER},
    "B14": {"max_apprentices_per_teacher": NUMBER},
    "B18": {"min_offline_hours": NUMBER},
    "B19": {"reading": ("stricter", "lenient")},
    "B20": {"min_months": NUMBER},
    "C1": {"months": LIST},
    "C7": {"days_ahead": NUMBER},
    "C11": {"min_satisfaction": NUMBER, "block_months": NUMBER},
    "D1": {"max_per_year": NUMBER, "in_principle": (True, False)},
    "E1": {"min_theory_share": NUMBER},
    "E2": {"min_minutes": NUMBER},
    "provenance": {"attested_may_be_valid": (True, False)},
    "reach": {
        "grave": tuple(Reach),
        "missing_control": tuple(Reach),
        "reviewers": (2,),
    },  # 初审 and 复核 are built in
    "cure": dict.fromkeys(
        ("approved_leave", "not_misconduct", "misconduct", "missing_control"), tuple(Cure)
    ),
}


class PackError(Exception):
    """A file of `detectors/packs` is wrong; one line a problem: file, table and field, what."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextTable(Table):
    zh: Word
    en: Word


class ParameterTable(Table):
    """One number or word a pack decides by, and where it comes from."""

    value: bool | int | float | str | list[int]
    unit: Word
    source: Literal["quoted", "default"]
    clause: Key | None = None
    quote: Word | None = None
    note_zh: Word
    note_en: Word

    @field_validator("value", mode="plain")
    @classmethod
    def _plain_value(cls, value: object) -> object:
        if isinstance(value, list) and value and all(type(item) is int for item in value):
            return value
        if isinstance(value, bool | int | str):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise ValueError("must be a finite number, a word, true or false, or a list of integers")

    @model_validator(mode="after")
    def _quoted_or_default(self) -> ParameterTable:
        if self.source == "quoted" and not (self.clause and self.quote):
            raise ValueError('source = "quoted" needs clause and quote')
        if self.source == "default" and (self.clause or self.quote):
            raise ValueError('source = "default" takes neither clause nor quote')
        return self


class ScalarTable(ParameterTable):
    """A parameter of a rule or section: detectors take single numbers and words."""

    @field_validator("value", mode="after")
    @classmethod
    def _single(cls, value: object) -> object:
        if isinstance(value, list):
            raise ValueError("a rule takes no list")
        return value

    @property
    def scalar(self) -> Value:
        assert not isinstance(self.value, list)
        return self.value


class SectionTable(Table):
    clause: Key | None = None
    parameters: dict[Name, ScalarTable] = {}


class RuleTable(Table):
    clause: Key
    title: TextTable
    status: Status
    reach: Reach
    curable: bool
    parameters: dict[Name, ScalarTable] = {}

    @property
    def runs(self) -> bool:
        return self.status in (Status.ACTIVE, Status.SHADOW)


class CheckTable(Table):
    clause: Key
    title: TextTable
    scope: CheckScope
    reach: Reach | Literal["none"]
    curable: bool
    unknown: Unknown = Unknown.PENDING
    parameters: dict[Name, ParameterTable] = {}


class PackTable(Table):
    """A whole pack after `extends` was resolved."""

    schema_version: Literal[1] = Field(alias="schema")
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: TextTable
    instrument: Word
    catalogue: FileStem | None = None  # a place may name no occupations
    provenance: SectionTable
    class_hour: SectionTable
    session: SectionTable
    enrolment: SectionTable
    reach: SectionTable
    cure: SectionTable
    retention: SectionTable | None = None
    rules: dict[Name, RuleTable]
    checks: dict[Name, CheckTable]

    @property
    def sections(self) -> dict[str, SectionTable]:
        later = {"retention": self.retention} if self.retention else {}
        return {
            "provenance": self.provenance,
            "class_hour": self.class_hour,
            "session": self.session,
            "enrolment": self.enrolment,
            "reach": self.reach,
            "cure": self.cure,
            **later,
        }

    @property
    def tables(self) -> Mapping[str, SectionTable | RuleTable | CheckTable]:
        """Everything that has parameters, by its name in the file without `rules.` or `checks.`."""
        return {**self.sections, **self.rules, **self.checks}

    @model_validator(mode="after")
    def _names_are_unique(self) -> PackTable:
        seen = [*self.sections, *self.rules, *self.checks]
        twice = sorted({name for name in seen if seen.count(name) > 1})
        if twice:
            raise ValueError(f"one name for two tables: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _the_six(self) -> PackTable:
        missing = [rule for rule in THE_SIX if rule not in self.rules]
        if missing:
            raise ValueError(
                f"rules: missing {', '.join(missing)}: a rule is switched off by status"
            )
        return self

    @model_validator(mode="after")
    def _required_parameters(self) -> PackTable:
        for table, names in REQUIRED.items():
            if table not in self.tables:
                continue
            parameters = self.tables[table].parameters
            for name, wanted in names.items():
                where = f"{table}.parameters.{name}"
                if name not in parameters:
                    raise ValueError(f"{where}: missing")
                _hold(where, wanted, parameters[name].value)
        for table, choices in OPTIONAL.items():
            parameters = self.tables[table].parameters if table in self.tables else {}
            for name in choices.keys() & parameters.keys():
                _hold(f"{table}.parameters.{name}", choices[name], parameters[name].value)
        return self

    @model_validator(mode="after")
    def _terms_agree(self) -> PackTable:
        terms = self.retention.parameters if self.retention else {}
        if any(_is(NUMBER, it.value) and float(it.scalar) < 0 for it in terms.values()):
            raise ValueError("retention: no term is shorter than nothing")
        least, most = (terms.get(it) for it in ("archive_years", "photo_years_at_most"))
        if least and most and float(most.scalar) < float(least.scalar):
            raise ValueError("retention: photo_years_at_most is shorter than archive_years")
        return self

    @model_validator(mode="after")
    def _companions(self) -> PackTable:
        for check, other in COMPANIONS.items():
            if check in self.checks and other not in self.checks:
                raise ValueError(f"checks.{check}: needs checks.{other}")
        return self

    @model_validator(mode="after")
    def _one_clock(self) -> PackTable:
        windows = self.rules.get("multi_window")
        name = "clock_on_hidden"
        if windows and windows.parameters[name].value != self.session.parameters[name].value:
            raise ValueError(f"session and multi_window differ in {name}")
        return self


class InstrumentTable(Table):
    title: Word
    title_en: Word
    number: Word
    issuer: Word
    dated: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    effective_note: str | None = None
    source_text: Literal["in tree", "not in tree"]


class ClauseTable(Table):
    article: Word
    words: Word
    passage: Word | None = None
    gloss_en: Word


class ClauseFile(Table):
    instrument: InstrumentTable
    passages: dict[str, Word] = {}
    clauses: dict[Name, ClauseTable]

    @model_validator(mode="after")
    def _words_stand_in_their_passage(self) -> ClauseFile:
        for name, clause in self.clauses.items():
            if clause.passage is None:
                continue
            if clause.passage not in self.passages:
                raise ValueError(f"clauses.{name}.passage: no passage {clause.passage!r}")
            if clause.words not in self.passages[clause.passage]:
                raise ValueError(f"clauses.{name}.words: not in passage {clause.passage!r}")
        return self


class RowTable(Table):
    """A row of a catalogue, called by the words of its clause. `in_person`: it asks for class-hours
    in person, `min_hours` of them, or as many as the check on them says."""

    clause: Key
    names: Annotated[list[Word], Field(min_length=1)]
    in_person: bool = False
    min_hours: ScalarTable | None = None

    @model_validator(mode="after")
    def _hours_are_in_person(self) -> RowTable:
        if self.min_hours and not (self.in_person and _is(NUMBER, self.min_hours.value)):
            raise ValueError("min_hours: must be a number, of a row with in_person = true")
        return self


class CatalogueFile(Table):
    id: Word
    clause: Key
    dated: date
    title: TextTable
    # A catalogue of two rows, wholly online and not, may name them so.
    online: RowTable | None = None
    offline: RowTable | None = None
    rows: dict[Name, RowTable] = {}
    aliases: dict[str, Word] = {}

    @property
    def all_rows(self) -> dict[str, RowTable]:
        if self.online is None or self.offline is None:
            return self.rows
        return {
            "online": self.online,
            "offline": self.offline.model_copy(update={"in_person": True}),
        }

    @model_validator(mode="after")
    def _rows_of_one_form(self) -> CatalogueFile:
        two = self.online is not None and self.offline is not None
        if two == bool(self.rows) or (self.rows and (self.online or self.offline)):
            raise ValueError("rows: name rows, or online and offline, not both")
        return self

    @model_validator(mode="after")
    def _aliases_lead_to_names(self) -> CatalogueFile:
        known = {name for row in self.all_rows.values() for name in row.names}
        lost = [alias for alias, name in self.aliases.items() if name not in known]
        if lost:
            raise ValueError(f"aliases without an exact name: {', '.join(lost)}")
        return self


T = TypeVar("T", bound=BaseModel)

_PARAMETER = "must be a table { value, unit, source, note_zh, note_en }"


def _hold(where: str, wanted: str | tuple[Value, ...], value: object) -> None:
    if not _is(wanted, value):
        words = wanted if isinstance(wanted, str) else ", ".join(map(str, wanted))
        raise ValueError(f"{where}.value: must be {words}")


def _is(wanted: str | tuple[Value, ...], value: object) -> bool:
    if wanted == LIST:
        return isinstance(value, list) and all(1 <= month <= 12 for month in value)
    if wanted == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return value in wanted


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """The tables of a file, which Notepad may have begun with a mark; PackError, naming it `name`,
    when it is missing or is no TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise PackError(f"{name}: no such file") from None
    except UnicodeDecodeError as error:
        raise PackError(f"{name}: is not saved as UTF-8: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{name}: {error}") from None
    except RecursionError:
        raise PackError(f"{name}: is nested too deep") from None


def validated(model: type[T], tables: dict[str, Any], name: str) -> T:
    """`tables` as a `model`; PackError with a line for every field that is wrong."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise PackError(*(_line(name, problem) for problem in error.errors())) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """`: did you mean …?`, or nothing where no known name is like it."""
    found = get_close_matches(name, list(known), 1)
    return f": did you mean {found[0]}?" if found else ""


@cache
def _fields() -> frozenset[str]:
    """Every name that a table of any file has."""
    return frozenset(
        it.alias or name
        for table in Table.__subclasses__()
        for name, it in table.model_fields.items()
    )


def _line(name: str, problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    what = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        said = str(problem["loc"][-1])
        what = f"no such name{' here' if said in _fields() else nearest(said, _fields())}"
    elif problem["type"] in ("model_type", "dict_type"):
        what = _PARAMETER if problem["loc"][-2:-1] == ("parameters",) else "must be a table"
    return f"{name}: {where}: {what}" if where else f"{name}: {what}"
