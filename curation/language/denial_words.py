"""Closed lists of words by which the verifier tells what narrows a denial, such as "new" of "no new nodule".

A name that ends in ``_STEMS`` holds stems (``tokens.stem``), any other holds lower-case words.
"""

from __future__ import annotations

from .tokens import stem
from .word_lists import (
    AUXILIARIES,
    DENIALS,
    FUNCTION_WORDS,
    NEUTRAL_STEMS,
    PRESENT_TIME,
    REMAINDER_WORDS,
    REPORTING_STEMS,
    VERBS,
)


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


# What a denied phrase is about ends before one of these: "no nodule (in the lung)", "no mass (that enhances)".
RELATIVE_PRONOUNS = frozenset("which that who whose".split())
PHRASE_ENDS = (
    frozenset(
        "of in on at with within without to into from for by near between along through throughout around about above "
        "below over under beneath across behind beside toward towards after before during per via upon".split()
    )
    | RELATIVE_PRONOUNS
    | VERBS
)
# Words with one of these endings may qualify a noun that follows further on: "no lytic or blastic lesion".
ADJECTIVE_ENDINGS = ("ic", "ly", "al", "ous", "ive", "ed", "ing", "ar", "ary", "ory", "ble", "ent", "ant", "like")
# Findings that the lexicon lists are adjectives with one of these; "thickening" and "fluid level" are none.
LISTED_ADJECTIVE_ENDINGS = ("ic", "ous", "ed", "ive", "al", "ar")
# Beside a denied finding they only report or say what was looked at: as much is denied without them.
NOT_NARROWING_STEMS = (
    REPORTING_STEMS
    | NEUTRAL_STEMS
    | DENIALS
    | FUNCTION_WORDS - REMAINDER_WORDS
    | AUXILIARIES
    | PRESENT_TIME
    | _stems(
        "any evidence sign signs indication suggestion suggest suspicion finding findings favor compatible consistent "
        "feature features proof ct cta radiographic radiological radiologic imaging image images scan study "
        "examination exam slice slices field view visible visualized imaged detectable discernible appreciable "
        "demonstrable identifiable such longer time hemithorax including include"
    )
)
# They too restrict what is denied to what is left: "no other cyst".
OTHER_WORDS = frozenset("other additional further else".split())
# They say that there is or was another one of what they qualify: "no other cyst".
IMPLIES_ANOTHER_STEMS = _stems("other additional further more else known such same")
# Qualifiers that fit any finding, besides the grades, sizes and times of the lexicon.
GENERAL_QUALIFIER_STEMS = _stems(
    "suspicious concerning worrisome aggressive other additional further new newly acute recent old known significant "
    "definite obvious gross convincing clear residual recurrent large sizable pathological abnormal relevant important "
    "discrete"
)

# --- What a finding spares ------------------------------------------------------------------------------------------
SPARING_STEM = stem("sparing")
# Behind "is" and "being", they say that a finding is not there.
SPARED_WORDS = frozenset("spared free uninvolved unaffected".split())
# Behind "not", they name where a finding is not: "does not involve the tail".
INVOLVEMENT_STEMS = frozenset(map(stem, "involve affect extend reach include spare".split())) | frozenset(
    map(stem, "involving affecting extending reaching including involved affected included".split())
)
