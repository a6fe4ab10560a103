"""The counts of a check for names, dates and numbers, as they stand in the manifest."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PrivacyCounts(BaseModel):
    """What a check of the rows by patterns has seen of names, dates and numbers (``--check-phi``).

    ``reports`` is how many reports were checked with all that was made of them, ``captions`` how many accepted captions
    tell such a thing or rest on it. ``places`` counts the rows by column (``reports.text``, ``skipped.jsonl``) and kind
    (``IdentifierKind``); ``blanked`` are those with marks that ``--drop-phi`` left.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reports: int = 0
    captions: int = 0
    places: dict[str, dict[str, int]] = {}

    def plus(self, other: PrivacyCounts) -> PrivacyCounts:
        """Return the sums."""
        places = {place: dict(kinds) for place, kinds in self.places.items()}
        for place, kinds in other.places.items():
            merged = places.setdefault(place, {})
            for kind, count in kinds.items():
                merged[kind] = merged.get(kind, 0) + count
        return PrivacyCounts(
            reports=self.reports + other.reports,
            captions=self.captions + other.captions,
            places={place: dict(sorted(places[place].items())) for place in sorted(places)},
        )
