"""Compares what a second reader reads of a caption with what the caption set says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prompts.vocabulary import Vocabulary

from .readings import Reading


class CaptionToRead(NamedTuple):
    """A caption of the set: where it stands, what it says, and where its evidence stands in the report."""

    part: int
    row: int
    organ: str
    status: str
    caption: str
    spans: Sequence[tuple[int, int]]


class ReaderAnswer(NamedTuple):
    """What a second reader reads of a caption: the names of its organs, a status, and whether the report says it.

    ``said`` is None for a reader that is not asked that; ``problem`` is why there is no reading at all.
    """

    organs: tuple[str, ...] = ()
    status: str | None = None
    said: bool | None = None
    problem: str | None = None


class ReadingComparison:
    """Compares by a vocabulary, which is that of the set. ``asks_said``: the reader says whether the report says it."""

    def __init__(self, vocabulary: Vocabulary, *, asks_said: bool) -> None:
        self._vocabulary = vocabulary
        self._asks_said = asks_said

    def compare(self, caption: CaptionToRead, reading: ReaderAnswer) -> Reading:
        """Return the reading as it is stored. One that is not whole disagrees by what it has, and never agrees."""
        place = (caption.part, caption.row)
        if reading.problem is not None:
            ours = (caption.organ, caption.status)
            return Reading(*place, False, "unread", *ours, None, None, None, reading.problem)
        organ = self._read_organ(caption.organ, reading.organs)
        stored = Reading(
            *place, True, "agrees", caption.organ, caption.status, organ, reading.status, reading.said, ""
        )  # fmt: skip
        if stored.differences:
            return stored._replace(outcome="disagrees", detail=", ".join(stored.differences))
        missing = [
            name
            for name, is_missing in (
                ("organ", organ is None),
                ("status", reading.status is None),
                ("whether the report says it", self._asks_said and reading.said is None),
            )
            if is_missing
        ]
        return stored._replace(outcome="unread", detail=f"not read: {', '.join(missing)}") if missing else stored

    def _read_organ(self, organ: str, names: Sequence[str]) -> str | None:
        """Return the caption's organ where a reader names it, a part of it or its whole, else the reader's first.

        None where it names nothing that the vocabulary knows.
        """
        read = [name for text in names for name in self._organs_in(text)]
        if any(self._is_same(organ, name) for name in read):
            return organ
        return read[0] if read else None

    def _organs_in(self, text: str) -> Iterator[str]:
        names = self._vocabulary.names_of(text)
        if names:
            yield from names
            return
        for mention in self._vocabulary.find(text, findings=True):
            yield from mention.names

    def _is_same(self, organ: str, name: str) -> bool:
        vocabulary = self._vocabulary
        if organ == name:
            return True
        if organ not in vocabulary.organs:
            return False
        entry = vocabulary.organs[name]
        places = {name, vocabulary.filed_under(name), *entry.lies_in, *([entry.around] if entry.around else [])}
        return any(vocabulary.related(organ, place) for place in places)
