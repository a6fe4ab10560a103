"""How many reports are of which modality, told at the start of a run and at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from curation.report import Examination, Modality, Report
from curation.runtime.errors import InputError

UNKNOWN = Examination().name


def read_modality(name: str) -> Modality:
    """Return the modality of a name, in any case. Raises ``InputError`` for another word, and lists them."""
    for modality in Modality:
        if modality.lower() == name.strip().lower():
            return modality
    names = ", ".join(modality.lower() for modality in Modality)
    raise InputError(f"--modality {name}: no modality of this name; expected one of {names}")


def count_examinations(reports: Iterable[Report]) -> dict[str, int]:
    """Return how many reports are of which modality, by name, the most frequent first."""
    return dict(Counter(report.examination.name for report in reports).most_common())


def others_told(counts: Mapping[str, int], kept: str | None = None, which: str = "") -> str | None:
    """Return in words how many reports are no CT, or not of the modality ``kept`` by ``--modality``; None if none is.

    Those of unknown modality are counted beside them.
    """
    modality = Modality.CT if kept is None else read_modality(kept)
    others = {name: count for name, count in counts.items() if name != UNKNOWN and modality not in name.split("/")}
    if not others:
        return None
    by_name = ", ".join(f"{count:,} {name}" for name, count in sorted(others.items(), key=lambda item: -item[1]))
    number, unknown = sum(others.values()), counts.get(UNKNOWN, 0)
    way = "left out" if kept else f"--modality {modality.lower()} leaves them out"
    rest = f"; of {unknown:,} it is unknown" if unknown else ""
    verb = "is" if number == 1 else "are"
    return f"{number:,} of {which}{sum(counts.values()):,} reports {verb} no {modality}: {by_name} ({way}{rest})"
