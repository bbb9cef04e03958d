"""Whose photo a file is, by its name: ID number, account, or the name of somebody in the class.

`张三.jpg`, `张三-正面.jpg`, `01 张三 (2).heic`, `张三0010.jpg`, `411526….jpg`, `zx-1a2b.jpg`, and
files of any name in a folder of such a name. Where it is not sure, nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from app.domain import id_numbers
from app.domain.catalogue import person_names
from app.languages import Text, both
from app.store.catalogue.people import EnrolledRow
from app.vault import Vault

_RESIDENT = re.compile(r"(?<![0-9])[0-9]{17}[0-9X×хХ](?![0-9A-Z])", re.I)
_WORD = re.compile(r"[0-9A-Za-z()]{5,20}")
_LAST_FOUR = re.compile(r"(?<![0-9])[0-9]{3}[0-9X](?![0-9A-Z])", re.I)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]+")
_LATIN = re.compile(r"[^A-Za-z\u00c0-\u024f]+")
_ABOUT = re.compile(
    r"(登记|照片|相片|证件照|寸照|标准照|生活照|自拍|近照|本人|正面|正脸|左侧|右侧|向左|向右|靠近|换光线|照)+$"
)
_BEFORE = re.compile(r"^(学员|姓名|登记照片?|照片)+")
_SURE_LENGTH = 4  # a shorter account may be a row's number or that of a picture


class PhotoOwners:
    """Knows the people of one class."""

    def __init__(self, vault: Vault, members: Sequence[EnrolledRow]) -> None:
        self.vault = vault
        self.by_hash = {it.id_hash: it for it in members if it.id_hash}
        self.by_account = {it.external_id.casefold(): it for it in members}
        self.by_name: dict[str, list[EnrolledRow]] = defaultdict(list)
        for it in members:
            self.by_name[person_names.key(it.name)].append(it)

    def owner(self, path: str) -> EnrolledRow | Text:
        """Whose photo it is, or why that cannot be told."""
        *folders, file = path.replace("\\", "/").split("/")
        stem = file.rpartition(".")[0] or file
        found: EnrolledRow | Text | None = self._named(stem)
        for folder in reversed(folders):
            if found is not None:
                break
            found = self._named(folder)
        if found is None:
            return Text(
                "文件名里没有花名册上的姓名、证件号码或学员编号",
                "no name, ID number or account of the roster is in the file's name",
            )
        if isinstance(found, Text) or found.ended_by is None:
            return found
        return Text(f"{found.name}已离班或转班", f"{found.name} left the class or moved")

    def _named(self, text: str) -> EnrolledRow | Text | None:
        text = unicodedata.normalize("NFKC", text)
        names = self._names(text)
        numbered = self._numbered(text, sure_only=bool(names))
        if isinstance(numbered, Text):
            return numbered
        if numbered is not None:
            if names and person_names.key(numbered.name) not in names:
                return Text(
                    f"号码是{numbered.name}的，姓名是别人的",
                    f"the number is {numbered.name}'s, the name somebody else's",
                )
            return numbered
        if len(names) > 1:
            return Text("文件名里有两个人的姓名", "two people are in the file's name")
        return self._of_name(text, *names) if names else None

    def _numbered(self, text: str, *, sure_only: bool) -> EnrolledRow | Text | None:
        found = {}
        for typed in _RESIDENT.findall(text):
            try:
                hashed = self.vault.id_number_hash(id_numbers.read(typed, confirmed=True))
            except id_numbers.BadNumber as refusal:
                return both(str(refusal))
            member = self.by_hash.get(hashed)
            if member is None:
                return Text("花名册上没有这个证件号码", "this ID number is not on the roster")
            found[member.id] = member
        for member in self._of_documents(text) + self._of_accounts(text, sure_only):
            found[member.id] = member
        if len(found) > 1:
            return Text("文件名里有两个人的号码", "numbers of two people are in the file's name")
        return next(iter(found.values()), None)

    def _of_documents(self, text: str) -> list[EnrolledRow]:
        """By passports, permits and old numbers, which are known only by being on the roster."""
        found = []
        for word in _WORD.findall(text):
            try:
                hashed = self.vault.id_number_hash(id_numbers.read(word, None))
            except id_numbers.BadNumber:
                continue
            if hashed in self.by_hash:
                found.append(self.by_hash[hashed])
        return found

    def _of_accounts(self, text: str, sure_only: bool) -> list[EnrolledRow]:
        folded = text.casefold().strip()
        whole = self.by_account.get(folded)
        if whole is not None and not (sure_only and len(folded) < _SURE_LENGTH):
            return [whole]
        there = [
            account
            for account in self.by_account
            if len(account) >= _SURE_LENGTH
            and re.search(rf"(?<![0-9a-z]){re.escape(account)}(?![0-9a-z])", folded)
        ]
        longest = [it for it in there if not any(it != o and it in o for o in there)]
        return [self.by_account[it] for it in longest]

    def _names(self, text: str) -> list[str]:
        """The names of the class that stand in a text, as keys."""
        dotted = person_names.cleaned(text)
        runs = [run for part in text.split() for run in _HAN.findall(person_names.cleaned(part))]
        runs += _HAN.findall(dotted)
        said = {*runs, "".join(_HAN.findall(text)), _LATIN.sub(" ", dotted).strip()}
        said |= {_BEFORE.sub("", _ABOUT.sub("", it)) for it in said}
        return sorted({person_names.key(it) for it in said if it} & self.by_name.keys())

    def _of_name(self, text: str, name: str) -> EnrolledRow | Text:
        members = self.by_name[name]
        if len(members) == 1:
            return members[0]
        ends = {it.upper() for it in _LAST_FOUR.findall(text)}
        told = [it for it in members if it.id_last4 in ends]
        if len(told) == 1:
            return told[0]
        return Text(
            f"班里有{len(members)}位{members[0].name}，请在文件名里加上证件号码或后四位",
            f"{len(members)} people have this name: add the ID number or its last four digits",
        )
