"""Which prompts count as known: those near a trained word, and no word that means nothing."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from models.connectors import Connector, build_connector
from models.known_words import OTHER_ORGAN, KnownWords
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


def known_by(model: Connector) -> KnownWords:
    assert model.known is not None
    return model.known


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


def test_a_prompt_is_read_as_the_trained_word_that_is_clearly_nearest() -> None:
    prompts, model = prompts_of(), connector()
    embeddings = embeddings_of(prompts)
    know_words(model, prompts, embeddings)
    assert model.known is not None
    own, left, right = (embeddings[text] for text in ("spinal cord", "left kidney", "right kidney"))
    aside = embeddings[TRAINED_NONSENSE[0]]
    unseen = functional.normalize(own + 0.7 * aside, dim=-1)
    both = functional.normalize(left + right, dim=-1)  # of a group that was not trained
    read = model.known.read(torch.stack((own, unseen, both, aside)))
    torch.testing.assert_close(read, torch.stack((own, own, both, aside)))
    # A synonym of the same structure is no other meaning, however near.
    name, synonym = sorted(prompts.trained["spinal_cord"], key=lambda text: text != "spinal cord")[:2]
    embeddings[synonym] = functional.normalize(embeddings[name] + 0.1 * aside, dim=-1)
    know_words(again := connector(), prompts, embeddings)
    assert again.known is not None
    torch.testing.assert_close(again.known.read(unseen[None])[0], embeddings[synonym])
    # Masks and presence are those of the word, outside of training alone.
    for ours, theirs in zip(model(unseen[None]), model(own[None]), strict=True):
        torch.testing.assert_close(ours.vectors, theirs.vectors)
    torch.testing.assert_close(model.presence(unseen[None]).vectors, model.presence(own[None]).vectors)
    model.train()
    assert not torch.allclose(model(unseen[None])[0].vectors, model(own[None])[0].vectors)


def test_a_prompt_between_like_named_structures_is_read_as_their_names() -> None:
    prompts, model = prompts_of(), connector()
    assert not prompts.trained_of_groups
    embeddings = embeddings_of(prompts)
    know_words(model, prompts, embeddings)
    left, right = embeddings["left kidney"], embeddings["right kidney"]
    # "kidney" is in all of these, and a group's name comes to lie at the mean of both.
    of_side = [[text for text in prompts.trained[f"kidney_{side}"] if "kidney" in text] for side in ("left", "right")]
    means = [functional.normalize(sum(embeddings[text] for text in texts), dim=-1) for texts in of_side]  # type: ignore[arg-type]
    both, one = known_by(model).read_as(torch.stack((means[0] + means[1], left)))
    of_kidneys = known_by(model).read_as(torch.stack((left, right)))
    assert {*both.tolist()} == {float(of_one) for of_one in of_kidneys} and one.tolist() == of_kidneys[0].tolist()
    assert len({*both.tolist()}) == 2
    # One that goes on with other data has the unions of these.
    second = prompts_of(("liver", "spleen"))
    embeddings |= {text: vector for text, vector in embeddings_of(second).items() if text not in embeddings}
    know_words(model, second, embeddings)
    assert not len(known_by(model).unions)
    know_words(model, prompts, embeddings)
    again, *of_kidneys = known_by(model).read_as(torch.stack((means[0] + means[1], left, right)))
    assert {*again.tolist()} == {float(of_one) for of_one in of_kidneys} and len(again) == 2


def test_an_organ_that_training_does_not_have_is_absent_and_so_is_what_is_far_nearer_to_it() -> None:
    prompts, model = prompts_of(), connector()
    embeddings = embeddings_of(prompts)
    own, aside = embeddings["spinal cord"], embeddings[TRAINED_NONSENSE[0]]
    embeddings["stomach"] = functional.normalize(0.6 * own + 0.8 * aside, dim=-1)
    know_words(model, prompts, embeddings)
    assert model.known is not None and float(model.known.limit(embeddings["stomach"][None])) > 0
    know_words(again := connector(), prompts, embeddings, ["stomach"])
    assert again.known is not None
    gastric, between = (
        functional.normalize(share * own + (1 - share) * embeddings["stomach"], dim=-1) for share in (0.05, 0.5)
    )
    limit = again.known.limit(torch.stack((embeddings["stomach"], gastric, between, own)))
    assert limit[0] < limit[1] < 0 < limit[2] < limit[3]
    # One that is nearly as near to a trained word is absent by its own name, and is not read as that word.
    embeddings["cord blood"] = functional.normalize(0.85 * own + 0.53 * aside, dim=-1)
    know_words(nearer := connector(), prompts, embeddings, ["cord blood"])
    assert nearer.known is not None
    asked = torch.stack((embeddings["cord blood"], functional.normalize(embeddings["cord blood"] + 0.9 * own, dim=-1)))
    limit = nearer.known.limit(asked)
    assert limit[0] < 0 < limit[1]
    torch.testing.assert_close(nearer.known.read(asked), asked)
    # It is no trained word, whatever is near it.
    assert float(again.known.nearness(embeddings["stomach"][None])) < 0.7
    assert not torch.equal(again.known.read(own[None])[0], embeddings["stomach"])


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


def test_words_of_one_structure_stay_one_where_some_of_them_are_trained_again() -> None:
    first, model = prompts_of(), connector()
    embeddings = embeddings_of(first)
    know_words(model, first, embeddings)
    again = replace(first, trained={name: prompts[:1] for name, prompts in first.trained.items()})
    know_words(model, again, embeddings)
    words = [embeddings[word] for word in first.trained["spinal_cord"]]
    assert len(words) > 1 and len(known_by(model).vectors) == len(first.trained_prompts)
    rows = [int((known_by(model).vectors @ word).argmax()) for word in words]
    assert len({float(known_by(model).meanings[row]) for row in rows}) == 1
    assert len({float(meaning) for meaning in known_by(model).meanings}) == len(STRUCTURES)


def test_of_a_connector_that_goes_on_an_organ_is_another_one_where_it_always_was() -> None:
    first, second, model = prompts_of(), prompts_of(("liver", "spleen")), connector()
    embeddings = embeddings_of(first, second)
    generator = torch.Generator().manual_seed(5)
    for text in ("stomach", "pancreas", "left kidney parts"):
        embeddings[text] = functional.normalize(torch.randn(EMBEDDING, generator=generator), dim=-1)
    know_words(model, first, embeddings, ["liver", "stomach", "pancreas"])
    know_words(model, second, embeddings, ["spinal cord", "stomach", "left kidney parts"])
    assert model.known is not None
    asked = ("spinal cord", "liver", "stomach", "pancreas", "left kidney parts")
    cosines = torch.stack([embeddings[text] for text in asked]) @ model.known.vectors.T
    meanings = [int(model.known.meanings[row.argmax()]) if float(row.max()) > 0.999 else None for row in cosines]
    assert meanings[2:] == [OTHER_ORGAN, None, None] and None not in meanings[:2]
    assert len({*meanings}) == 4 and OTHER_ORGAN not in meanings[:2]
