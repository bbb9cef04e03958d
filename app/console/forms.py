"""Forms read by the models of the API: what is wrong is told beside the field, and what was typed
is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fastapi import Depends, Request
from pydantic import ValidationError

from app.console import labels
from app.console.language import N_
from app.domain.wire import Wire
from app.errors import ZhenxueError
from app.languages import Text, both

Model = TypeVar("Model", bound=Wire)
Errors = dict[str, str | Text]
Typed = Mapping[str, str]

WHOLE = ""  # the key of what is wrong with no field in particular
YES = "yes"
_EMPTY = N_("请填写。")
_MESSAGES: Mapping[str, str] = {
    "missing": _EMPTY,
    "string_too_short": N_("太短，请写全。"),
    "string_too_long": N_("太长。"),
    "literal_error": N_("请从列出的选项中选择。"),
    "bad_date": N_("请填写日期，如2026-10-01。"),
    "date_out_of_range": N_("日期应在2000年至2099年之间。"),
    "unprintable": N_("含有看不见的控制字符，请重新填写。"),
    "no_name": N_("不能用点号作编号。"),
    "int_type": N_("请填写整数。"),
    "float_type": N_("请填写数字。"),
    "decimal_type": N_("请填写数字。"),
    "is_instance_of": N_("请填写数字。"),
    "decimal_max_places": N_("最多两位小数。"),
    "decimal_max_digits": N_("数值超出范围。"),
    "finite_number": N_("请填写数字。"),
    "greater_than": N_("数值超出范围。"),
    "greater_than_equal": N_("数值超出范围。"),
    "less_than": N_("数值超出范围。"),
    "less_than_equal": N_("数值超出范围。"),
    "too_long": N_("项数太多。"),
    "too_short": N_("至少要有一项。"),
    "ends_before_start": N_("结束日期不能早于开始日期。"),
    "bad_shape": N_("须含一个{id}，*最多三个。"),
    "teacher_twice": N_("同一教师、同一职业、同一起始日期写了两次。"),
    "bad_bank_account": N_("银行帐号应为6至32位数字。"),
    "no_courses": N_("线上或线上线下结合的班级至少要选一门课程。"),
    "duplicate_course": N_("同一门课程选了两次。"),
}
# Which field a model's own check is about, where it names none.
_ABOUT = {"ends_before_start": "ends_on", "no_courses": "course_ids"}


async def filled_in(request: Request) -> Typed:
    """The text fields of a form; of several of one name the last."""
    return {name: it for name, it in (await request.form()).items() if isinstance(it, str)}


FilledIn = Annotated[Typed, Depends(filled_in)]


def read(model: type[Model], form: Typed, more: Mapping[str, Any] | None = None) -> Model:
    """The form as the API would read it. A field that is empty is not sent; `more` are values of
    fields that the form says in its own way. Raises ValidationError."""
    said = {name: form.get(name, "").strip() for name in model.model_fields}
    values = {
        name: _value(model.model_fields[name].annotation, it) for name, it in said.items() if it
    }
    return model.model_validate({**values, **(more or {})})


def errors(error: ValidationError | ZhenxueError, parts: Collection[str] = ()) -> Errors:
    """What is wrong, by field; within one of `parts` by its name, a point, and its own field."""
    if isinstance(error, ValidationError):
        found: Errors = {}
        for it in error.errors(include_url=False, include_context=False, include_input=False):
            field = str(it["loc"][0]) if it["loc"] else _ABOUT.get(it["type"], WHOLE)
            named, _, rest = it["msg"].partition(": ")
            text = rest if rest and named.isidentifier() else it["msg"]
            if field in parts and len(it["loc"]) > 1:
                field = f"{field}.{it['loc'][1]}"
            if not it["loc"] and text == rest:
                field = named
            found.setdefault(field, message(it["type"], text))
        return found
    told = labels.PROBLEMS.get(error.code) or both(error.detail)
    fields = error.extra.get("fields") or [error.extra.get("field") or WHOLE]
    return {str(it): told for it in fields}


def message(kind: str, said: str) -> str | Text:
    """What to say of an error of that type; `said` is what the model says, if it has words."""
    return _MESSAGES.get(kind) or both(said)


def _value(annotation: Any, said: str) -> Any:
    """What a field says, in the type that the model wants; what is no number stays as typed, and
    is refused."""
    kinds = _kinds(annotation)
    if bool in kinds:
        return said == YES
    try:
        if int in kinds:
            return int(said) if len(said) < 19 else said
        if float in kinds:
            return float(said)
        if Decimal in kinds:
            return Decimal(said)
    except (ValueError, InvalidOperation):
        return said
    return said


def _kinds(annotation: Any) -> set[Any]:
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    parts = [it for it in get_args(annotation) if it is not NoneType]
    return {kind for it in parts for kind in _kinds(it)} if parts else {annotation}
