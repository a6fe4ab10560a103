"""Why a caption is refused: the reasons, and the sentences that tell a person what the evidence lacks.

``Mismatch`` values come from matching one term (``organ_matching.py``, ``words/``), or one clause
(``clause_matching.py``). ``RefusalCause`` is what a check against one statement ends with (``entailment.py``,
``omissions.py``, ``filing.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from curation.caption import Reason


@dataclass(slots=True)
class RefusalCause:
    """One thing that the evidence does not carry, or that the caption leaves off.

    ``missing`` are the words of the caption that the evidence lacks. ``of_word``: they name a finding or a quality that
    the evidence may have in other words (``missing_words.py``).
    """

    reason: Reason
    detail: str
    final: bool = False  # no other statement of the report makes up for it
    missing: str = ""
    of_word: bool = False


class Mismatch(NamedTuple):
    """A term of a caption that the evidence does not carry.

    ``message`` is for the person, with {words} of the caption and {organs} of the evidence to fill in. ``weight`` is
    the share of the term that the evidence has all the same: the word, but turned round.
    """

    reason: Reason
    message: str
    weight: float = 0.0
    final: bool = False  # no other statement of the report makes up for it

    def cause(self, words: str, organs: Iterable[str], of_word: bool = False) -> RefusalCause:
        """Return the cause of a refusal, told with the caption's words and the organs of the evidence."""
        detail = self.message.format(words=words, organs=listed(organs))
        return RefusalCause(self.reason, detail, self.final, words, of_word)


def listed(names: Iterable[str]) -> str:
    """Return names as a list for a person, each once."""
    return ", ".join(dict.fromkeys(names))


_TURNED = 0.5
"""Weight of a word that is in the evidence, but affirmed, denied or doubted the other way."""

NO_WORD = Mismatch(Reason.NOT_GROUNDED, "“{words}” is not in the evidence")
REPEATED = Mismatch(Reason.NOT_GROUNDED, "“{words}” is once in the evidence, not twice")
NO_QUALIFIER = Mismatch(Reason.MODIFIER, "“{words}” is not in the evidence")
NO_MEASURE = Mismatch(Reason.MEASUREMENT, "“{words}” is not in the evidence")
SIDE_NOT_STATED = Mismatch(Reason.LATERALITY, "“{words}” is not what the evidence says")
OTHER_SIDE = Mismatch(Reason.LATERALITY, "“{words}” where the evidence has {organs}")
OTHER_ORGAN = Mismatch(Reason.WRONG_ORGAN, "“{words}” is not in the evidence; the evidence is about {organs}")
NO_ORGAN = Mismatch(Reason.WRONG_ORGAN, "“{words}” is not in the evidence; the evidence names no organ")
ONLY_PART = Mismatch(Reason.WRONG_ORGAN, "the evidence is about {organs} and not about all of “{words}”")
REVERSED_FOR_ORGAN = Mismatch(
    Reason.NEGATION, "the evidence is the opposite about “{words}” itself", _TURNED, final=True
)
OF_ANOTHER = Mismatch(Reason.MODIFIER, "“{words}” belongs to something else in the evidence", _TURNED)
MEASURE_OF_ANOTHER = OF_ANOTHER._replace(reason=Reason.MEASUREMENT)
SITE_OF_ANOTHER = OF_ANOTHER._replace(reason=Reason.WRONG_ORGAN)
SIDE_OF_ANOTHER = OF_ANOTHER._replace(reason=Reason.LATERALITY)
DENIED = Mismatch(Reason.NEGATION, "the evidence denies “{words}”", _TURNED)
NOT_DENIED = Mismatch(Reason.NEGATION, "the evidence does not deny “{words}”", _TURNED)
ONLY_A_KIND = Mismatch(Reason.MODIFIER, "the evidence denies only a certain kind of “{words}”", _TURNED)
ONLY_ASPECT = Mismatch(Reason.MODIFIER, "the evidence calls only an aspect of it “{words}”", _TURNED)
ONLY_NORMAL_PART = Mismatch(Reason.MODIFIER, "the evidence calls only a part of it “{words}”", 1.0)
OTHER_ASPECT = Mismatch(Reason.MODIFIER, "the evidence does not call that aspect “{words}”", _TURNED)
ONLY_SUSPECTED = Mismatch(Reason.MODIFIER, "the evidence only suspects “{words}”", _TURNED)
NOT_DOUBTED = Mismatch(Reason.MODIFIER, "the evidence does not put “{words}” in doubt", _TURNED)
ONLY_EARLIER = Mismatch(Reason.MODIFIER, "the evidence reports “{words}” of an earlier day", _TURNED)
