"""ID numbers and names as clerks type them: cleaned without loss, or refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from app.domain.catalogue import person_names
from app.domain.id_numbers import (
    ID_TYPE_NAMES,
    ID_TYPES,
    BadNumber,
    check_digit,
    cleaned,
    read,
    type_in_words,
)

LIN = "000000198002020010"

days = st.dates(date(1940, 1, 1), date(2012, 12, 31))
regions = st.text("0123456789", min_size=6, max_size=6)
sequences = st.integers(1, 999)
noise = st.sampled_from(["", " ", "\t", "　", "'", "’", '"', "\ufeff", "\u200b", "\u00a0"])


@st.composite
def numbers(draw: st.DrawFn) -> str:
    body = f"{draw(regions)}{draw(days):%Y%m%d}{draw(sequences):03}"
    number = body + check_digit(body)
    return number if not number.endswith("000") else LIN


@pytest.mark.parametrize(
    "typed",
    [
        LIN,
        f"{LIN} ",
        f" {LIN}",
        f"'{LIN}",
        "0000001980 0202 0010",
        "000000-19800202-0010",
        "００００００１９８００２０２００１０",
        "000000800202001",
    ],
)
def test_one_number_is_one_however_it_is_typed(typed: str) -> None:
    assert read(typed) == LIN


@pytest.mark.parametrize("cross", ["x", "X", "×", "х", "Х", "Ｘ", "ｘ", "χ", "Ⅹ", "ⅹ"])
def test_what_looks_like_an_x_at_the_end_is_one(cross: str) -> None:
    assert read(f"00000019810318003{cross}") == "00000019810318003X"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("00000019800202001x", "id_number_check_digit"),
        ("000000198002020011", "id_number_check_digit"),
        ("830000198002020010", "id_number_check_digit"),
        ("000000198013450010", "id_number_birth_date"),
        ("000000218002020010", "id_number_birth_date"),
        ("4.11526E+17", "id_number_cut"),
        ("4.1152619800202e+17", "id_number_cut"),
        ("411526198002020011.0", "id_number_cut"),
        ("411526198002020000", "id_number_cut"),  # its check digit is right, by chance
        ("000000198002020000", "id_number_cut"),
        ("000000198002020", "id_number_cut"),  # 18 digits whose last three are missing
        ("000000200503120", "id_number_cut"),
        ("000000801345001", "id_number_birth_date"),
        ("", "id_number_empty"),
        ("  ", "id_number_empty"),
        ("0", "bad_id_number"),
        ("12345", "bad_id_number"),
        ("11010119900101123Y", "bad_id_number"),
        ("0000001980020200100", "bad_id_number"),
        ("00000019800202001*", "bad_id_number"),
        ("٠٠٠٠٠٠١٩٨٠٠٢٠٢٠٠١٠", "bad_id_number"),
        ("19800202", "id_number_is_a_date"),
        ("13900000000", "bad_id_number"),
        ("ABCDEF", "bad_id_number"),
        ("O00000198002020010", "bad_id_number"),
        ("l00000800202001", "bad_id_number"),
    ],
)
def test_what_cannot_be_a_number_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(BadNumber) as refusal:
        read(typed)
    assert refusal.value.code == code
    assert " / " in str(refusal.value)


@pytest.mark.parametrize(
    ("typed", "id_type", "kept"),
    [
        ("H12345678", None, "H12345678"),
        ("h12345678", "hk_macao_permit", "H12345678"),
        ("M12345678(1)", None, "M12345678"),
        ("H1234567801", None, "H12345678"),
        ("99345678", None, "99345678"),
        ("9934567802", "taiwan_permit", "99345678"),
        ("19800202", "taiwan_permit", "19800202"),
        ("830000198002020015", None, "830000198002020015"),
        ("830000198002020015", "residence_permit", "830000198002020015"),
        ("E12345678", None, "E12345678"),
        ("123456789", "passport", "PASSPORT:123456789"),
        ("K1234567", "passport", "K1234567"),
        ("CHN000080020200", None, "CHN000080020200"),
        ("999999198002020011", None, None),
    ],
)
def test_other_documents_are_taken_by_their_form(
    typed: str, id_type: str | None, kept: str | None
) -> None:
    if kept is None:  # whatever the region, the check digit decides
        typed = kept = typed[:17] + check_digit(typed[:17])
    assert read(typed, id_type) == kept


def test_a_type_that_does_not_fit_is_told() -> None:
    for id_type in ID_TYPES:
        name = ID_TYPE_NAMES[type_in_words(id_type)]
        assert type_in_words(f" {name}（原件）") == id_type
        with pytest.raises(BadNumber, match=name):
            read("12", id_type)
    with pytest.raises(BadNumber, match="不认识证件类型“军官证”，可填：居民身份证"):
        type_in_words("军官证")


def test_a_masked_number_is_told_apart_from_a_wrong_one() -> None:
    with pytest.raises(BadNumber, match="有“\\*”，不完整"):
        read("000000********0010")


def test_three_zeros_are_taken_from_who_read_them_from_the_document() -> None:
    assert read("411526198002020000", confirmed=True) == "411526198002020000"
    with pytest.raises(BadNumber):
        read("000000198002020000", confirmed=True)  # its check digit is wrong all the same


@seed(20261128)
@given(numbers(), noise, noise, st.sampled_from([None, "resident_id"]))
def test_cleaning_never_makes_another_person(
    number: str, before: str, after: str, id_type: str | None
) -> None:
    kept = read(f"{before}{number}{after}", id_type)
    assert kept == number
    assert read(kept, id_type) == kept


@seed(20261128)
@given(numbers(), st.integers(0, 16), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_nobody_else_s_number(number: str, place: int, digit: str) -> None:
    wrong = number[:place] + digit + number[place + 1 :]
    if wrong != number:
        with pytest.raises(BadNumber):
            read(wrong)


@seed(20261128)
@given(numbers(), st.integers(1, 6))
def test_a_number_that_lost_its_end_is_nobody_s(number: str, lost: int) -> None:
    for typed in (number[:-lost], number[:15] + "000", f"{float(number[:17] + '0')}"):
        try:
            kept = read(typed)
        except BadNumber:
            continue
        assert kept == number, typed


@seed(20261128)
@given(st.text(max_size=24), st.sampled_from([None, *ID_TYPES]), st.booleans())
def test_reading_twice_is_reading_once(text: str, id_type: str | None, confirmed: bool) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)
    try:
        kept = read(text, id_type, confirmed=confirmed)
    except BadNumber:
        return
    assert read(kept, id_type, confirmed=confirmed) == kept


@seed(20261128)
@given(days, sequences)
def test_an_old_number_is_the_person_s_new_one(born: date, sequence: int) -> None:
    if born.year < 1921 or born.year >= 2000:
        born = date(1960, 1, 1) + timedelta(days=born.toordinal() % 14_000)
    body = f"000000{born:%Y%m%d}{sequence:03}"
    if not (body + check_digit(body)).endswith("000"):
        assert read(f"000000{born:%y%m%d}{sequence:03}") == read(body + check_digit(body))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张　三", "张三"),
        ("\ufeff张三", "张三"),
        ("张三\t", "张三"),
        ("张\n三", "张三"),
        ("买买提·艾力", "买买提·艾力"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提．艾力", "买买提·艾力"),
        ("买买提 · 艾力", "买买提·艾力"),
        ("买买提。艾力", "买买提·艾力"),
        ("买买提․艾力", "买买提·艾力"),
        ("王\ue863", "王䶮"),
        ("王\ue000", "王\ue000"),
        ("⻢⼩明", "马小明"),  # radicals, as letters come out of a PDF
        ("𬭎㛃", "𬭎㛃"),
        ("张三（大）", "张三（大）"),
        ("Ａnna  Smith", "Anna Smith"),
        ("J. Smith", "J. Smith"),
        ("  ", ""),
    ],
)
def test_a_name_loses_only_what_carries_no_meaning(typed: str, kept: str) -> None:
    assert person_names.cleaned(typed) == kept


@seed(20261128)
@given(st.text(max_size=20))
def test_a_name_cleaned_is_clean(text: str) -> None:
    once = person_names.cleaned(text)
    assert person_names.cleaned(once) == once
    assert person_names.same(once, text)
