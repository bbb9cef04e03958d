"""What is wrong with a pack, in Chinese: `pack check` says it in English."""

from __future__ import annotations

import re

from app.console import readable
from app.console.language import N_, Language

_NEAREST = re.compile(r"^(?P<what>.*?): did you mean (?P<name>\S+)\?$")
_SAID = (
    (r"(?P<at>.+?): no such name", N_("%(at)s：没有这个名称")),
    (r"(?P<at>.+?): nothing reads it", N_("%(at)s：本产品没有读取这个参数的地方")),
    (r"(?P<at>.+?): no such detector", N_("%(at)s：没有这条规则的检测器")),
    (r"(?P<at>.+?): no such check of a \w+", N_("%(at)s：没有这项检查")),
    (r"(?P<at>.+?): must be told in (?P<unit>.+)", N_("%(at)s：单位应为%(unit)s")),
    (r"(?P<at>.+?): must be (?P<unit>.+)", N_("%(at)s：应为%(unit)s")),
    (r"(?P<at>.+?): no clause '(?P<unit>.+)'", N_("没有条款%(unit)s")),
    (r"(?P<at>.+?): not in (?P<unit>\S+/\S+)", N_("%(at)s：引文不在条款%(unit)s的原文里")),
    (
        r"(?P<at>.+?): no clause of '(?P<unit>.+)' is cited",
        N_("%(at)s：没有引用依据文件%(unit)s的任何条款"),
    ),
    (
        r'(?P<at>.+?): source = "quoted" needs clause and quote',
        N_("%(at)s：注明引自规定的，须填条款和引文"),
    ),
    (
        r'(?P<at>.+?): source = "default" takes neither clause nor quote',
        N_("%(at)s：产品默认值不填条款和引文"),
    ),
    (r"(?P<at>.+?): missing", N_("%(at)s：缺少")),
    (r"(?P<at>.+?): Field required", N_("%(at)s：缺少")),
    (r"(?P<at>.+?): Extra inputs are not permitted", N_("%(at)s：没有这个名称")),
    (r"(?P<at>.+?): no such file", N_("没有所依据的规则包文件：%(at)s")),
    (
        r"(?P<at>.+?): id and version inside say (?P<unit>.+)",
        N_("文中的编号、版本（%(unit)s）与草稿的不同"),
    ),
    (r"(?P<at>.+?): stands in two folders.*", N_("%(at)s：已存在于另一个文件夹，请换编号")),
    (
        r"(?P<at>\S+\.toml): (?P<unit>.*\(at (?:line|end).*)",
        N_("%(at)s不是正确的TOML文本：%(unit)s"),
    ),
)


def told(line: str, lang: Language) -> str:
    """A line of `pack check` in the reader's language; as it is where it has no other words.

    >>> from app.console.language import language
    >>> told("x@1.0.0.toml: rules.popup_gap.parameters.max_gap: nothing reads it", language("zh"))
    'rules.popup_gap.parameters.max_gap：本产品没有读取这个参数的地方'
    """
    plain = re.sub(r"^\S+@[\d.]+\.toml: (?!.*\(at )", "", line)
    near = _NEAREST.match(plain)
    what = near["what"] if near else plain
    for pattern, words in _SAID:
        found = re.fullmatch(pattern, what)
        if found:
            parts = found.groupdict()
            if parts.get("unit") and "must be" in what:
                parts["unit"] = _in_words(parts["unit"], lang)
            said = lang.say(words, **parts)
            return said + (lang.say(N_("，是否应为%(name)s？"), name=near["name"]) if near else "")
    return plain


def _in_words(codes: str, lang: Language) -> str:
    """Each code of a list beside the word that people read for it.

    >>> from app.console.language import language
    >>> _in_words("automatic, none", language("zh"))
    'automatic（直接可补）, none（不得补课）'
    """
    words = ((it, readable.value(it, lang)) for it in codes.split(", "))
    return ", ".join(code if code == word else f"{code}（{word}）" for code, word in words)
