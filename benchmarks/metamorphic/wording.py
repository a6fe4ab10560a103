"""Rewrites: sentences with another verb of seeing, another denial, another word for normal."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import BE, FINDING, SEEN

from .rewriting import Edit, Rewrite, changed, edit_sentences, lower_first, sub, upper_first, with_case_of

_VERB = re.compile(
    r"\b(?P<be>is|are|was|were) (?P<no>not )?(?P<seen>seen|observed|noted|identified|detected)\b"
    r"(?! (?:to|as|with|by|at|that|previously|before)\b)"
)
_ONE_BE = re.compile(rf"\b(?:{BE}|has|have|had|shows?|which|that|measur\w+|contain\w*|demonstrat\w*|appear\w*)\b")
_DENIED = re.compile(
    rf"^No (?P<what>(?!evidence|change|significant change|other|further|previous|comparison|prior)[a-z][^,.;:?]*?)"
    rf"(?: {BE} {SEEN})?\.$"
)
_NOT_SEEN = re.compile(
    rf"^(?P<what>(?:[A-Z]\w*[ -])?(?:[\w-]+ )*?[\w-]*{FINDING}(?:-\w+)?) (?P<be>is|are|was|were) not "
    r"(?P<seen>seen|observed|detected|identified|noted)\.$", re.IGNORECASE,
)  # fmt: skip
_NO_SEEN = re.compile(
    rf"^No (?P<what>(?:[\w-]+ )*?{FINDING}) (?P<be>is|are|was|were) "
    r"(?P<seen>seen|observed|detected|identified|noted)\.$"
)
_DETERMINED = re.compile(r"^(?:the|an?|this|that|these|those|both|its?|there|all|any|other|said|described)\b", re.I)
_FINDING_WORD = re.compile(rf"\b{FINDING}\b", re.IGNORECASE)


def _verb(*others: str, denied: bool = True) -> Edit:
    """Return the edit that writes another verb of seeing."""

    def edit(text: str, rng: Random) -> str | None:
        def new(match: re.Match[str]) -> str:
            if match["no"] and not denied:
                return match[0]
            return f"{match['be']} {match['no'] or ''}{rng.choice(others)}"

        return changed(text, _VERB.sub(new, text))

    return edit


def _tense(text: str, rng: Random) -> str | None:
    tense = {"is": "was", "are": "were", "was": "is", "were": "are"}
    return changed(text, _VERB.sub(lambda match: f"{tense[match['be']]} {match['no'] or ''}{match['seen']}", text))


def _verb_dropped(text: str, rng: Random) -> str | None:
    """Return the text with "A cyst in the liver." for "A cyst is seen in the liver.", where it is the only verb."""

    def edit(sentence: str) -> str | None:
        verb = _VERB.search(sentence)
        if verb is None or verb["no"] or len(_ONE_BE.findall(sentence)) != 1 or re.search("[,;(]", sentence):
            return None
        if not _FINDING_WORD.search(sentence, 0, verb.start()) or sentence[verb.end()] not in " .":
            return None
        return sentence[: verb.start() - 1] + sentence[verb.end() :]

    return edit_sentences(text, edit)


def _there_dropped(text: str, rng: Random) -> str | None:
    """Return the text with "A cyst in the liver." for "There is a cyst in the liver."."""

    def edit(sentence: str) -> str | None:
        match = re.match(rf"There {BE} (?=(?:no|an?|multiple|several|few|many|small|mild)\b)", sentence)
        if match is None or len(_ONE_BE.findall(sentence)) != 1 or "," in sentence:
            return None
        return upper_first(sentence[match.end() :])

    return edit_sentences(text, edit)


def _there_added(text: str, rng: Random) -> str | None:
    """Return the text with "There is no effusion." for "No effusion." and "No effusion is seen."."""

    def edit(sentence: str) -> str | None:
        match = _DENIED.match(sentence)
        if match is None or _ONE_BE.search(match["what"]) or not _FINDING_WORD.search(match["what"]):
            return None
        return f"There is no {match['what']}."

    return edit_sentences(text, edit)


def _evidence_added(text: str, rng: Random) -> str | None:
    def edit(sentence: str) -> str | None:
        match = _DENIED.match(sentence)
        if match is None or _ONE_BE.search(match["what"]) or not _FINDING_WORD.search(match["what"]):
            return None
        return f"No evidence of {match['what']}."

    return edit_sentences(text, edit)


def _denied_before(text: str, rng: Random) -> str | None:
    """Return the text with "No effusion was seen." for "Effusion was not seen."."""

    def edit(sentence: str) -> str | None:
        match = _NOT_SEEN.match(sentence)
        if match is None or _DETERMINED.match(sentence) or re.search(r"\b(?:and|or|in|of|at)\b", match["what"]):
            return None
        return f"No {lower_first(match['what'])} {match['be']} {match['seen']}."

    return edit_sentences(text, edit)


def _denied_behind(text: str, rng: Random) -> str | None:
    """Return the text with "Effusion was not seen." for "No effusion was seen."."""

    def edit(sentence: str) -> str | None:
        match = _NO_SEEN.match(sentence)
        if match is None or re.search(r"\b(?:and|or|in|of|at|evidence|other|significant)\b", match["what"]):
            return None
        return f"{upper_first(match['what'])} {match['be']} not {match['seen']}."

    return edit_sentences(text, edit)


def _and_signs(text: str, rng: Random) -> str | None:
    return edit_sentences(text, lambda sentence: sentence.replace(" and ", " & "))


REWRITES = (
    Rewrite("seen_as_noted", "is noted for is seen", "wording", _verb("noted")),
    Rewrite("seen_as_other", "seen, observed, identified, detected by chance", "wording",
            _verb("seen", "observed", "identified", "detected", "demonstrated", "visualized", "appreciated")),
    Rewrite("seen_as_present", "is present for is seen", "wording", _verb("present")),
    Rewrite("tense", "was seen for is seen, and back", "wording", _tense),
    Rewrite("seen_dropped", "A cyst in the liver. for A cyst is seen in the liver.", "wording", _verb_dropped),
    Rewrite("there_is_dropped", "A cyst. for There is a cyst.", "wording", _there_dropped),
    Rewrite("there_is_added", "There is no cyst. for No cyst is seen.", "wording", _there_added),
    Rewrite("no_evidence_dropped", "no for no evidence of", "wording",
            sub(r"\b([Nn]o|[Ww]ithout) (?:definite )?evidence (?:of|for)(?: an?)? ", r"\1 ")),
    Rewrite("no_evidence_added", "No evidence of for No", "wording", _evidence_added),
    Rewrite("denied_before", "No effusion was seen. for Effusion was not seen.", "wording", _denied_before),
    Rewrite("denied_behind", "Effusion was not seen. for No effusion was seen.", "wording", _denied_behind),
    Rewrite("unremarkable_as_normal", "normal for unremarkable and natural", "wording",
            sub(r"\b(?:unremarkable|natural)\b", lambda match: with_case_of(match[0], "normal"), re.I)),
    Rewrite("normal_as_unremarkable", "unremarkable for normal where it is predicated", "wording",
            sub(r"\b(is|are|was|were) normal(?=[.,;])", r"\1 unremarkable")),
    Rewrite("normal_in_limits", "within normal limits for normal where it is predicated", "wording",
            sub(r"\b(is|are) normal(?=[.,;])", r"\1 within normal limits")),
    Rewrite("and_signs", "& for and", "wording", _and_signs),
)  # fmt: skip
