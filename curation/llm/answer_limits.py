"""The limits of a prompt on what a model answers, which are kept to here: not every server keeps to a schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curation.caption import Draft, Reason, RefusedCaption
from prompts.answer_form import LONGEST_ORGAN
from prompts.prompt_file import Prompt
from prompts.repair_template import MAX_REPAIRED_CAPTIONS


class AnswerLimits(NamedTuple):
    """The most captions of an answer (in the form ``organs``: of an organ), and characters of captions and organs."""

    captions: int
    characters: int
    organ_characters: int = LONGEST_ORGAN


WIDE_LIMITS = AnswerLimits(1_000, 2_000, 200)
"""Where no prompt says anything."""


def question_limits(prompt: Prompt) -> AnswerLimits:
    """Return the limits on an answer to a question."""
    response = prompt.file.response
    return AnswerLimits(
        response.max_captions, response.max_characters, max(LONGEST_ORGAN, *map(len, response.organs), 0)
    )


def repair_limits(prompt: Prompt) -> AnswerLimits:
    """Return the limits on an answer about refused captions."""
    return AnswerLimits(MAX_REPAIRED_CAPTIONS, prompt.file.response.max_characters)


def within_limits(
    drafts: Sequence[Draft], limits: AnswerLimits, *, by_organ: bool
) -> tuple[list[Draft], list[RefusedCaption]]:
    """Return the drafts within the limits, and a refusal of each that is too long, and one of all that are too many."""
    kept: list[Draft] = []
    refused: list[RefusedCaption] = []
    counts = Counter[str]()
    left_out = 0
    for draft in drafts:
        organ = draft.organ if by_organ else ""
        counts[organ] += 1
        if counts[organ] > limits.captions:
            left_out += 1
        elif problem := _too_long(draft, limits):
            shown = _shortened(draft.organ, limits.organ_characters), _shortened(draft.caption, limits.characters)
            refused.append(RefusedCaption(*shown, Reason.NOT_GROUNDED, problem, None))
        else:
            kept.append(draft)
    if left_out:
        of_organ = " for an organ" if by_organ else ""
        problem = f"{left_out:,} captions beyond the {limits.captions:,}{of_organ} that the prompt allows"
        refused.append(RefusedCaption("", "", Reason.NOT_GROUNDED, problem, None))
    return kept, refused


def _too_long(draft: Draft, limits: AnswerLimits) -> str:
    """Return what is too long of a draft, "" where nothing is."""
    parts = (("organ", draft.organ, limits.organ_characters), ("caption", draft.caption, limits.characters))
    problems = [f"{name}: {len(text):,} characters, {most:,} at most" for name, text, most in parts if len(text) > most]
    return "; ".join(problems)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
