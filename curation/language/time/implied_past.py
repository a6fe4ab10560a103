"""Words that say no more than that an operation was done, as each was that a report names and does not plan.

"Status post cholecystectomy", "prior cholecystectomy", "postsurgical changes of cholecystectomy", "post-cholecystectomy
state" and "cholecystectomy changes" say the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..doubt_and_past_words import STATE_WORDS, WORDS_BEFORE_AN_OPERATION, WORDS_OF_THE_PAST
from ..parsed_statement import Term
from ..past import is_operation_word
from ..tokens import Token
from ..word_lists import POSITION_STEMS


def without_implied_past(tokens: Sequence[Token], terms: list[Term]) -> list[Term]:
    """Return the terms without what says that an operation is past, as each is: "prior", "status post".

    What calls it a state, or what it left a change, stays and is marked as implied: "postsurgical changes of".
    """
    named = [at for at, token in enumerate(tokens) if is_operation_word(token.word)]
    operations = [
        at
        for at, term in enumerate(terms)
        if (term.entry is not None and "operation" in term.entry.flags)
        or (named and any(term.start <= index < term.end for index in named))
    ]
    if not operations:
        return terms
    for at in operations:
        _mark_states(tokens, terms, at)
    past = [at for at, term in enumerate(terms) if _tells_of_the_past(tokens, term)]
    implied = set()
    for at in past:
        following = next((terms[later] for later in operations if later > at), None)
        between = [later for later in terms[at + 1 :] if following is not None and later.end <= following.start]
        if following is not None and all(_only_says_which(term) or _describes(tokens, term) for term in between):
            implied.add(at)
    return [term for at, term in enumerate(terms) if at not in implied] if implied else terms


def _mark_states(tokens: Sequence[Token], terms: Sequence[Term], at: int) -> None:
    """Mark the words beside an operation that only say that it was done: "(changes of) cholecystectomy"."""
    following, is_named = terms[at], False
    for term in reversed(terms[:at]):
        if any(token.word not in WORDS_BEFORE_AN_OPERATION for token in tokens[term.end : following.start]):
            break
        if _names_a_state(tokens, term):
            term.implied = is_named = True
        elif _tells_of_the_past(tokens, term):
            is_named = True
        elif is_named or not (_only_says_which(term) or _describes(tokens, term)):
            break  # "changes of the liver after splenectomy" are none of the splenectomy
        following = term
    end = terms[at].end
    for term in terms[at + 1 :]:
        if any(token.word != "-" for token in tokens[end : term.start]) or not _names_a_state(tokens, term):
            break
        term.implied, end = True, term.end


def _names_a_state(tokens: Sequence[Token], term: Term) -> bool:
    return term.kind in ("finding", "modifier") and all(
        token.word in STATE_WORDS for token in tokens[term.start : term.end]
    )


def _tells_of_the_past(tokens: Sequence[Token], term: Term) -> bool:
    if term.key == "time:previous":
        return True
    is_history = term.entry is not None and "history" in term.entry.flags
    return is_history and tokens[term.start].word in WORDS_OF_THE_PAST


def _only_says_which(term: Term) -> bool:
    return term.kind in ("side", "organ", "modifier") or term.attribute or term.key in POSITION_STEMS


def _describes(tokens: Sequence[Token], term: Term) -> bool:
    """Tell whether a word that the lexicon does not list stands right before another one: "pterional craniotomy"."""
    if term.kind != "finding" or term.entry is not None or term.end >= len(tokens):
        return False
    return tokens[term.end].word.isalpha()
