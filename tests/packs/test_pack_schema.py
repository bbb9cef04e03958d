"""What is wrong with a pack is said in one line that names file, table and field."""

from __future__ import annotations

import pytest

from app.domain.policy import packs
from app.domain.policy.pack_schema import PackError
from tests.packs.shelf import GRADED, LITERAL, Shelf

FILE = f"{GRADED}@1.0.0.toml"
CASES = {
    "a parameter without a source": (
        'reissues = { value = 1, unit = "count", source = "default", ',
        'reissues = { value = 1, unit = "count", ',
        "rules.popup_gap.parameters.reissues.source: Field required",
    ),
    "a number that is called quoted and quotes nothing": (
        'retries = { value = 3, unit = "count", source = "default"',
        'retries = { value = 3, unit = "count", source = "quoted"',
        'rules.face_liveness.parameters.retries: source = "quoted" needs clause and quote',
    ),
    "a default that leans on a clause": (
        'retries = { value = 3, unit = "count", source = "default"',
        'retries = { value = 3, unit = "count", source = "default", quote = "三次"',
        'rules.face_liveness.parameters.retries: source = "default" takes neither clause nor quote',
    ),
    "a quote that is not in its clause": (
        'quote = "每课时不低于 40 分钟"',
        'quote = "每课时不低于 45 分钟"',
        "class_hour.parameters.min_minutes.quote: not in huangchuan-2021/class_hour",
    ),
    "a clause that the register does not have": (
        'clause = "huangchuan-2021/lesson_order"',
        'clause = "huangchuan-2021/order_of_lessons"',
        "no clause 'huangchuan-2021/order_of_lessons'",
    ),
    "a number that is none": (
        "retry_window_s = { value = 120",
        "retry_window_s = { value = nan",
        "rules.face_liveness.parameters.retry_window_s.value: must be a finite number, a word, "
        "true or false, or a list of integers",
    ),
    "a list where a detector reads a number": (
        "retry_window_s = { value = 120",
        "retry_window_s = { value = [120]",
        "rules.face_liveness.parameters.retry_window_s.value: a rule takes no list",
    ),
    "an unknown status": (
        'status = "shadow"\nreach = "L1"\ncurable = true\n\n[rules.marathon.parameters]',
        'status = "hidden"\nreach = "L1"\ncurable = true\n\n[rules.marathon.parameters]',
        "rules.marathon.status: Input should be 'draft', 'shadow', 'active' or 'retired'",
    ),
    "an unknown field": (
        '[checks.B1]\nclause = "huangchuan-2021/B1"',
        '[checks.B1]\nclausse = "x"\nclause = "huangchuan-2021/B1"',
        "checks.B1.clausse: no such name: did you mean clause?",
    ),
    "a word that the product does not know": (
        'on_second = { value = "reject_new"',
        'on_second = { value = "reject_old"',
        "multi_window.parameters.on_second.value: must be reject_new, kick_old",
    ),
    "a section without what the product reads": (
        "required_share =",
        "required_part =",
        "enrolment.parameters.required_share: missing",
    ),
    "a word where the product reads a number": (
        "required_share = { value = 1.0",
        'required_share = { value = "all"',
        "enrolment.parameters.required_share.value: must be a number",
    ),
    "a month that is none": (
        "months = { value = [4, 8, 12]",
        "months = { value = [4, 8, 13]",
        "C1.parameters.months.value: must be a list of months, 1 to 12",
    ),
    "a check without a function": (
        "[checks.C11_opening]",
        "[checks.C12]",
        "checks.C12: no such check of a class: did you mean C2?",
    ),
    "a check of the wrong scope": (
        'title = { zh = "实名制管理", en = "Real-name management" }\nscope = "learner"',
        'title = { zh = "实名制管理", en = "Real-name management" }\nscope = "class"',
        "checks.D17: no such check of a class",
    ),
    "a version that is not the file's": (
        'version = "1.0.0"',
        'version = "1.0.1"',
        f"id and version inside say {GRADED}@1.0.1",
    ),
    "an instrument that nothing cites": (
        'instrument = "huangchuan-2021"',
        'instrument = "henan-2022"',
        "instrument: no clause of 'henan-2022' is cited",
    ),
    "a share in per cent": (
        "\ncoverage = { value = 0.98,",
        "\ncoverage = { value = 98,",
        "class_hour.parameters.coverage.value: must lie between 0 and 1 (share)",
    ),
    "a limit below nothing": (
        "answer_window_s = { value = 60,",
        "answer_window_s = { value = -60,",
        "rules.popup_gap.parameters.answer_window_s.value: must lie between 0 and 86,400 (s)",
    ),
    "a rate at which nothing moves": (
        "max_rate = { value = 1.0,",
        "max_rate = { value = 0,",
        "rules.fast_forward.parameters.max_rate.value: must lie between more than 0 and 100 (×)",
    ),
    "days beyond the calendar": (
        "days_ahead = { value = 3,",
        "days_ahead = { value = 1000000,",
        "checks.C7.parameters.days_ahead.value: must lie between 0 and 3,660 (days)",
    ),
    "a first number above the last": (
        "schedule_min_s = { value = 180,",
        "schedule_min_s = { value = 300,",
        "rules.popup_gap.parameters.schedule_min_s.value: is more than schedule_max_s",
    ),
    "pop-ups that come later than the longest gap allowed": (
        "max_gap_s = { value = 300,",
        "max_gap_s = { value = 240,",
        "rules.popup_gap.parameters.schedule_max_s.value: is more than max_gap_s",
    ),
    "sittings that end between two beats": (
        "lease_timeout_s = { value = 120,",
        "lease_timeout_s = { value = 5,",
        "session.parameters.heartbeat_s.value: is more than lease_timeout_s",
    ),
    "a number where its table belongs": (
        "handover_tolerance_s = {",
        "handover_tolerance_s = 10 # {",
        "rules.multi_window.parameters.handover_tolerance_s: must be a table "
        "{ value, unit, source, note_zh, note_en }",
    ),
    "a catalogue elsewhere": (
        'catalogue = "huangchuan-2021-annex3"',
        'catalogue = "../../settings"',
        "catalogue: String should match pattern '^[\\w.-]{1,60}$'",
    ),
    "a catalogue that is not there": (
        'catalogue = "huangchuan-2021-annex3"',
        'catalogue = "annex9"',
        "catalogues/annex9.toml: no such file",
    ),
}


