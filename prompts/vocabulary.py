"""The anatomy vocabulary: what organs are called, what they are part of, and where a text mentions them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

ORGANS_FILE = Path(__file__).with_name("organs.yaml")

Side = Literal["left", "right"]
Kind = Literal["term", "adjective", "finding"]
_KINDS: tuple[Kind, ...] = ("term", "adjective", "finding")
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

# A prefix and its word are one token, so that "para-aortic" is never read as "aortic".
_HYPHENS = frozenset("-\u2010\u2011")
# fmt: off
_LOOSE_PREFIXES = frozenset([
    "para", "peri", "retro", "supra", "infra", "intra", "extra", "inter", "juxta", "sub", "pre", "epi",
])
_PREFIXES = _LOOSE_PREFIXES | frozenset([
    "post", "non", "trans", "ante", "endo", "hemi", "bi", "uni", "ipsi", "contra", "micro", "aorto", "atrio",
    "auriculo", "broncho", "cardio", "cervico", "chole", "choledocho", "costo", "cranio", "duodeno", "entero",
    "fronto", "gastro", "genito", "hepato", "hydro", "ileo", "ilio", "inguino", "ischio", "jejuno", "laryngo",
    "lumbo", "maxillo", "mediastino", "naso", "neuro", "occipito", "oro", "osteo", "pancreatico", "parieto",
    "pelvi", "pneumo", "porto", "pyelo", "recto", "reno", "sacro", "spleno", "sterno", "temporo", "thoraco",
    "thyro", "tracheo", "uretero", "utero", "vaso", "ventriculo", "vertebro", "vesico",
])
# fmt: on
_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of one term: no punctuation that ends a phrase, and no empty line.
_GAP = re.compile(r"[ \t\-\u2010-\u2015/'\u2019]*(?:\r?\n)?[ \t\-\u2010-\u2015/'\u2019]*")
_CHOICE = re.compile(r"\(([^()]*)\)")

_SPELLINGS = [
    (re.compile(american, re.IGNORECASE), british)
    for american, british in [
        (r"(?<!o)esophag", "oesophag"),
        (r"cec(?=um|al)", "caec"),
        (r"celiac", "coeliac"),
        (r"\bdisc\b", "disk"),
        (r"gray", "grey"),
        (r"(?<!c)hem(?=o|at)", "haem"),
        (r"(?<!o)edema", "oedema"),
    ]
]
_PLURALS = [
    (re.compile(singular + "$"), plurals)
    for singular, plurals in [
        ("femur", ("femora", "femurs")),
        ("corpus", ("corpora",)),
        ("foramen", ("foramina", "foramens")),
        ("phalanx", ("phalanges",)),
        ("calyx", ("calyces",)),
        ("apex", ("apices",)),
        ("(t?)ooth", (r"\1eeth",)),
        ("foot", ("feet",)),
        ("us", ("i", "uses")),
        ("is", ("es",)),
        ("um", ("a", "ums")),
        ("a", ("ae", "as")),
        ("(s|x|ch|sh)", (r"\1es",)),
        ("([^aeiou])y", (r"\1ies",)),
        ("([^s])", (r"\1s",)),
    ]
]
_SIDE_WORDS: dict[Side, tuple[str, ...]] = {
    "left": ("left", "lt", "l", "left sided"),
    "right": ("right", "rt", "r", "right sided"),
}
_BOTH_WORDS = ("both", "bilateral", "left and right", "right and left", "right left", "left right")


class VocabularyError(ValueError):
    """A vocabulary file that cannot be used; the message names the file, the entry and what is wrong with it."""


class _Entry(BaseModel):
    """One entry of the YAML file. The file's header says what each key means."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    parents: list[_Text] = []
    side: Side | None = None
    sides: Annotated[list[_Text], Field(min_length=2, max_length=2)] | None = None
    region: bool = False
    totalsegmentator: list[_Text] = []
    totalsegmentator_v1: list[_Text] | None = None
    snomed: Annotated[str, StringConstraints(pattern=r"^\d{6,18}$")] | None = None
    terms: list[_Text] = []
    adjectives: list[_Text] = []
    findings: list[_Text] = []
    built_from: dict[_Text, list[_Text]] = Field(default={}, alias="from")


