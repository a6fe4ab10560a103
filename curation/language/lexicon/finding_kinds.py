"""Which findings are kinds of others: a hemangioma is a lesion, an adenocarcinoma a carcinoma and so a malignancy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .lexicon_file import LexiconFile


def general_kinds(parents: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return all that is more general than each finding, by ``parents``, which has the next above it.

    ``{"cyst": ["lesion"], "lesion": ["abnormality"]}`` makes a cyst a lesion and an abnormality. Raises ValueError
    where a finding would be a kind of itself.
    """
    closed: dict[str, frozenset[str]] = {}

    def close(finding: str, path: tuple[str, ...]) -> frozenset[str]:
        if finding in path:
            raise ValueError(f"kinds of findings in a circle: {' → '.join((*path, finding))}")
        if finding not in closed:
            above = tuple(parents.get(finding, ()))
            closed[finding] = frozenset(above).union(*(close(general, (*path, finding)) for general in above))
        return closed[finding]

    for finding in parents:
        close(finding, ())
    return closed


def next_above(
    content: LexiconFile, key_of: Callable[[str], str], last_key: Callable[[str], str]
) -> dict[str, set[str]]:
    """Return the keys of what stands next above each finding, as it is listed, or by the last word of a compound.

    ``key_of`` gives the key of a phrase, ``last_key`` that of its last word: a rib fracture is a fracture.
    """
    parents: dict[str, set[str]] = {}
    for general, specials in content.kinds.items():
        for phrase in specials:
            parents.setdefault(key_of(phrase), set()).add(key_of(general))
    heads = {key_of(phrase) for phrase in (*content.kinds, *content.findings)}
    for general_class, special_classes in content.modifier_kinds.items():
        for special_class in special_classes:
            parents.setdefault(_key_of_class(special_class), set()).add(_key_of_class(general_class))
    for phrase in (*(group[0] for group in content.synonyms), *content.kind_phrases()):
        key, head = key_of(phrase), last_key(phrase)
        if " " in phrase and head in heads and head != key and phrase not in content.not_kinds:
            parents.setdefault(key, set()).add(head)
    return parents


def _key_of_class(name: str) -> str:
    """Return the key of a class of qualifiers: "quantity:several" of "quantity several"."""
    return name.replace(" ", ":", 1)
