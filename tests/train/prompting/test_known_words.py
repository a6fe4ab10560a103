"""Which prompts count as known: those near a trained word, and no word that means nothing."""

import torch
from torch import Tensor
from torch.nn import functional

from models.connectors import Connector, build_connector
from models.segmenter import MaskStatistics, presence_logits
from train.config.prompting import HoldOut
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.prompting.known_words import know_words
from train.prompting.nonsense_words import TRAINED_NONSENSE

EMBEDDING = 64
STRUCTURES = ("spinal_cord", "kidney_left", "kidney_right")


def connector() -> Connector:
    torch.manual_seed(0)
    return build_connector("mlp", EMBEDDING, (4, 6), 8, hidden=16).eval()


def prompts_of(structures: tuple[str, ...] = STRUCTURES) -> StructurePrompts:
    return build_structure_prompts(structures, hold_out=HoldOut.parse("all"))


def embeddings_of(*prompts: StructurePrompts) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    texts = [*(text for each in prompts for text in sorted(each.trained_prompts)), *TRAINED_NONSENSE]
    vectors = functional.normalize(torch.randn(len(texts), EMBEDDING, generator=generator), dim=-1)
    return dict(zip(texts, vectors, strict=True))


def test_a_prompt_near_a_trained_word_may_be_there_and_one_that_means_nothing_may_not() -> None:
    prompts, model = prompts_of(), connector()
    embeddings = embeddings_of(prompts)
    know_words(model, prompts, embeddings)
    assert model.known is not None and len(model.known.vectors) == len(prompts.trained_prompts)
    name, nonsense = embeddings["spinal cord"], torch.stack([embeddings[word] for word in TRAINED_NONSENSE])
    # A word that was never seen, as far from its nearest as synonyms lie apart, and not of length 1.
    unseen = 3 * (name + 0.9 * nonsense[0])
    limit = model.known.limit(torch.stack((name, unseen)))
    assert limit[0] > limit[1] > 0
    assert int((model.known.limit(nonsense) > 0).sum()) == 1  # 1 % of 73 words


def test_the_limit_is_on_presence_outside_of_training_alone() -> None:
    prompts, model = prompts_of(), connector()
    embeddings = embeddings_of(prompts)
    asked = torch.stack([embeddings["spinal cord"], embeddings[TRAINED_NONSENSE[3]]])
    statistics = MaskStatistics.of(torch.full((1, 2, 50), 4.0), torch.randn(1, 4, 50))
    before = presence_logits(model.presence(asked), statistics)
    assert model.presence(asked).limit is None
    know_words(model, prompts, embeddings)
    assert model.known is not None
    limit = model.known.limit(asked)
    torch.testing.assert_close(presence_logits(model.presence(asked), statistics), torch.minimum(before, limit))
    *levels, presence = model(asked)
    assert presence.limit is not None and all(level.limit is None for level in levels)
    model.train()
    torch.testing.assert_close(presence_logits(model.presence(asked), statistics), before)


def test_a_connector_that_goes_on_keeps_the_words_that_it_knows() -> None:
    first, model = prompts_of(), connector()
    second = prompts_of(("liver", "spleen"))
    embeddings = embeddings_of(first, second)
    know_words(model, first, embeddings)
    know_words(model, second, embeddings)
    know_words(model, second, embeddings)
    assert model.known is not None and len(model.known.vectors) == len(first.trained_prompts | second.trained_prompts)
    nearest = model.known.nearness(torch.stack([embeddings["spinal cord"], embeddings["liver"]]))
    torch.testing.assert_close(nearest, torch.ones(2))
