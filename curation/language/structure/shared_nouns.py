"""Names of organs that a list shares the noun of: "thoracic and lumbar spine" names two spines."""

from __future__ import annotations

from collections.abc import Sequence

from prompts.vocabulary import Vocabulary

from ..mentions import OrganMention
from ..tokens import Token
from ..word_lists import NAME_JOINERS, SIDES


def share_noun(
    before: list[OrganMention], mention: OrganMention, tokens: Sequence[Token], vocabulary: Vocabulary
) -> None:
    """Give the adjectives in ``before`` that are joined to ``mention`` its noun, where that names an organ."""
    following = mention
    for at in range(len(before) - 1, -1, -1):
        adjective = before[at]
        between = [token.word for token in tokens[adjective.end : following.start]]
        is_joined = between[:1] != [] and between[0] in NAME_JOINERS and SIDES.keys() >= set(between[1:])
        if not adjective.adjective or not is_joined:
            return
        words = tokens[adjective.start : adjective.end]
        cuts = range(mention.start + 1, mention.end)
        names = ((cut, vocabulary.resolve(spelled([*words, *tokens[cut : mention.end]]))) for cut in cuts)
        cut, name = next(((cut, name) for cut, name in names if name), (0, None))
        if name is None or "lymph nodes" in vocabulary.ancestors(name):  # a station, not another noun
            return
        noun = (cut, mention.end)
        before[at] = following = OrganMention(adjective.start, adjective.end, (name,), plural=mention.plural, noun=noun)


def spelled(tokens: Sequence[Token]) -> str:
    """Return tokens as a phrase; what was written without a space (7th) stays without one."""
    parts = [
        token.word if index and tokens[index - 1].end == token.start else f" {token.word}"
        for index, token in enumerate(tokens)
    ]
    return "".join(parts).strip()