@pytest.mark.parametrize(("old", "new", "line"), CASES.values(), ids=CASES)
def test_a_wrong_pack_is_refused_in_one_line(shelf: Shelf, old: str, new: str, line: str) -> None:
    shelf.edit(old, new)
    with pytest.raises(PackError) as refusal:
        shelf.load()
    expected = line if line.startswith("catalogues/") else f"{FILE}: {line}"
    assert list(refusal.value.problems) == [expected]


def test_every_problem_has_its_own_line(shelf: Shelf) -> None:
    shelf.edit('reissues = { value = 1, unit = "count"', "reissues = { value = 1")
    shelf.edit('retries = { value = 3, unit = "count"', "retries = { value = 3")
    with pytest.raises(PackError) as refusal:
        shelf.load()
    assert len(refusal.value.problems) == 2


def test_what_is_no_toml_is_refused_with_its_place(shelf: Shelf) -> None:
    shelf.edit("schema = 1\n", "schema = \n")
    with pytest.raises(PackError, match=rf"^{FILE}: Invalid value \(at line 4, column 10\)$"):
        shelf.load()


def test_a_file_that_notepad_saved_is_read(shelf: Shelf) -> None:
    path = shelf.folder / FILE
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert shelf.load().digest == packs.load(GRADED, "1.0.0").digest


@pytest.mark.parametrize("text", [b"# \xe4\xe0", b"a = " + b"[" * 5_000 + b"]" * 5_000])
def test_a_file_that_nobody_can_read_is_refused_by_name(shelf: Shelf, text: bytes) -> None:
    (shelf.folder / FILE).write_bytes(text)
    with pytest.raises(PackError, match=rf"^{FILE}: is "):
        shelf.load()


