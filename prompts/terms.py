"""Writes out all names of each entry of the vocabulary, and collects them in one table for the matcher."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal, NamedTuple

from .entries import Entry, VocabularyError
from .words import base_forms, lookup_key, tokens_of

TermKind = Literal["term", "adjective", "finding"]
# How what a noun names lies to the organ that it stands for, where it is not the organ itself: SKOS has the same three.
Relation = Literal["narrower", "broader", "related"]
RELATIONS: tuple[Relation, ...] = ("narrower", "broader", "related")

# The marks of a pattern: a choice "(a|b)", a shared term "+", the place "$" of another entry's terms.
_MARKS = str.maketrans("()|+$", "     ")
_CHOICE_MARKS = frozenset("()|")
_CHOICE = re.compile(r"\(([^()]*)\)")


class TermForm(NamedTuple):
    """One name of an organ, and the key under which it is looked up.

    ``plural``: the key differs from what is written; ``shared``: other entries have it too; ``side_last``: the side
    stands behind ("kidney left"); ``relation``: it is no synonym, but the name of a part, of a group or of a neighbour.
    """

    text: str
    key: str
    kind: TermKind
    plural: bool = False
    shared: bool = False
    side_last: bool = False
    relation: Relation | None = None


class TermMatch(NamedTuple):
    """The organs that a term stands for. Without names it is a phrase that is about none of the organs in it."""

    names: tuple[str, ...]
    kind: TermKind
    side_last: bool = False
    relation: Relation | None = None


class Terms:
    """The forms of all entries: those written in it, those derived from other entries, and those of its group."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self.base = base_forms(text for name, entry in entries.items() for text in _raw(name, entry))
        self._group = {side: name for name, entry in entries.items() for side in entry.sides or ()}
        self._written_forms = {name: tuple(self._write_forms(name, entry)) for name, entry in entries.items()}
        self._derived_forms: dict[str, tuple[TermForm, ...]] = {}

    def written_forms(self, name: str) -> tuple[TermForm, ...]:
        """Return the forms that are written in the entry itself, the canonical name first."""
        return self._written_forms[name]

    def derived_forms(self, name: str, path: tuple[str, ...] = ()) -> tuple[TermForm, ...]:
        """Return the forms made from those of other entries (``from``) and of the group ("left" + "kidney").

        Raises VocabularyError where ``from`` goes in a circle; ``path`` holds the entries that led to this one.
        """
        if name in path:
            raise VocabularyError(f"{name}: 'from' goes in a circle ({' > '.join((*path, name))})")
        if name not in self._derived_forms:
            inner = (*path, name)
            self._derived_forms[name] = (*self._forms_from_others(name, inner), *self._forms_from_group(name, inner))
        return self._derived_forms[name]

    def forms_with_moved_side(self, name: str) -> Iterator[TermForm]:
        """Yield the group's terms with the side not in front ("3rd left rib"): they are matched, but no synonyms."""
        side, group = self.entries[name].side, self._group.get(name)
        if not (side and group):
            return
        for form in self.written_forms(group):
            if form.kind == "term":
                words = form.key.split(" ")
                for cut in range(1, len(words)):
                    yield form._replace(key=" ".join([*words[:cut], side, *words[cut:]]))
                yield form._replace(key=f"{form.key} {side}", side_last=True)

    def _write_forms(self, name: str, entry: Entry) -> Iterator[TermForm]:
        yield self._form(name, "finding" if name in entry.findings else "term")
        kinds: tuple[tuple[TermKind, Relation | None, tuple[str, ...]], ...] = (
            ("term", None, entry.terms), *(("term", relation, getattr(entry, relation)) for relation in RELATIONS),
            ("adjective", None, entry.adjectives), ("finding", None, entry.findings),
        )  # fmt: skip
        for kind, relation, patterns in kinds:
            for pattern in patterns:
                for text in write_out(name, pattern.removeprefix("+")):
                    yield self._form(text, kind, shared=pattern.startswith("+"), relation=relation)

    def _form(self, text: str, kind: TermKind, shared: bool = False, relation: Relation | None = None) -> TermForm:
        written = tokens_of(text)
        tokens = [self.base.get(token, token) for token in written]
        return TermForm(text, " ".join(tokens), kind, tokens != written, shared, relation=relation)

    def _forms_from_others(self, name: str, path: tuple[str, ...]) -> Iterator[TermForm]:
        entry = self.entries[name]
        built: tuple[tuple[str, Relation | None, Mapping[str, tuple[str, ...]]], ...] = (
            ("from", None, entry.built_from), ("narrower_from", "narrower", entry.narrower_from),
        )  # fmt: skip
        for key, relation, others in built:
            for other, patterns in others.items():
                forms = (*self.written_forms(other), *self.derived_forms(other, path))
                for text in (text for pattern in patterns for text in write_out(name, pattern)):
                    if text.count("$") != 1:
                        raise VocabularyError(f"{name}: {text!r} under {key!r} needs one $ for the terms of {other!r}")
                    before, behind = (lookup_key(part, self.base) for part in text.split("$"))
                    for form in forms:
                        term = f"{before} {form.key} {behind}".strip()
                        whole = text.replace("$", form.text)
                        yield TermForm(whole, term, form.kind, form.plural, relation=relation or form.relation)

    def _forms_from_group(self, name: str, path: tuple[str, ...]) -> Iterator[TermForm]:
        if group := self._group.get(name):
            side = self.entries[name].side
            for form in (*self.written_forms(group), *self.derived_forms(group, path)):
                yield form._replace(text=f"{side} {form.text}", key=f"{side} {form.key}", side_last=False)


