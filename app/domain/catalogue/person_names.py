"""Names of persons as they are typed: cleaned without loss, and compared."""

from __future__ import annotations

import re
import unicodedata

_DOTS = dict.fromkeys(map(ord, "•・･‧∙⋅●᛫ꞏ⸱◦⦁․"), "·")
# Letters copied out of a PDF are often radicals that look the same (⻢, ⼩): of the first block
# Unicode tells the letter, of the second these are the ones in use.
_RADICALS = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_RADICALS |= dict(
    zip(
        map(ord, "⺟⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳"),
        "母民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
        strict=True,
    )
)
# Letters that Chinese systems had before Unicode did (䶮): each stands where GB 18030 had put it.
_BEFORE_UNICODE = {
    0xE815 + place: bytes((0xFE, low)).decode("gb18030")
    for place, low in enumerate((*range(0x50, 0x7F), *range(0x80, 0xA1)))
}
_WIDE = {code: code - 0xFEE0 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_AS_MEANT = _WIDE | _DOTS | _RADICALS | _BEFORE_UNICODE
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs that show nothing
_FORMS = re.compile(
    "[\ufe00-\ufe0f]|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


def cleaned(text: str) -> str:
    """The name without what carries no meaning: invisible signs, spaces that only pad Chinese
    characters, and with the one dot (U+00B7) of names that have a dot.

    >>> cleaned(" 张　三\\t"), cleaned("买买提•艾力"), cleaned("Anna  Smith")
    ('张三', '买买提·艾力', 'Anna Smith')
    """
    text = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in _BLANKS)
    text = _FORMS.sub("", text)
    words = text.translate(_AS_MEANT).split()
    name = ""
    for word in words:
        padded = name and not (_latin(name[-1]) and _latin(word[0]))
        name += word if padded or not name else f" {word}"
    return re.sub(r"(?<=[^\x00-\u024f])[.．。﹒](?=[^\x00-\u024f])", "·", name)


def private(name: str) -> bool:
    """Whether a letter of it is some system's own, which shows elsewhere as a box, or as another.

    >>> private("王\ue863"), private(cleaned("王\ue863"))
    (True, False)
    """
    return any(unicodedata.category(c) == "Co" for c in name)


def printable(text: str) -> bool:
    """Whether a name holds no control characters; spaces and line ends are cleaned away."""
    return not _CONTROL.search(text)


def same(one: str, other: str) -> bool:
    """Whether two ways to write are one name.

    >>> same("张　三", "张三"), same("anna smith", "Anna Smith"), same("张三", "张四")
    (True, True, False)
    """
    return key(one) == key(other)


def key(name: str) -> str:
    """What all ways to write a name have in common.

    >>> key("张三（大）") == key("张 三(大)")
    True
    """
    return unicodedata.normalize("NFKC", cleaned(name)).casefold()


def _latin(char: str) -> bool:
    return char <= "\u024f" and char != "·"
