"""Finds the organ of a draft: narrows names and groups in a model's answer to the organ that the words name."""

from __future__ import annotations

from dataclasses import replace

from curation.caption import Draft
from curation.verification.organs import statement_organs
from curation.verification.verifier import Verifier


def narrow_to_caption(verifier: Verifier, draft: Draft) -> Draft:
    """Return a draft of a group such as "lungs" under the one organ of the group that its caption names."""
    group = verifier.resolve(draft.organ)
    if group is None:
        return draft
    vocabulary = verifier.parser.vocabulary
    organs = _organs_in(verifier, draft.caption)
    members = organs & vocabulary.descendants(group)
    return replace(draft, organ=min(members)) if len(organs) == len(members) == 1 else draft


def resolve_organ_name(verifier: Verifier, draft: Draft) -> Draft:
    """Return a draft whose organ is more than a name under the organ in it.

    That of "pleural effusion" is the pleura, that of "bilateral adrenal glands" the pair. Whether it is the right one
    is for the verifier to say.
    """
    if verifier.resolve(draft.organ) is not None:
        return draft
    vocabulary = verifier.parser.vocabulary
    organs = _organs_in(verifier, draft.organ)
    groups = {parent for organ in organs for parent in vocabulary.organs[organ].parents}
    pairs = {group for group in groups if set(vocabulary.sided(group) or ()) == organs}
    candidates = organs if len(organs) == 1 else pairs
    return replace(draft, organ=min(candidates)) if len(candidates) == 1 else draft


def _organs_in(verifier: Verifier, text: str) -> set[str]:
    """Return the organs that a text is about, by the names that captions are filed under."""
    names = statement_organs(verifier.parser, verifier.parser.parse(text))
    return {verifier.parser.vocabulary.filed_under(name) for name in names}
