"""Tell tables of labels (a finding and whether it is there) from tables of reports, which they must not be read as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.readers.layouts import ColumnLayout, is_whole_report, plain_name

from .samples import ColumnSample

# Names of a column that says of a finding whether it is there.
VALUE_NAMES = frozenset((
    "value", "values", "label", "labels", "present", "presence", "status", "result", "results", "answer", "positive",
    "score", "class", "exists", "flag", "annotation", "state", "yesno", "response", "target", "groundtruth", "gt",
    "ispresent", "findingvalue", "findingstatus", "findingpresent", "prediction", "abnormal", "certainty",
    "probability", "prob", "confidence", "likelihood", "logit",
))  # fmt: skip


def labels_seen(layout: ColumnLayout, samples: Mapping[str, ColumnSample]) -> str | None:
    """Return in words why a table is one of labels; None where its text columns may be read as reports."""
    labels = [sample for sample in samples.values() if _is_label(sample) and sample.name != layout.id_column]
    if not layout.texts:
        named = any(plain_name(label.name) in VALUE_NAMES for label in labels)
        return _shown(labels) if len(labels) > 1 or named else None
    texts = [samples[name] for name in layout.text_columns if name in samples and samples[name].filled]
    if not texts or any(is_whole_report(text.name) for text in texts):
        return None
    if all(text.is_label() for text in texts):
        return _shown(labels)
    values = [label for label in labels if _is_value(label, layout, samples)]
    if values and all(text.is_terms() for text in texts):
        names = ", ".join(repr(cell) for cell in texts[0].filled[:2])
        return f"{texts[0].name} holds names of findings ({names}), and {_shown(values)}"
    return None


def _is_label(sample: ColumnSample) -> bool:
    return sample.is_label() or sample.is_probability()


def _is_value(label: ColumnSample, layout: ColumnLayout, samples: Mapping[str, ColumnSample]) -> bool:
    """Return whether a column of yes and no speaks of the finding in its row: by its name, or since ids repeat."""
    if plain_name(label.name) in VALUE_NAMES:
        return True
    ids = samples.get(layout.id_column) if layout.id_column else None
    return ids is not None and len(set(ids.cells)) <= 0.8 * len(ids.cells)


def _shown(labels: Sequence[ColumnSample], most: int = 5) -> str:
    names = ", ".join(label.name for label in labels[:most])
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    values = list(dict.fromkeys(cell for label in labels for cell in label.filled))
    return f"{names}{more} {'holds' if len(labels) == 1 else 'hold'} only {', '.join(values[:4])}"
