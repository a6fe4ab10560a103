"""Operations and devices that are only planned, advised or awaited: "Cholecystectomy is scheduled"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..doubt_and_past_words import WORDS_OF_THE_PAST
from ..tokens import Token, stem
from ..word_lists import ARTICLES, CLAUSE_ENDS


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


# They tell of something to come …
_PLAN_STEMS = _stems(
    "planned plan plans planning scheduled recommended recommend recommendation advised advise proposed proposal "
    "intended intention awaiting awaits awaited pending discussed discuss candidate consider considered consideration "
    "considering requested offered booked declined refused cancelled postponed deferred upcoming prospective "
    "anticipated envisaged contemplated required necessary needed needs warranted"
)
_PLAN_WORDS = frozenset("suggested listed indicated".split())
# … and so do these before a verb of bringing in or carrying out: "is to be placed", "should be performed".
_MODALS = frozenset("to will shall should would must can could may might".split())
_MAKING_STEMS = _stems(
    "placed place placement inserted insert insertion implanted implant implantation performed perform performance "
    "deployed deployment introduced introduction created creation made make done carried undertaken undergo undergone "
    "positioned fitted"
)
_ENDS = CLAUSE_ENDS - {"(", ")", ":"}
_ADDED_PLANS = frozenset("planned scheduled awaited pending proposed intended".split())
# Before "for" and an operation, they tell that it is to come.
_PREPARING_STEMS = _stems("indication evaluation workup preparation planning assessment")
# What is looked after, or taken out, is there: "The stent is to be exchanged".
_HANDLING_STEMS = _stems(
    "removed removal remove exchanged exchange retracted retraction repositioned repositioning reposition withdrawn "
    "withdrawal advanced advancement adjusted adjustment revised revision changed corrected checked check pulled"
)
# Before an operation or a device, they say that it is there.
_BEFORE_WHAT_IS_THERE = WORDS_OF_THE_PAST | frozenset(
    "after following since underwent undergone at in around near along behind above below through beside".split()
)
_MOST_WORDS_BETWEEN = 4
"""Words within which "after" or "status post" stands before the operation that it makes a fact."""


def planned(tokens: Sequence[Token], facts: Collection[int]) -> Iterator[int]:
    """Yield the tokens of operations and devices, of all in ``facts``, that are not there yet."""
    if not facts:
        return
    start = 0
    for end in [*(at for at in range(len(tokens)) if _ends_clause(tokens, at)), len(tokens)]:
        inside = [at for at in range(start, end) if at in facts]
        if inside and not any(tokens[at].stem in _HANDLING_STEMS for at in range(start, end)):
            is_plan = any(_tells_a_plan(tokens, at, start, end) for at in range(start, end) if at not in facts)
            for at in inside:
                first = at
                while first - 1 in facts:
                    first -= 1
                if _is_to_come(tokens, facts, first, start) or (is_plan and not _is_there(tokens, first, start)):
                    yield at
        start = end + 1


def _ends_clause(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a clause ends at a token; none does before a plan of it: "splenectomy, planned for June"."""
    if tokens[at].word not in _ENDS:
        return False
    is_added = tokens[at].word == "," and at + 1 < len(tokens) and tokens[at + 1].word in _ADDED_PLANS
    return not is_added


def _tells_a_plan(tokens: Sequence[Token], at: int, start: int, end: int) -> bool:
    """Tell whether a word plans what its clause names: "planned", but not "as planned"; "to be placed"."""
    token = tokens[at]
    if token.stem in _PLAN_STEMS or token.word in _PLAN_WORDS:
        return at == start or tokens[at - 1].word != "as"
    if token.word in _MODALS:
        return any(tokens[verb].stem in _MAKING_STEMS for verb in range(at + 1, min(at + 3, end)))
    return False


def _is_to_come(tokens: Sequence[Token], facts: Collection[int], first: int, start: int) -> bool:
    """Tell whether an operation is what an examination prepares: "before cholecystectomy", "transplant evaluation"."""
    last = first
    while last + 1 in facts:
        last += 1
    if last + 1 < len(tokens) and tokens[last + 1].stem in _PREPARING_STEMS:
        return True
    at = first - 1
    if at > start and tokens[at].word.isalpha() and tokens[at].word not in ("before", "for", "to") and at - 1 >= start:
        at -= tokens[at].word not in ARTICLES  # "before kidney transplantation"
    if at < start:
        return False
    word, earlier = tokens[at].word, tokens[at - 1] if at > start else None
    if word == "for":
        return at == 0 or (earlier is not None and earlier.stem in _PREPARING_STEMS)
    return word == "before" or (word == "to" and earlier is not None and earlier.word == "prior")


def _is_there(tokens: Sequence[Token], first: int, start: int) -> bool:
    """Tell whether what stands before an operation or a device says that it is there: "follow-up after", "prior"."""
    near = range(max(start, first - _MOST_WORDS_BETWEEN), first)
    words = [tokens[at].word for at in near if (tokens[at].word, tokens[at + 1].word) != ("prior", "to")]
    if not _BEFORE_WHAT_IS_THERE.isdisjoint(words):
        return True
    at = first - 1
    while at > start and (tokens[at].word in ARTICLES or tokens[at].word.isalpha()) and tokens[at].word != "of":
        at -= 1
    return at > start and tokens[at].word == "of" and tokens[at - 1].stem not in _MAKING_STEMS | _PLAN_STEMS
