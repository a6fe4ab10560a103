"""Kinds of captions: their registers, and the word lists and edits that several of them share.

A kind is a function that makes (organ, caption) of a statement, or None where it does not apply or where its truth
label would not surely be true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from benchmarks.quality.captions.statements import Document, Statement, organs_in

FAITHFUL: dict[str, Kind] = {}
"""The kinds that a verifier should accept, by name."""
HALLUCINATED: dict[str, Kind] = {}
"""The kinds that it should refuse, by name."""


def faithful(kind: Kind) -> Kind:
    """Register a kind whose captions are true."""
    FAITHFUL[kind.__name__] = kind
    return kind


def hallucinated(kind: Kind) -> Kind:
    """Register a kind whose captions are false."""
    HALLUCINATED[kind.__name__] = kind
    return kind


class ChangedClaim(NamedTuple):
    """A caption about an organ, of a report that has ``instead`` in place of the statement."""

    organ: str
    caption: str
    instead: str


Claim = tuple[str, str] | ChangedClaim

Kind = Callable[[Random, Document, Statement], "Claim | None"]

BE = r"(?:is|are|was|were)"

SEEN = r"(?:seen|observed|noted|detected|identified|present|demonstrated|visuali[sz]ed|appreciated|found|evident)"

FINDING = (
    r"(?:nodules?|mass(?:es)?|consolidations?|effusions?|cysts?|calcul(?:us|i)|stones?|fractures?|calcifications?|atelectas[ie]s|"
    r"emphysema|bronchiectas[ie]s|hernias?|aneurysms?|thromb(?:us|osis)|h(?:a)?emorrhage|h(?:a)?ematomas?|(?:o)?edema|abscess(?:es)?|"
    r"thickenings?|opacit(?:y|ies)|infiltrat(?:ion|ions|e|es)|lymphadenopathy|pneumothorax|ascites|stenosis|osteophytes?|plaques?|"
    r"lesions?|densit(?:y|ies)|dilatation|diverticul(?:a|osis|itis)|steatosis|infarct(?:ion)?s?|hydronephrosis|swelling)"
)

ADJECTIVE = (
    r"(?:(?:pleural|pericardial|hiatal|renal|hepatic|cortical|pulmonary|simple|calcified|calcific|atheroma|"
    r"hypodense|linear|subpleural|nonspecific|ground[- ]glass|centrilobular|paraseptal|mucosal|wall|lymph|cystic|solid|"
    r"free|soft tissue|bronchial|parenchymal|millimetric|\d+(?:\.\d+)?(?: ?[x×] ?\d+(?:\.\d+)?)? ?(?:mm|cm)) )*"
)

NOUN_PHRASE = re.compile(rf"\b{ADJECTIVE}{FINDING}\b", re.IGNORECASE)


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def without_article(text: str) -> str:
    return re.sub(r"^(?:There (?:is|are|was|were) )?(?:(?:an?|the|some) )?", "", text.strip(), flags=re.IGNORECASE)


def replace_match(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + (capitalised(new) if match.group()[0].isupper() else new) + text[match.end() :]


def organ_of(caption: str, fallback: Statement) -> str:
    return (organs_in(caption) or fallback.organs)[0]


def with_opposite_word(rng: Random, doc: Document, statement: Statement, table: Mapping[str, str]) -> Claim | None:
    """Return a statement with one word of a table replaced by its opposite."""
    words = "|".join(sorted(table, key=len, reverse=True))
    matches = list(re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])(?! bowel)", statement.text, re.IGNORECASE))
    if not matches:
        return None
    match = rng.choice(matches)
    new = table[match.group().lower()]
    if new[:5] in statement.text.lower().replace(match.group().lower(), "") or doc.echoes(statement.text, new):
        return None
    return statement.organs[0], replace_match(statement.text, match, new)


def with_inserted_word(rng: Random, doc: Document, statement: Statement, words: Mapping[str, str]) -> Claim | None:
    """Return a plainly positive statement with a word before its finding, in a report that nowhere says the like.

    `words` maps each word to the beginnings of all words that say nearly the same.
    """
    match = NOUN_PHRASE.search(statement.text)
    if not match or not statement.positive:
        return None
    options = [word for word, like in words.items() if not re.search(rf"\b(?:{like}|{word[:5]})", doc.flat)]
    if not options:
        return None
    word = rng.choice(options)
    article = "an " if word[0] in "aeiou" else "a "
    before = re.sub(r"\ban? $", article, statement.text[: match.start()])
    before = re.sub(r"\bAn? $", article.capitalize(), before)
    noun = match.group()
    noun = noun if before else noun[:1].lower() + noun[1:]
    return statement.organs[0], f"{before}{word if before else capitalised(word)} {noun}{statement.text[match.end() :]}"