@pytest.mark.parametrize("pool", [None, "../../settings", "a\\u0000b"])
def test_questions_are_asked_from_a_pool_that_is_named(shelf: Shelf, pool: str | None) -> None:
    told = {"question": "quiz"} | ({"question_pool": pool} if pool else {})
    lines = [
        f'{name} = {{ value = "{it}", unit = "word", source = "default", note_zh = "x", '
        'note_en = "y" }\n'
        for name, it in told.items()
    ]
    shelf.edit("reissues = {", "".join(lines) + "reissues = {")
    with pytest.raises(PackError, match=r"rules\.popup_gap\.parameters\.question_pool: must name"):
        shelf.load()


@pytest.mark.parametrize("name", ["henan@1.0.².toml", f"henan@1.0.{'9' * 200}.toml"])
def test_a_version_is_of_plain_digits(shelf: Shelf, name: str) -> None:
    (shelf.folder / name).write_text("", "utf-8")
    with pytest.raises(PackError, match="a pack file is named <id>@"):
        packs.available(folder=shelf.folder, strict=True)


def test_a_check_comes_with_the_one_whose_numbers_it_reads(shelf: Shelf) -> None:
    shelf.edit("[checks.B19]", "[checks.B99]")
    shelf.edit("[checks.B19.parameters]", "[checks.B99.parameters]")
    with pytest.raises(PackError, match=r"checks\.B18: needs checks\.B19"):
        shelf.load()


def test_one_name_is_one_table(shelf: Shelf) -> None:
    shelf.edit("[checks.B24]", "[checks.popup_gap]")
    with pytest.raises(PackError, match="one name for two tables: popup_gap"):
        shelf.load()


def test_a_replaced_value_does_not_keep_the_quote_of_the_pack_below(shelf: Shelf) -> None:
    override = "\n[rules.popup_gap.parameters]\nmax_gap_s = { value = 240 }\n"
    file = f"{LITERAL}@1.0.0.toml"
    shelf.edit("[rules.face_liveness]", f"{override}\n[rules.face_liveness]", file)
    with pytest.raises(PackError, match=r"rules\.popup_gap\.parameters\.max_gap_s\.source"):
        shelf.load(LITERAL)


def test_the_learning_clock_has_one_setting(shelf: Shelf) -> None:
    override = (
        "[session.parameters]\n"
        'clock_on_hidden = { value = "run", unit = "word", source = "default", '
        'note_zh = "计时", note_en = "runs" }\n\n'
    )
    file = f"{LITERAL}@1.0.0.toml"
    shelf.edit("[rules.fast_forward]", f"{override}[rules.fast_forward]", file)
    with pytest.raises(PackError, match="session and multi_window differ in clock_on_hidden"):
        shelf.load(LITERAL)


@pytest.mark.parametrize(
    ("base", "line"),
    [
        (f'"{LITERAL}@1.0.0"', f"{LITERAL}@1.0.0.toml: extends itself by way of"),
        (f'"{GRADED}"', "extends: must name a pack as <id>@<version>"),
        (f'"{GRADED}@7.0.0"', f"{GRADED}@7.0.0.toml: no such file"),
        ('"../x@1.0.0"', r"extends: \.\./x@1\.0\.0\.toml: no such file"),
    ],
)
def test_a_pack_extends_another_one_in_a_version_that_is_there(
    shelf: Shelf, base: str, line: str
) -> None:
    file = f"{LITERAL}@1.0.0.toml"
    shelf.edit(f'extends = "{GRADED}@1.0.0"', f"extends = {base}", file)
    with pytest.raises(PackError, match=line):
        shelf.load(LITERAL)


def test_a_file_whose_name_carries_no_version_is_refused(shelf: Shelf) -> None:
    (shelf.folder / "henan.toml").write_text("", "utf-8")
    with pytest.raises(PackError, match=r"henan\.toml: a pack file is named <id>@"):
        packs.available(folder=shelf.folder, strict=True)
