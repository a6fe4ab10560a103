"""Reads RadGraph's annotation of a text: entities with their place in it, what they assert, and how they hang together.

An annotation has the text as tokens with blanks between them, and entities by number: their first and last token, a
label such as "Observation::definitely absent" or "Anatomy::definitely present", and relations ("modify", "located_at",
"suggestive_of") to other entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Certainty = Literal["present", "uncertain", "absent"]
_CERTAINTIES: dict[str, Certainty] = {
    "definitely present": "present",
    "uncertain": "uncertain",
    "definitely absent": "absent",
}
_WORD = re.compile(r"[^\W\d_]{2,}")
_FURTHEST = 40
"""Characters that a token may stand behind the one before it: what RadGraph has taken out of the text is not longer."""


class GraphError(Exception):
    """An annotation that does not have the form which RadGraph documents; the message says what is wrong."""


class Entity(NamedTuple):
    """An entity: its place in the text, in characters, what kind it is, and its relations to other entities by id."""

    start: int
    end: int
    text: str
    is_anatomy: bool
    certainty: Certainty
    is_measurement: bool
    relations: tuple[tuple[str, str], ...]

    @property
    def words(self) -> frozenset[str]:
        """Its words in lower case."""
        return frozenset(words_of(self.text))

    def targets(self, relation: str) -> list[str]:
        """Return the ids of the entities that it has a relation to."""
        return [target for name, target in self.relations if name == relation]


Graph = Mapping[str, Entity]
"""The entities of a text by their id."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without numbers and single letters."""
    return _WORD.findall(text.lower())


def read_graph(text: str, annotation: Any) -> Graph:
    """Return the entities in an annotation of a text. Raises ``GraphError``."""
    try:
        tokens = str(annotation["text"]).split()
        entities = annotation["entities"].items()
    except (KeyError, TypeError, AttributeError):
        raise GraphError("RadGraph's annotation has no text and entities") from None
    places = token_places(text, tokens)
    return {str(number): _entity(text, places, entity) for number, entity in entities}


def token_places(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each token stands in a text; one that it lacks, as RadGraph rewrites some, is empty there."""
    places = []
    cursor = 0
    for token in tokens:
        start = text.find(token, cursor, cursor + _FURTHEST + len(token))
        if start < 0:
            places.append((cursor, cursor))
            continue
        cursor = start + len(token)
        places.append((start, cursor))
    return places


def _entity(text: str, places: Sequence[tuple[int, int]], entity: Any) -> Entity:
    try:
        start, end = places[int(entity["start_ix"])][0], places[int(entity["end_ix"])][1]
        kind, *_, certainty = str(entity["label"]).split("::")
        relations = tuple((str(name), str(target)) for name, target in entity["relations"])
    except (KeyError, TypeError, ValueError, IndexError):
        raise GraphError("RadGraph's annotation has an entity without label, place or relations") from None
    if kind not in ("Anatomy", "Observation") or certainty not in _CERTAINTIES:
        raise GraphError(f"RadGraph's label {entity['label']!r} is not known")
    measured = "measurement" in str(entity["label"]).split("::")[1:-1]
    return Entity(start, end, text[start:end], kind == "Anatomy", _CERTAINTIES[certainty], measured, relations)


def phrase_of(graph: Graph, number: str) -> str:
    """Return an entity with all that modifies it, in the order of the text: "left" and "kidney" are "left kidney"."""
    members = {number}
    waiting = [number]
    while waiting:
        target = waiting.pop()
        for other, entity in graph.items():
            if other not in members and entity.is_anatomy and target in entity.targets("modify"):
                members.add(other)
                waiting.append(other)
    return " ".join(entity.text for entity in sorted(graph[member] for member in members))


def within(graph: Graph, spans: Iterable[tuple[int, int]]) -> list[str]:
    """Return the ids of the entities that stand in passages of the text."""
    passages = list(spans)
    return [
        number
        for number, entity in graph.items()
        if any(entity.start >= start and entity.end <= end and entity.end > entity.start for start, end in passages)
    ]
