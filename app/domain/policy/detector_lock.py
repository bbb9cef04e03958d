"""The lock of detectors: a rule whose code changed cannot keep the version that verdicts name, nor
can the engine that makes conclusions of what rules find.

`detectors.lock` lies beside `packs.lock`. A line holds the version of a rule or of the engine, the
digest of the code that it decides by, and the release it first ships in. A version is frozen once
that release is out, which is when `app.__version__` has gone on; until then its line may be
renewed.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import app
import detectors
from app.domain.policy.pack_lock import LockProblem
from app.domain.policy.pack_schema import PackError, read_toml
from app.rules import UNWRITTEN
from detectors import registry
from detectors.policy import LATER
from detectors.registry import Detector

LOCK = "detectors.lock"
ENGINE = "engine"  # the line of all that is no rule
_ENGINE_ROOTS = (  # what the judging calls
    ("assess", "assess"),
    ("assess", "concerned"),
    ("batch_checks", "check_class"),
    ("batch_checks", "check_learner"),
    ("class_hours", "as_reported"),
    ("eligibility", "deadlines"),
    ("eligibility", "judge_class"),
    ("eligibility", "judge_enrolment"),
    ("eligibility", "reach_of"),
)
_RULES_MODULE = "registry"  # beyond it lie the rules, each with a line of its own
SOURCES = Path(detectors.__file__).parent

_HEADER = """\
# Version of every rule and of the engine, digest of the code each decides by, and the release that
# it first ships in.
# Written by `zhenxue pack check --publish`. A line of an earlier release never changes: to change
# what a rule finds, raise its version in detectors/registry.py.
"""
_LINE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LockedRule:
    """A rule, or the engine, as it was locked."""

    version: str
    digest: str
    release: str


def check(
    folder: Path,
    sources: Path = SOURCES,
    release: str = app.__version__,
    rules: Sequence[Detector] = registry.ALL,
    engine: str = registry.ENGINE_VERSION,
) -> list[LockProblem]:
    """What is wrong with the detectors in `sources` against the lock in `folder`.

    `changed_rule`: other code under a version that is locked. A version or a rule that is not
    locked yet is free. `unwritten_rule`: it still says what `zhenxue rule new` laid.
    """
    found, known = _unwritten(folder, sources), _Sources(sources)
    locked = read_lock(folder)
    for it in _current(rules, engine, known):
        line = locked.get(it.name)
        if line is None or line.version != it.version or line.digest == it.digest():
            continue
        name = f"{it.name} version {it.version}"
        if line.release == release:
            detail = (
                f"the code of {name} changed, which release {release} will be the first to have: "
                "`zhenxue pack check --publish` renews its line"
            )
        else:
            detail = (
                f"{name} was released in {line.release} and its code, or what it calls in "
                "detectors/, changed: verdicts name that version, so raise it in "
                "detectors/registry.py, then `zhenxue pack check --publish`"
            )
        found.append(LockProblem("changed_rule", it.name, detail))
    return found


def publish(
    folder: Path,
    sources: Path = SOURCES,
    release: str = app.__version__,
    rules: Sequence[Detector] = registry.ALL,
    engine: str = registry.ENGINE_VERSION,
) -> list[str]:
    """Write the lines of versions that no earlier release had; `<name> version <version>` of each
    that is new or renewed. What was released stays as it is.

    PackError, and nothing written, where a rule's words are not written yet.
    """
    unwritten = _unwritten(folder, sources)
    if unwritten:
        raise PackError(*(it.detail for it in unwritten))
    locked, written, known = read_lock(folder), list[str](), _Sources(sources)
    lines = dict(locked)
    for it in _current(rules, engine, known):
        old = locked.get(it.name)
        if old and old.version == it.version and old.release != release:
            continue
        new = LockedRule(it.version, it.digest(), release)
        if new != old:
            lines[it.name] = new
            written.append(f"{it.name} version {it.version}")
    if written:
        text = "".join(
            f'{rule} = {{ version = "{it.version}", release = "{it.release}", '
            f'digest = "{it.digest}" }}\n'
            for rule, it in sorted(lines.items())
        )
        (folder / LOCK).write_text(_HEADER + text, "utf-8")
    return written


def _unwritten(folder: Path, sources: Path) -> list[LockProblem]:
    return [
        LockProblem("unwritten_rule", path.stem, f"{path.name}: write what stands as {UNWRITTEN}")
        for path in (*sorted(sources.glob("*.toml")), *sorted(folder.glob("*.toml")))
        if UNWRITTEN in path.read_text("utf-8")
    ]


def read_lock(folder: Path) -> dict[str, LockedRule]:
    """The line of every locked rule; empty without a lock file. Raises PackError."""
    path = folder / LOCK
    if not path.exists():
        return {}
    lines = {}
    for rule, told in read_toml(path, LOCK).items():
        try:
            lines[rule] = LockedRule(**{name: str(it) for name, it in told.items()})
        except (TypeError, AttributeError):
            raise PackError(f"{LOCK}: {rule}: must have version, release and digest") from None
        if not _LINE.fullmatch(lines[rule].digest):
            raise PackError(f"{LOCK}: {rule}: must be the 64 hex digits of a sha256")
    return lines


def digest_of(detector: Detector, sources: Path = SOURCES) -> str:
    """sha256 over all that a rule decides by: its function, the facts it is given, and every
    definition of `detectors/` that these reach, without comments, docstrings and layout."""
    return _digest(detector, _Sources(sources))


def _digest(detector: Detector, sources: _Sources) -> str:
    texts = sources.reached((detector.rule, detector.detect.__name__), ("facts", "facts"))
    own = LATER.get(detector.rule, {})
    return _sha256(
        [
            f"crowd {detector.crowd}",
            *(f"default {name} {value!r}" for name, value in sorted(own.items())),
        ],
        texts,
    )


def engine_digest(sources: Path = SOURCES) -> str:
    """sha256 over what judges a trace and concludes, as far as it is reached without a rule: a
    change of it changes verdicts under every rule's old version."""
    return _engine_digest(_Sources(sources))


