"""Closed lists of words by which doubt and the past are told, such as "also" inside "may also represent".

A name that ends in ``_STEMS`` holds stems (``tokens.stem``), any other holds lower-case words.
"""

from __future__ import annotations

from .tokens import stem
from .word_lists import AUXILIARIES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


# --- Doubt ----------------------------------------------------------------------------------------------------------

# They may stand inside a hedge of several words and change nothing: "cannot be entirely excluded".
ADVERB_STEMS_INSIDE_HEDGES = _stems(
    "also still now yet well quite entirely completely fully definitely definitively clearly confidently reliably "
    "certainly absolutely totally safely readily convincingly reasonably primarily mainly strongly highly clinically "
    "radiologically currently necessarily then therefore is are was were be been has have"
)
# A hedge that ends in one of these governs what follows as its object, a list as well: "suspicious for A and B".
GOVERNING_WORDS = _words(
    "of for with to as about regarding that is are includes include including exclude excludes excluding out may might "
    "could represent represents representing reflect reflects reflecting indicate indicates indicating suggest "
    "suggests suggesting consider favor favors favoring favour favours favouring question query"
)
# Behind an opinion, they lead to its object ("is suspicious for") …
WORDS_BEFORE_AN_OBJECT = _words("for of to that over than a an")
# … and these to its ground or place: "is unlikely given the history", "is likely in the right lobe".
PREPOSITIONS_BEHIND_AN_OPINION = _words("in on at given based considering as because since and but or , . ; )")
# What must, or cannot, be excluded is in doubt.
EXCLUSION_STEMS = _words("exclud rule")
# Before one of these stands what is found, behind it what is in doubt: "opacity from atelectasis versus pneumonia".
REASON_PREPOSITIONS = _words("with from by due reflecting representing showing containing")
# They open the reason of a finding that stands before them: "stranding secondary to surgery".
REASON_NOUNS = _words("due secondary owing because caused from")
# They give the ground of an opinion: "possible pneumonia given the fever".
REASON_OPENERS = _words("given considering")
# Between a hedge and what it doubts, they say nothing of their own: "may also be due to".
LINKING_WORDS = AUXILIARIES | _words(
    "be being it this that there also to the a an they these which now today currently"
)
# Hedges that put both sides in doubt: "atelectasis versus pneumonia"; the second word of others ("favored over").
CONTRASTS = _words("versus vs over than")

# --- The past ---------------------------------------------------------------------------------------------------

# They lead to an examination that something is compared with: "unchanged since the prior CT".
WORDS_OF_COMPARISON = _words("compared comparison relative since from than")
# Behind "than" they name an earlier day: "larger than before".
WORDS_OF_EARLIER_DAYS = _words("before previously prior earlier formerly")
# Words with one of these endings name an operation: "cholecystectomy".
OPERATION_WORD_ENDINGS = ("ectomy", "ectomies", "otomy", "otomies", "ostomy", "plasty", "pexy", "rrhaphy")
# Before an operation they say nothing more: it is past by nature.
WORDS_OF_THE_PAST = _words(
    "prior previous previously former old remote status post postoperative postsurgical history known s h hx"
)
# Beside an operation they say no more than that it was done: "postsurgical changes of cholecystectomy" …
STATE_WORDS = _words(
    "post postoperative postsurgical postprocedural postop surgical operative operation op after following prior "
    "previous change changes state status sequela sequelae appearance condition related due secondary"
)
# … with these between: "changes related to a prior cholecystectomy".
WORDS_BEFORE_AN_OPERATION = _words("of from to the a an his her their for - related due secondary")
# They say that an organ was taken out …
REMOVAL_STEMS = _stems("surgically removed resected operated surgery operation postoperatively explanted")
# … only in part …
PARTIAL_REMOVAL_STEMS = _stems("partial subtotal distal proximal segmental sleeve hemi wedge incomplete near")
# … or how and when.
WORDS_ABOUT_REMOVAL_STEMS = _stems("following post patient surgical secondary due because after")
# Between an examination and its date.
WORDS_BEFORE_A_DATE = _words("of from dated on performed done taken in ( ,")
# Behind one of these an examination is no subject: "on the prior CT".
WORDS_BEFORE_AN_EXAMINATION = _words("on in at by to with since from than of for")
# They tell what an examination of an earlier day found: "the prior CT showed a cyst".
PAST_VERBS_OF_SHOWING = _words("showed demonstrated revealed described reported documented identified depicted had")
PAST_AUXILIARIES = _words("was were had")
PRESENT_VERBS = _words("is are has have measures measure remains remain shows show appears appear persists persist")
