"""Chinese and English. Source strings are Chinese; a catalogue gives the English ones.

Catalogues are read as they are written (.po), so that nothing has to be compiled. To collect new
strings and merge them into the catalogues:

    pybabel extract -F app/console/babel.cfg -k say -k N_ --no-location -o console.pot app/console
    pybabel update -D console -d app/console/locale -l en -i console.pot --no-fuzzy-matching
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from app.clock import at
from app.languages import Locale, Text, locale_of, said

LOCALES = Path(__file__).parent / "locale"
_ONE = re.compile(
    r"(?<![\w.,:/-])(1) (persons|people|times|days|findings|photos|cases|rows|lessons|learners"
    r"|teachers|sittings|logins|classes|class-hours|months|minutes|records|working days)\b"
)


def N_(source: str) -> str:
    """Mark a string for the catalogue where it is defined; it is translated where it is shown."""
    return source


@dataclass(frozen=True)
class Language:
    """One language's words, and how it writes times, spans and numbers."""

    locale: Locale
    catalogue: Translations

    @property
    def code(self) -> str:
        return self.locale.code

    @property
    def tag(self) -> str:
        return self.locale.tag

    def of(self, text: Any) -> str:
        """What of a text with a field for every language is of this one."""
        return said(text, self.code)

    def say(self, source: str | Text, **values: object) -> str:
        """The string in this language, `%(name)s` filled in."""
        if isinstance(source, Text):
            text = source.in_(self.code)
        else:
            text = self.catalogue.gettext(source) if source else ""
        return self.counted(text % values) if values else text

    def counted(self, text: str) -> str:
        """A text with numbers in it, where one of a kind has its own form."""
        return _ONE.sub(_single, text) if self.code == "en" else text

    def moment(self, ms: int | None) -> str:
        """Date and time in Asia/Shanghai to the second."""
        return "–" if ms is None else f"{at(ms):%Y-%m-%d %H:%M:%S}"

    def minute(self, ms: int | None) -> str:
        """Date and time in Asia/Shanghai to the minute."""
        return "–" if ms is None else f"{at(ms):%Y-%m-%d %H:%M}"

    def clock(self, ms: int | None) -> str:
        """Time of day in Asia/Shanghai."""
        return "–" if ms is None else f"{at(ms):%H:%M:%S}"

    def span(self, ms: int) -> str:
        """A length of time in its two largest units, e.g. 2小时05分, 3分08秒, 5分钟, 45秒."""
        seconds = max(0, round(ms / 1000))
        minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
        if days >= 2:
            return self.say(N_("%(d)s天%(h)s小时"), d=days, h=hours % 24)
        if hours:
            return self.say(N_("%(h)s小时%(m)s分"), h=hours, m=f"{minutes % 60:02}")
        if minutes and seconds % 60 == 0:
            return self.say(N_("%(n)s分钟"), n=minutes)
        if minutes:
            return self.say(N_("%(m)s分%(s)s秒"), m=minutes, s=f"{seconds % 60:02}")
        return self.say(N_("%(s)s秒"), s=seconds)

    def brief(self, seconds: float) -> str:
        """A measured duration: to the hundredth below ten seconds, else as a span."""
        if seconds < 10:
            return self.say(N_("%(s)s秒"), s=f"{seconds:.2f}")
        return self.span(round(seconds * 1000))

    def age(self, ms: int) -> str:
        """How long something has waited, in its largest unit."""
        minutes = max(0, ms) // 60_000
        if minutes >= 2880:
            return self.say(N_("%(n)s天"), n=minutes // 1440)
        if minutes >= 60:
            return self.say(N_("%(n)s小时"), n=minutes // 60)
        return self.say(N_("%(n)s分钟"), n=minutes)

    def weekday(self, day: date) -> str:
        """The day of the week, short."""
        return str(format_date(day, "EEE", locale=self.code))

    def number(self, value: float) -> str:
        """A measured number, short: thousands grouped, at most two decimals."""
        return f"{value:,.2f}".rstrip("0").rstrip(".")


def _single(found: re.Match[str]) -> str:
    """English counts in two forms, and the catalogue holds the second.

    >>> _ONE.sub(_single, "1 persons, 21 classes, 1.1 days, 1 classes")
    '1 person, 21 classes, 1.1 days, 1 class'
    """
    word = "persons" if found[2] == "people" else found[2]
    return f"{found[1]} {word.removesuffix('es' if word == 'classes' else 's')}"


def position(ms: int) -> str:
    """A place in the content as a player shows it.

    >>> position(754_000), position(3_754_000)
    ('12:34', '1:02:34')
    """
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


@cache
def language(code: str) -> Language:
    """The language of that code; anything unknown is the first."""
    known = locale_of(code)
    path = LOCALES / known.folder / "LC_MESSAGES" / "console.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=known.folder)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(known, Translations(compiled, domain="console"))