def _engine_digest(sources: _Sources) -> str:
    return _sha256([], sources.reached(*_ENGINE_ROOTS, without=_RULES_MODULE))


def _sha256(settings: list[str], texts: dict[tuple[str, str], str]) -> str:
    parts = (f"{module}.{name}\n{text}" for (module, name), text in sorted(texts.items()))
    return hashlib.sha256("\n\n".join([*settings, *parts]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Current:
    """A rule or the engine as the sources have it; the digest costs a while."""

    name: str
    version: str
    digest: Callable[[], str]


def _current(rules: Sequence[Detector], engine: str, known: _Sources) -> Iterator[_Current]:
    for it in rules:
        yield _Current(it.rule, it.version, partial(_digest, it, known))
    yield _Current(ENGINE, engine, partial(_engine_digest, known))


@dataclass(frozen=True, slots=True)
class _Part:
    """A definition, or the methods of one name: its text, and what that names."""

    text: str
    names: frozenset[str]
    attributes: frozenset[str]

    @classmethod
    def of(cls, *statements: ast.stmt) -> _Part:
        inside = [it for one in statements for it in ast.walk(one)]
        return cls(
            "\n".join(map(ast.unparse, statements)),
            frozenset(it.id for it in inside if isinstance(it, ast.Name)),
            frozenset(it.attr for it in inside if isinstance(it, ast.Attribute)),
        )


class _Sources:
    """Definitions of the modules of a folder, by (module, name)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[str, _Module] = {}

    def reached(
        self, *roots: tuple[str, str], without: str | None = None
    ) -> dict[tuple[str, str], str]:
        """The text of all that these definitions lead to, save what lies in the module `without`.
        Of a class they reach its methods by name; what comes from elsewhere stands as where it is
        from."""
        texts: dict[tuple[str, str], str] = {}
        methods: dict[tuple[str, str], _Part] = {}
        attributes: set[str] = set()
        waiting = list(roots)
        while waiting:
            key = waiting.pop()
            if key not in texts:
                text, leads_to, called = self._definition(*key, methods)
                texts[key] = text
                waiting += [it for it in leads_to if it[0] != without]
                attributes |= called
            if not waiting:
                for key in [it for it in methods if it[1].rpartition(".")[2] in attributes]:
                    part = methods.pop(key)
                    texts[key] = part.text
                    waiting += [(key[0], name) for name in part.names]
                    attributes |= part.attributes
        return {key: text for key, text in texts.items() if text}

    def _definition(
        self, module: str, name: str, methods: dict[tuple[str, str], _Part]
    ) -> tuple[str, list[tuple[str, str]], frozenset[str]]:
        """(text, what it leads to, attributes that it names); methods are put aside."""
        it, none = self._module(module), frozenset[str]()
        if name in it.imports:
            origin, original = it.imports[name]
            ours = self._is_ours(origin)
            text = f"from {origin} import {original}"
            return text, [(origin, original)] if ours else [], none
        if name in it.whole:
            other = it.whole[name]
            if not self._is_ours(other):
                return f"from detectors import {other}", [], none
            return f"import {other}", [(other, one) for one in self._module(other).parts], none
        if name not in it.parts:
            return "", [], none  # a name of its own function, or of Python
        for method, part in it.methods.get(name, {}).items():
            methods[module, f"{name}.{method}"] = part
        part = it.parts[name]
        return part.text, [(module, one) for one in part.names], part.attributes

    def _module(self, name: str) -> _Module:
        if name not in self.modules:
            self.modules[name] = _module_of((self.folder / f"{name}.py").read_text("utf-8"))
        return self.modules[name]

    def _is_ours(self, name: str) -> bool:
        return (self.folder / f"{name}.py").is_file()


class _Module:
    """What stands at the top of a module: definitions, and what is imported under which name."""

    def __init__(self, tree: ast.Module) -> None:
        self.methods: dict[str, dict[str, _Part]] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        self.whole: dict[str, str] = {}  # what may be modules of the folder
        found: dict[str, list[ast.stmt]] = {}
        for it in tree.body:
            if isinstance(it, ast.ImportFrom):
                origin = (it.module or "").removeprefix("detectors.")
                for alias in it.names:
                    known = alias.asname or alias.name
                    if origin == "detectors":
                        self.whole[known] = alias.name
                    else:
                        self.imports[known] = (origin, alias.name)
            elif isinstance(it, ast.Import):
                for alias in it.names:
                    self.imports[alias.asname or alias.name] = (alias.name, "")
            else:
                if isinstance(it, ast.ClassDef):
                    self.methods[it.name] = _taken_out(it)
                for name in _defined(it):
                    found.setdefault(name, []).append(it)
        self.parts = {name: _Part.of(*its) for name, its in found.items()}


@lru_cache(maxsize=256)  # checking and publishing read the same files
def _module_of(text: str) -> _Module:
    return _Module(_without_docstrings(ast.parse(text)))


def _taken_out(it: ast.ClassDef) -> dict[str, _Part]:
    """The methods that are called by name, taken out of the class."""
    named: dict[str, list[ast.stmt]] = {}
    for one in it.body:
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("__"):
            named.setdefault(one.name, []).append(one)
    taken = [one for its in named.values() for one in its]
    it.body = [one for one in it.body if one not in taken] or [ast.Pass()]
    return {name: _Part.of(*its) for name, its in named.items()}


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for it in ast.walk(statement):
        if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Store):
            yield it.id


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for it in ast.walk(tree):
        if isinstance(it, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(it):
            it.body = it.body[1:] or [ast.Pass()]
    return tree
