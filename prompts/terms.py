"""What each entry of the vocabulary is called, written out and laid into one table for the matcher."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal, NamedTuple

from .entries import Entry, VocabularyError
from .words import base_forms, lookup_key, tokens_of

TermKind = Literal["term", "adjective", "finding"]

_MARKS = str.maketrans("()|+$", "     ")
_MARKED = frozenset("()|")
_CHOICE = re.compile(r"\(([^()]*)\)")


class TermForm(NamedTuple):
    """One name of an organ, and the key under which it is looked up.

    ``plural``: the key is not what is written; ``shared``: other entries have it too; ``side_last``: "kidney left".
    """

    text: str
    key: str
    kind: TermKind
    plural: bool = False
    shared: bool = False
    side_last: bool = False


class TermMatch(NamedTuple):
    """What a term means. No names: a phrase that is about none of its organs."""

    names: tuple[str, ...]
    kind: TermKind
    side_last: bool = False


class Terms:
    """The names of all entries: their own, those built from other entries, and those of their group with a side."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self.base = base_forms(text for name, entry in entries.items() for text in _raw(name, entry))
        self._group = {side: name for name, entry in entries.items() for side in entry.sides or ()}
        self._own = {name: tuple(self._written(name, entry)) for name, entry in entries.items()}
        self._built: dict[str, tuple[TermForm, ...]] = {}

    def written_forms(self, name: str) -> tuple[TermForm, ...]:
        """Give what is written in the entry itself, the canonical name first."""
        return self._own[name]

    def derived_forms(self, name: str, path: tuple[str, ...] = ()) -> tuple[TermForm, ...]:
        """Give the terms made from those of other entries (``from``) and of the group ("left" + "kidney")."""
        if name in path:
            raise VocabularyError(f"{name}: 'from' goes in a circle ({' > '.join((*path, name))})")
        if name not in self._built:
            inner = (*path, name)
            self._built[name] = (*self._from(name, inner), *self._sided(name, inner))
        return self._built[name]

    def forms_with_moved_side(self, name: str) -> Iterator[TermForm]:
        """Give the group's terms with the side not in front ("3rd left rib"). They are matched, but are no synonyms."""
        side, group = self.entries[name].side, self._group.get(name)
        if not (side and group):
            return
        for text, term, kind, plural, shared, _ in self.written_forms(group):
            if kind == "term":
                words = term.split(" ")
                for cut in range(1, len(words)):
                    yield TermForm(text, " ".join([*words[:cut], side, *words[cut:]]), kind, plural, shared)
                yield TermForm(text, f"{term} {side}", kind, plural, shared, side_last=True)

    def _written(self, name: str, entry: Entry) -> Iterator[TermForm]:
        yield self._form(name, "finding" if name in entry.findings else "term")
        kinds: tuple[tuple[TermKind, tuple[str, ...]], ...] = (
            ("term", entry.terms), ("adjective", entry.adjectives), ("finding", entry.findings),
        )  # fmt: skip
        for kind, patterns in kinds:
            for pattern in patterns:
                for text in write_out(name, pattern.removeprefix("+")):
                    yield self._form(text, kind, shared=pattern.startswith("+"))

    def _form(self, text: str, kind: TermKind, shared: bool = False) -> TermForm:
        written = tokens_of(text)
        tokens = [self.base.get(token, token) for token in written]
        return TermForm(text, " ".join(tokens), kind, tokens != written, shared)

    def _from(self, name: str, path: tuple[str, ...]) -> Iterator[TermForm]:
        for other, patterns in self.entries[name].built_from.items():
            forms = (*self.written_forms(other), *self.derived_forms(other, path))
            for text in (text for pattern in patterns for text in write_out(name, pattern)):
                if text.count("$") != 1:
                    raise VocabularyError(f"{name}: {text!r} under 'from' needs one $ for the terms of {other!r}")
                before, behind = (lookup_key(part, self.base) for part in text.split("$"))
                for form in forms:
                    term = f"{before} {form.key} {behind}".strip()
                    yield TermForm(text.replace("$", form.text), term, form.kind, form.plural)

    def _sided(self, name: str, path: tuple[str, ...]) -> Iterator[TermForm]:
        if group := self._group.get(name):
            side = self.entries[name].side
            for text, term, kind, plural, shared, _ in (*self.written_forms(group), *self.derived_forms(group, path)):
                yield TermForm(f"{side} {text}", f"{side} {term}", kind, plural, shared)