_FILE = TypeAdapter(dict[_Text, _Entry])


@dataclass(frozen=True, slots=True)
class Organ:
    """One organ, structure, region, group or device.

    ``totalsegmentator`` and ``totalsegmentator_v1`` are the classes that are this organ itself, not its parts.
    ``terms`` are nouns, the canonical name first; ``adjectives`` stand before another noun ("renal cyst");
    ``findings`` name the organ and what it has in one word ("hepatomegaly"). ``sides`` is (left, right), on a group.
    ``region`` marks a place or scope ("upper abdomen", "perihepatic space") rather than an organ.
    """

    name: str
    totalsegmentator: tuple[str, ...]
    totalsegmentator_v1: tuple[str, ...]
    snomed: str | None
    parents: tuple[str, ...]
    terms: tuple[str, ...]
    adjectives: tuple[str, ...]
    findings: tuple[str, ...]
    side: Side | None
    sides: tuple[str, str] | None
    region: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage ``text[start:end]`` that names one organ, or several at once ("thoracolumbar spine")."""

    start: int
    end: int
    names: tuple[str, ...]
    adjective: bool
    text: str
    finding: bool = False


class _Hit(NamedTuple):
    names: tuple[str, ...]
    kind: Kind
    side_behind: bool


class Vocabulary:
    """All organs by canonical name, and the matcher over everything they are called."""

    def __init__(
        self, organs: Mapping[str, Organ], table: Mapping[str, _Hit | None], classes: Mapping[str, str]
    ) -> None:
        self.organs = organs
        # Every term as its tokens joined by spaces; a beginning that is no term itself stands there with None.
        self._table = table
        self._classes = classes

    def resolve(self, name: str) -> str | None:
        """Give the canonical name for a name, synonym, adjective or TotalSegmentator class; None if it is unknown.

        A term that names several organs at once resolves to none of them.
        """
        if organ := self._classes.get(name.strip().lower()):
            return organ
        hit = self._table.get(_key(name))
        if not hit or len(hit.names) > 1:
            return None
        return hit.names[0] if hit.kind != "finding" or _key(hit.names[0]) == _key(name) else None

    def find(self, text: str, *, findings: bool = False) -> list[Mention]:
        """Find all mentions, leftmost and longest first, none overlapping.

        With ``findings`` also words that name the organ together with what it has ("splenomegaly", "mediastinal
        lymphadenopathy"); those mentions say more than the organ's name, so a caller must not treat them as a synonym.
        """
        words = _words(text)
        mentions: list[Mention] = []
        index = 0
        while index < len(words):
            if words[index][0] in self._table and (found := self._longest(text, words, index, findings)):
                hit, after = found
                start, end = words[index][1], words[after - 1][2]
                mentions.append(
                    Mention(start, end, hit.names, hit.kind == "adjective", text[start:end], hit.kind == "finding")
                )
                index = after
            else:
                index += 1
        return mentions

    def _longest(
        self, text: str, words: list[tuple[str, int, int]], index: int, findings: bool
    ) -> tuple[_Hit, int] | None:
        """Follow the terms that begin at ``words[index]``; give the longest and the index behind it."""
        key, after, best = words[index][0], index + 1, None
        while True:
            hit = self._table[key]
            asked = hit and (findings or hit.kind != "finding")
            if hit and asked and not (hit.side_behind and self._opens(text, words, after)):
                best = hit, after
            if after == len(words) or not _joined(text, words, after):
                return best
            key = f"{key} {words[after][0]}"
            if key not in self._table:
                return best
            after += 1

    def _opens(self, text: str, words: list[tuple[str, int, int]], after: int) -> bool:
        """Tell whether the side word before ``after`` begins a term of its own ("lung: right upper lobe")."""
        joined = after < len(words) and _joined(text, words, after)
        return joined and f"{words[after - 1][0]} {words[after][0]}" in self._table

    def terms_of(self, name: str) -> tuple[str, ...]:
        """All nouns for an organ, its canonical name first. KeyError for an unknown name."""
        return self.organs[name].terms

    def sided(self, name: str) -> tuple[str, str] | None:
        """Give the (left, right) names of a group such as ``kidneys``, or None. KeyError for an unknown name."""
        return self.organs[name].sides

    def ancestors(self, name: str) -> frozenset[str]:
        """All that the organ is part of, itself left out. KeyError for an unknown name."""
        return self._ancestors[name]

    def descendants(self, name: str) -> frozenset[str]:
        """All that is part of the organ, itself left out. KeyError for an unknown name."""
        return self._descendants[name]

    def related(self, a: str, b: str) -> bool:
        """Tell whether two organs are the same, or one is part of the other."""
        return a == b or a in self._ancestors[b] or b in self._ancestors[a]

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        return _closure({name: organ.parents for name, organ in self.organs.items()})

    @cached_property
    def _descendants(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {name: set() for name in self.organs}
        for name, ancestors in self._ancestors.items():
            for ancestor in ancestors:
                found[ancestor].add(name)
        return {name: frozenset(names) for name, names in found.items()}


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Load and check a vocabulary file, by default the one shipped here (loaded once).

    Raises VocabularyError where the file cannot be read or an entry is wrong.
    """
    return _default() if path is None else _load(path)


@lru_cache(maxsize=1)
def _default() -> Vocabulary:
    return _load(ORGANS_FILE)


def _load(path: Path) -> Vocabulary:
    try:
        entries = _read(path)
        _check(entries)
        words = _Words(entries)
        organs = {name: _organ(name, entry, words) for name, entry in entries.items()}
        return Vocabulary(organs, _tabulate(entries, words), _classes(organs))
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error.__cause__


def _read(path: Path) -> dict[str, _Entry]:
    """Parse the file. A key that stands twice would be lost in silence, so it is an error."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open("rb") as stream:
            reader = loader(stream)
            root = reader.get_single_node()
            names = [key.value for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
            if twice := {name for name in names if names.count(name) > 1}:
                raise VocabularyError(f"{min(twice)}: stands twice")
            return _FILE.validate_python(reader.construct_document(root) if root else None)
    except OSError as error:
        raise VocabularyError(f"cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise VocabularyError(f"is not YAML ({' '.join(str(error).split())})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ": ".join(str(part) for part in problem["loc"]) or "file"
        raise VocabularyError(f"{place}: {problem['msg']}") from error


def _check(entries: Mapping[str, _Entry]) -> None:
    """Check what one entry says about others: parents exist, no cycles, sides and their group agree."""
    for name, entry in entries.items():
        for other in (*entry.parents, *(entry.sides or ()), *entry.built_from):
            if other not in entries:
                raise VocabularyError(f"{name}: unknown entry {other!r}")
        for side, other in zip(_SIDE_WORDS, entry.sides or (), strict=False):
            if entries[other].side != side or name not in entries[other].parents:
                raise VocabularyError(f"{name}: {other!r} must have side: {side} and the parent {name!r}")
    _closure({name: entry.parents for name, entry in entries.items()})


def _closure(parents: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Give all ancestors of each name. Raises VocabularyError where a name is its own ancestor."""
    done: dict[str, frozenset[str]] = {}

    def climb(name: str, path: tuple[str, ...]) -> frozenset[str]:
        if name in path:
            raise VocabularyError(f"{name}: is its own ancestor ({' > '.join((*path[path.index(name) :], name))})")
        if name not in done:
            above = [climb(parent, (*path, name)) | {parent} for parent in parents[name]]
            done[name] = frozenset().union(*above)
        return done[name]

    for name in parents:
        climb(name, ())
    return done


def _words(text: str) -> list[tuple[str, int, int]]:
    """Split into lower-case tokens with their spans; prefixes are joined to the word behind them."""
    words: list[tuple[str, int, int]] = []
    prefix = ""
    begin = 0
    for match in _WORD.finditer(text):
        word, start, end = match[0].lower(), *match.span()
        if prefix:
            word, start = prefix + word, begin
        if match[0].lower() in _PREFIXES and _binds(text, match[0].lower(), end):
            prefix, begin = word, start
        else:
            words.append((word, start, end))
            prefix = ""
    return words


def _binds(text: str, prefix: str, end: int) -> bool:
    """Tell whether a prefix that ends at ``end`` belongs to the next word ("para-aortic", but not "pre and post")."""
    if not text[end + 1 : end + 2].isalpha():
        return False
    if text[end] in _HYPHENS:
        return True
    return text[end] == " " and prefix in _LOOSE_PREFIXES and not text.startswith(("and ", "or ", "to "), end + 1)


def _joined(text: str, words: list[tuple[str, int, int]], index: int) -> bool:
    """Tell whether nothing that ends a phrase stands before the word at ``index``."""
    gap = text[words[index - 1][2] : words[index][1]]
    return gap == " " or _GAP.fullmatch(gap) is not None


def _key(text: str) -> str:
    return " ".join(word for word, _, _ in _words(text))


class _Form(NamedTuple):
    text: str
    kind: Kind
    own: bool  # written in the entry itself, not built from another entry


class _Words:
    """What each entry is called: its own words, those built from other entries, and those of its group with a side."""

    def __init__(self, entries: Mapping[str, _Entry]) -> None:
        self._entries = entries
        self._groups = {side: name for name, entry in entries.items() for side in entry.sides or ()}
        self._forms: dict[str, list[_Form]] = {}
        self.shared: dict[str, set[str]] = {}  # key of a term written "+term" → the entries it stands in

    def forms(self, name: str, path: tuple[str, ...] = ()) -> list[_Form]:
        """Give all that an organ is properly called, canonical name first, each form once."""
        if name in path:
            raise VocabularyError(f"{name}: 'from' goes in a circle ({' > '.join((*path, name))})")
        if name not in self._forms:
            found = [*self._own(name), *self._built(name, (*path, name)), *self._sided(name, (*path, name))]
            self._forms[name] = list({(form.text, form.kind): form for form in reversed(found)}.values())[::-1]
        return self._forms[name]

    def _own(self, name: str) -> Iterator[_Form]:
        entry = self._entries[name]
        yield _Form(name, "finding" if name in entry.findings else "term", True)
        written: list[tuple[Kind, list[str]]] = [
            ("term", entry.terms), ("adjective", entry.adjectives), ("finding", entry.findings),
        ]  # fmt: skip
        for kind, patterns in written:
            for text in (text for pattern in patterns for text in _choices(name, pattern)):
                if text.startswith("+"):
                    self.shared.setdefault(_key(text), set()).add(name)
                yield _Form(text.lstrip("+"), kind, True)

    def _built(self, name: str, path: tuple[str, ...]) -> Iterator[_Form]:
        for other, patterns in self._entries[name].built_from.items():
            for text in (text for pattern in patterns for text in _choices(name, pattern)):
                if "$" not in text:
                    raise VocabularyError(f"{name}: {text!r} under 'from' has no $ for the words of {other!r}")
                for form in self.forms(other, path):
                    yield _Form(text.replace("$", form.text), form.kind, False)

    def _sided(self, name: str, path: tuple[str, ...]) -> Iterator[_Form]:
        if group := self._groups.get(name):
            forms = self.forms(group, path)
            plurals = {plural for form in forms for plural in _plurals(form.text)}
            for form in forms:
                if form.text not in plurals:
                    yield _Form(f"{self._entries[name].side} {form.text}", form.kind, False)

    def variants(self, name: str) -> Iterator[tuple[str, Kind, bool]]:
        """Give the forms that are only matched: plurals, British spellings, sides elsewhere; True: side last."""
        entry = self._entries[name]
        for form in self.forms(name):
            for text in _inflected(form):
                yield text, form.kind, False
                if entry.sides:
                    yield from ((f"{both} {text}", form.kind, False) for both in _BOTH_WORDS)
        if (group := self._groups.get(name)) and entry.side:
            for form in self.forms(group):
                for text in _inflected(form):
                    yield from ((f"{word} {text}", form.kind, False) for word in _SIDE_WORDS[entry.side])
                    if form.kind == "term":
                        first, *rest = text.split()
                        for cut in range(len(rest)):
                            yield " ".join([first, *rest[:cut], entry.side, *rest[cut:]]), "term", False
                        yield f"{text} {entry.side}", "term", True


def _choices(name: str, pattern: str) -> list[str]:
    """Write out a pattern: "(upper|superior) lobe (of the|) lung" stands for four terms."""
    parts = [part.split("|") if index % 2 else [part] for index, part in enumerate(_CHOICE.split(pattern))]
    texts = [" ".join("".join(choice).split()) for choice in product(*parts)]
    if any(not _WORD.search(text) or "(" in text or ")" in text or "|" in text for text in texts):
        raise VocabularyError(f"{name}: cannot read the term {pattern!r}")
    return texts


def _plurals(text: str) -> list[str]:
    """Give the plurals of the last word. Some are no words ("livers" never occurs): they cost nothing."""
    for ending, plurals in _PLURALS:
        if ending.search(text):
            return [ending.sub(plural, text) for plural in plurals]
    return []


def _inflected(form: _Form) -> list[str]:
    texts = [form.text] if form.kind == "adjective" else [form.text, *_plurals(form.text)]
    for spelling, british in _SPELLINGS:
        texts += [spelling.sub(british, text) for text in texts if spelling.search(text)]
    return texts


def _organ(name: str, entry: _Entry, words: _Words) -> Organ:
    v1 = entry.totalsegmentator if entry.totalsegmentator_v1 is None else entry.totalsegmentator_v1
    called = {kind: tuple(form.text for form in words.forms(name) if form.kind == kind) for kind in _KINDS}
    return Organ(
        name=name,
        totalsegmentator=tuple(entry.totalsegmentator),
        totalsegmentator_v1=tuple(v1),
        snomed=entry.snomed,
        parents=tuple(entry.parents),
        terms=called["term"],
        adjectives=called["adjective"],
        findings=called["finding"],
        side=entry.side,
        sides=(entry.sides[0], entry.sides[1]) if entry.sides else None,
        region=entry.region,
    )


def _classes(organs: Mapping[str, Organ]) -> dict[str, str]:
    """Map each TotalSegmentator class of either version to its organ."""
    classes: dict[str, str] = {}
    for name, organ in organs.items():
        for label in {*organ.totalsegmentator, *organ.totalsegmentator_v1}:
            if (other := classes.setdefault(label.lower(), name)) != name:
                raise VocabularyError(f"{name}: TotalSegmentator class {label!r} also stands in {other!r}")
    return classes


def _tabulate(entries: Mapping[str, _Entry], words: _Words) -> dict[str, _Hit | None]:
    """Lay all terms into one table. A written term wins over a built one, a built one over a variant."""
    table: dict[str, _Hit] = {}
    rank: dict[str, int] = {}

    def put(text: str, kind: Kind, level: int, name: str, side_behind: bool = False) -> None:
        key = _key(text)
        old = table.get(key)
        if old is None or (name in old.names and level < rank[key]):
            table[key], rank[key] = _Hit((name,), kind, side_behind), level
        elif name not in old.names and level == rank[key]:
            if name not in words.shared.get(key, ()) or not words.shared[key].issuperset(old.names):
                raise VocabularyError(f"{name}: {text!r} is also a term of {old.names[0]!r}")
            table[key] = old._replace(names=(*old.names, name))

    for level, own in ((0, True), (1, False)):
        for name in entries:
            for form in words.forms(name):
                if form.own is own:
                    put(form.text, form.kind, level, name)
    for name in entries:
        for text, kind, side_behind in words.variants(name):
            put(text, kind, 2, name, side_behind)
    return _with_beginnings(table)


def _with_beginnings(table: Mapping[str, _Hit]) -> dict[str, _Hit | None]:
    full: dict[str, _Hit | None] = dict(table)
    for key in table:
        cut = key.rfind(" ")
        while cut > 0 and full.setdefault(key[:cut], None) is None:
            cut = key.rfind(" ", 0, cut)
    return full
