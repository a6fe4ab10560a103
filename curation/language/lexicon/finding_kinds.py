"""Which findings are kinds of others: a hemangioma is a lesion, an adenocarcinoma a carcinoma and so a malignancy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


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