def _raw(name: str, entry: Entry) -> Iterator[str]:
    """Give all that an entry writes, with the marks of its patterns blanked out, to collect the words."""
    built = [pattern for patterns in entry.built_from.values() for pattern in patterns]
    for text in (name, *entry.terms, *entry.adjectives, *entry.findings, *built):
        yield text.translate(_MARKS)


def write_out(name: str, pattern: str) -> list[str]:
    """Write out a pattern: "(upper|superior) lobe (of the|) lung" stands for four terms."""
    if "(" in pattern:
        parts = [part.split("|") if index % 2 else [part] for index, part in enumerate(_CHOICE.split(pattern))]
        texts = [" ".join("".join(choice).split()) for choice in product(*parts)]
    else:
        texts = [pattern]
    for text in texts:
        if not any(map(str.isalnum, text)) or not _MARKED.isdisjoint(text):
            raise VocabularyError(f"{name}: cannot read the term {pattern!r}")
    return texts


def build_term_table(terms: Terms) -> dict[str, TermMatch | None]:
    """Lay all terms into one table by their keys; a key that is only the beginning of a term has None.

    A written term wins over a built one, a built one over one with the side elsewhere. Raises VocabularyError where two
    entries claim the same term with equal right and do not both mark it as shared.
    """
    table: dict[str, TermMatch] = {}
    claims: dict[str, TermForm] = {}
    for forms in (terms.written_forms, terms.derived_forms, terms.forms_with_moved_side):
        settled = frozenset(table)
        for name in terms.entries:
            for form in forms(name):
                old = table.get(form.key)
                if old is None:
                    table[form.key], claims[form.key] = TermMatch((name,), form.kind, form.side_last), form
                elif name in old.names:
                    if claims[form.key].plural and not form.plural:  # "coronaries" is a noun, "coronary" is not
                        table[form.key], claims[form.key] = TermMatch((name,), form.kind, form.side_last), form
                elif form.key not in settled:
                    table[form.key] = _share(name, form, old, claims[form.key])
        if not settled:
            _check_shared(table, claims)
    _block(terms, table)
    return _with_beginnings(table)


def _share(name: str, form: TermForm, old: TermMatch, claim: TermForm) -> TermMatch:
    if not (form.shared and claim.shared):
        raise VocabularyError(f"{name}: {form.text!r} is also a term of {old.names[0]!r}")
    return old._replace(names=(*old.names, name))


def _check_shared(table: Mapping[str, TermMatch], claims: Mapping[str, TermForm]) -> None:
    for term, form in claims.items():
        if form.shared and len(table[term].names) == 1:
            raise VocabularyError(f"{table[term].names[0]}: {form.text!r} is marked as shared, but stands nowhere else")


def _block(terms: Terms, table: dict[str, TermMatch]) -> None:
    for name, entry in terms.entries.items():
        for text in (text for pattern in entry.not_in for text in write_out(name, pattern)):
            if (old := table.setdefault(lookup_key(text, terms.base), TermMatch((), "term"))).names:
                raise VocabularyError(f"{name}: {text!r} under 'not_in' is a term of {old.names[0]!r}")


def _with_beginnings(table: Mapping[str, TermMatch]) -> dict[str, TermMatch | None]:
    full: dict[str, TermMatch | None] = dict(table)
    for term in table:
        cut = term.rfind(" ")
        while cut > 0 and term[:cut] not in full:
            full[term[:cut]] = None
            cut = term.rfind(" ", 0, cut)
    return full