def _raw(name: str, entry: Entry) -> Iterator[str]:
    """Yield all texts of an entry, with the marks of its patterns blanked out, to collect the words."""
    built = [
        pattern
        for others in (entry.built_from, entry.narrower_from)
        for patterns in others.values()
        for pattern in patterns
    ]
    nouns = (*entry.terms, *entry.narrower, *entry.broader, *entry.related)
    for text in (name, *nouns, *entry.adjectives, *entry.findings, *built):
        yield text.translate(_MARKS)


def write_out(name: str, pattern: str) -> list[str]:
    """Return the terms of a pattern: "(upper|superior) lobe (of the|) lung" stands for four.

    Raises VocabularyError, with the entry's ``name``, for a pattern that cannot be read.
    """
    if "(" in pattern:
        parts = [part.split("|") if index % 2 else [part] for index, part in enumerate(_CHOICE.split(pattern))]
        texts = [" ".join("".join(choice).split()) for choice in product(*parts)]
    else:
        texts = [pattern]
    for text in texts:
        if not any(map(str.isalnum, text)) or not _CHOICE_MARKS.isdisjoint(text):
            raise VocabularyError(f"{name}: cannot read the term {pattern!r}")
    return texts


def build_term_table(terms: Terms) -> dict[str, TermMatch | None]:
    """Return all terms by their keys; a key that is only the beginning of a term has None.

    A written term wins over a derived one, a derived one over one with the side moved. Raises VocabularyError where two
    entries have the same term with equal right and do not both mark it as shared.
    """
    table: dict[str, TermMatch] = {}
    first_forms: dict[str, TermForm] = {}
    for forms in (terms.written_forms, terms.derived_forms, terms.forms_with_moved_side):
        earlier_keys = frozenset(table)
        for name in terms.entries:
            for form in forms(name):
                match = table.get(form.key)
                if match is None:
                    table[form.key], first_forms[form.key] = _match(name, form), form
                elif name in match.names:
                    if first_forms[form.key].plural and not form.plural:  # "coronaries" is a noun, "coronary" is not
                        table[form.key], first_forms[form.key] = _match(name, form), form
                elif form.key not in earlier_keys:
                    table[form.key] = _share(name, form, match, first_forms[form.key])
        if not earlier_keys:
            _check_shared(table, first_forms)
    _add_excluded_phrases(terms, table)
    return _with_beginnings(table)


def _match(name: str, form: TermForm) -> TermMatch:
    return TermMatch((name,), form.kind, form.side_last, form.relation)


def _share(name: str, form: TermForm, match: TermMatch, first_form: TermForm) -> TermMatch:
    if not (form.shared and first_form.shared):
        raise VocabularyError(f"{name}: {form.text!r} is also a term of {match.names[0]!r}")
    return match._replace(names=(*match.names, name))


def _check_shared(table: Mapping[str, TermMatch], first_forms: Mapping[str, TermForm]) -> None:
    for key, form in first_forms.items():
        if form.shared and len(table[key].names) == 1:
            raise VocabularyError(f"{table[key].names[0]}: {form.text!r} is marked as shared, but stands nowhere else")


def _add_excluded_phrases(terms: Terms, table: dict[str, TermMatch]) -> None:
    for name, entry in terms.entries.items():
        for text in (text for pattern in entry.not_in for text in write_out(name, pattern)):
            match = table.setdefault(lookup_key(text, terms.base), TermMatch((), "term"))
            if match.names:
                raise VocabularyError(f"{name}: {text!r} under 'not_in' is a term of {match.names[0]!r}")


def _with_beginnings(table: Mapping[str, TermMatch]) -> dict[str, TermMatch | None]:
    extended: dict[str, TermMatch | None] = dict(table)
    for key in table:
        cut = key.rfind(" ")
        while cut > 0 and key[:cut] not in extended:
            extended[key[:cut]] = None
            cut = key.rfind(" ", 0, cut)
    return extended
