"""Whether an organ is a subject or only the place beside which something lies: "a nodule adjacent to the spleen".

What lies around an organ may have a name of its own: "stranding around the pancreas" is "peripancreatic stranding".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prompts.vocabulary import Vocabulary

from ..mentions import OrganMention
from ..tokens import Token
from ..word_lists import (
    ARTICLES,
    CLAUSE_ENDS,
    LEVEL_NOUNS,
    NEVER_A_PLACE,
    PLACE_ADJECTIVES,
    PLACE_NOUNS_BEFORE_OF,
    PLACE_PREPOSITIONS,
    PLACE_WORDS_BEFORE_TO,
    PREPOSITIONS_AFTER_PLACE_WORDS,
    SIDES,
)

# Before "from" and an organ, they tell that something is not part of it: "a cyst separate from the pancreas".
_SEPARATED = frozenset("separate separated distinct distant apart away".split())
# They open what is added between commas before the organ: "adjacent to, but not arising from, the pancreas".
_ADDED = frozenset("but yet and not without although though while clearly".split())

# Between an article and the name of an organ, they say which one: "below the lowest renal artery".
_WHICH = frozenset("lowest highest uppermost lowermost nearest".split())
_PASSED = ARTICLES | SIDES.keys() | _WHICH
_AROUND = frozenset(("around", "surrounding", "encircling"))
# They lie inside the organ that they are named after, or are all that it lines.
_INSIDE = frozenset(("perihilar regions", "periportal region", "peritoneal cavity"))


def mark_places(mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> None:
    """Mark the mentions that only tell where something else lies, both of "between the liver and the stomach"."""
    earlier: OrganMention | None = None
    for mention in mentions:
        is_place = _is_place(tokens, mention) or (earlier is not None and _is_other_end(tokens, earlier, mention))
        mention.place = is_place and not NEVER_A_PLACE.intersection(mention.names)
        earlier = mention


def _is_place(tokens: Sequence[Token], mention: OrganMention) -> bool:
    """Tell whether the words around a mention make it a place relative to which something else is described."""
    if mention.end < len(tokens) and tokens[mention.end].word in LEVEL_NOUNS:
        return True
    at = _before_articles(tokens, mention.start)
    at = _before_added(tokens, at)
    if at < 0:
        return False
    word = tokens[at].word
    if word in PLACE_PREPOSITIONS:
        return not (word in PLACE_ADJECTIVES and at == mention.start - 1 and _opens_clause(tokens, at))
    if word in PREPOSITIONS_AFTER_PLACE_WORDS and at:
        return tokens[at - 1].word in PLACE_WORDS_BEFORE_TO
    if word == "from" and at:
        return tokens[at - 1].word in _SEPARATED
    return word == "of" and at > 0 and tokens[at - 1].word in PLACE_NOUNS_BEFORE_OF


def _is_other_end(tokens: Sequence[Token], earlier: OrganMention, mention: OrganMention) -> bool:
    """Tell whether a mention is the second of "between A and B", of which ``earlier`` is the first."""
    before = _before_articles(tokens, earlier.start)
    between = [token.word for token in tokens[earlier.end : mention.start]]
    is_pair = "and" in between and all(word in ARTICLES or word in SIDES for word in between)
    return is_pair and before >= 0 and tokens[before].word == "between"


def _before_articles(tokens: Sequence[Token], start: int) -> int:
    """Return the index of the token before a mention that begins at ``start``, apart from articles and sides."""
    at = start - 1
    passed = _PASSED
    while at >= 0 and tokens[at].word in passed and tokens[at].word != "of":
        at -= 1
    return at


def _before_added(tokens: Sequence[Token], at: int) -> int:
    """Return the index before what is added between two commas of which ``at`` is the second; ``at`` elsewhere."""
    if at < 0 or tokens[at].word != ",":
        return at
    opening = next((index for index in range(at - 1, -1, -1) if tokens[index].word in CLAUSE_ENDS - {"but"}), -1)
    is_added = opening > 0 and tokens[opening].word == "," and tokens[opening + 1].word in _ADDED
    return opening - 1 if is_added else at


def _opens_clause(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a clause begins at ``at``, apart from articles: its subject is what stands there."""
    while at > 0 and tokens[at - 1].word in ARTICLES and tokens[at - 1].word != "of":
        at -= 1
    return at == 0 or tokens[at - 1].word in CLAUSE_ENDS


def surroundings_of(vocabulary: Vocabulary) -> dict[str, str]:
    """Return the region around each organ that has one with a name of its own, for both sides of a pair as well."""
    regions: dict[str, str] = {}
    for region in vocabulary.organs.values():
        if region.around is None or region.name in _INSIDE or not region.name.startswith("peri"):
            continue
        regions.setdefault(region.around, region.name)
        sides = zip(vocabulary.sided(region.around) or (), vocabulary.sided(region.name) or (), strict=False)
        regions.update(sides)
    return regions


def name_surroundings(mentions: Sequence[OrganMention], tokens: Sequence[Token], regions: Mapping[str, str]) -> None:
    """Let "around" and an organ name the region around it: "around the left kidney" is the left perinephric space."""
    for mention in mentions:
        if not mention.place or any(name not in regions for name in mention.names):
            continue
        at = mention.start - 1
        while at > 0 and tokens[at].word in ARTICLES:
            at -= 1
        if at >= 0 and tokens[at].word in _AROUND:
            mention.start, mention.place = at, False
            mention.names = tuple(regions[name] for name in mention.names)
