"""Queries: what they multiply, and that they depend on the prompt alone, and on the image where it is looked at."""

import pytest
import torch

from models.blocks import position_encoding
from models.connectors import CONNECTORS, Connector, Queries, build_connector
from tests.models.tiny import EMBEDDING, embeddings

CHANNELS = (4, 8, 6)
TOKENS = 64


def built(kind: str, per_prompt: int = 1) -> Connector:
    torch.manual_seed(0)
    return build_connector(kind, EMBEDDING, CHANNELS, TOKENS, hidden=64, per_prompt=per_prompt).eval()


def queries_of(kind: str, prompts: torch.Tensor, seed: int = 1) -> tuple[Queries, ...]:
    tokens = torch.randn(2, 64, 2, 3, 4, generator=torch.Generator().manual_seed(seed))
    queries: tuple[Queries, ...] = built(kind)(prompts, tokens)
    return queries


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_logits_are_scale_times_product_plus_bias(batched: bool, dtype: torch.dtype) -> None:
    lead = (2, 5) if batched else (5,)
    vectors, scale, bias = (
        torch.randn(*lead, 3, dtype=dtype),
        torch.rand(lead, dtype=dtype),
        torch.randn(lead, dtype=dtype),
    )
    features = torch.randn(2, 3, 4, 2, 3, dtype=dtype).to(memory_format=torch.channels_last_3d)
    logits = Queries(vectors, scale, bias).logits(features)
    assert logits.shape == (2, 5, 4, 2, 3)
    for image in range(2):
        for prompt in range(5):
            at = (image, prompt) if batched else (prompt,)
            product = sum(vectors[(*at, channel)] * features[image, channel] for channel in range(3))
            torch.testing.assert_close(logits[image, prompt], scale[at] * product + bias[at])


@pytest.mark.parametrize("kind", CONNECTORS)
def test_there_is_a_query_for_each_prompt_in_each_space(kind: str) -> None:
    queries = queries_of(kind, embeddings(5))
    # The image has no part in the last, whatever the connector.
    looking = (2, 5) if built(kind).needs_image else (5,)
    leads = [looking, looking, (5,)]
    assert [query.vectors.shape for query in queries] == [
        (*lead, channels) for lead, channels in zip(leads, CHANNELS, strict=True)
    ]
    for query, lead in zip(queries, leads, strict=True):
        assert query.scale.shape == query.bias.shape == lead
        torch.testing.assert_close(query.vectors.norm(dim=-1), torch.ones(lead))
        assert (query.scale > 0).all()


@pytest.mark.parametrize("kind", CONNECTORS)
def test_several_queries_of_a_prompt_are_joined_but_for_presence(kind: str) -> None:
    connector, prompts = built(kind, 3), embeddings(5)
    *levels, presence = connector(prompts, torch.randn(2, TOKENS, 2, 3, 4))
    assert presence.vectors.shape == (5, CHANNELS[-1]) and presence.per_prompt == 1
    for query, channels in zip(levels, CHANNELS, strict=False):
        assert query.vectors.shape[-2:] == (15, channels) and query.scale.shape[-1:] == (15,)
        # Each prompt has three of its own, and no two of them are the same.
        assert len(torch.unique(query.vectors.detach().flatten(0, -2), dim=0)) == query.vectors.flatten(0, -2).shape[0]
        features = torch.randn(2, channels, 2, 2, 3)
        single, joined = query.query_logits(features), query.logits(features)
        assert joined.shape == (2, 5, 2, 2, 3)
        torch.testing.assert_close(joined[1, 4], single[1, 12:15].exp().sum(0).log(), atol=1e-4, rtol=1e-4)
    if not connector.needs_image:
        some = levels[0].of_prompts(torch.tensor([4, 1])).logits(torch.ones(1, CHANNELS[0], 2))
        torch.testing.assert_close(some, levels[0].logits(torch.ones(1, CHANNELS[0], 2))[:, [4, 1]])


def test_several_queries_begin_where_one_does() -> None:
    one, three = (built("mlp", count)(embeddings(4))[0] for count in (1, 3))
    at_zero = torch.zeros(1, CHANNELS[0], 2)
    torch.testing.assert_close(three.logits(at_zero), one.logits(at_zero))


@pytest.mark.parametrize("kind", CONNECTORS)
def test_a_query_does_not_depend_on_the_other_prompts(kind: str) -> None:
    prompts = embeddings(6)
    together, alone = queries_of(kind, prompts), queries_of(kind, prompts[[4]])
    turned = queries_of(kind, prompts.flip(0))
    for all_prompts, one_prompt, other_order in zip(together, alone, turned, strict=True):
        for several, single, flipped in zip(all_prompts[:3], one_prompt[:3], other_order[:3], strict=True):
            # No image has a part in the last query.
            prompts_at = 1 if built(kind).needs_image and all_prompts is not together[-1] else 0
            torch.testing.assert_close(several.select(prompts_at, 4), single.select(prompts_at, 0))
            torch.testing.assert_close(several, flipped.flip(prompts_at))


def test_only_cross_attention_sees_the_image() -> None:
    for kind, same in (("mlp", True), ("cross_attention", False)):
        queries, other_image = queries_of(kind, embeddings(3), seed=1), queries_of(kind, embeddings(3), seed=2)
        assert torch.allclose(queries[0].vectors, other_image[0].vectors) == same
    with pytest.raises(ValueError, match="needs the image's tokens"):
        built("cross_attention")(embeddings(2))


def test_cross_attention_knows_where_a_token_is() -> None:
    tokens = torch.randn(1, 64, 2, 3, 4)
    connector = built("cross_attention")
    there, mirrored = connector(embeddings(2), tokens)[0], connector(embeddings(2), tokens.flip(4))[0]
    assert not torch.allclose(there.vectors, mirrored.vectors, atol=1e-4)


def test_places_differ_and_lie_within_one() -> None:
    place = position_encoding(torch.zeros(1, 3, 4, 5, 6))
    assert place.shape[0] == 120 and place.abs().max() <= 1
    assert len(torch.unique(place, dim=0)) == 120
    assert torch.isfinite(position_encoding(torch.zeros(1, 3, 1, 1, 2))).all()


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_parameter_has_a_gradient_and_every_prompt_its_own_mask(kind: str) -> None:
    connector = built(kind)
    queries = connector(embeddings(4), torch.randn(1, 64, 2, 2, 2))
    losses = [(query.vectors.sum(-1) * query.scale + query.bias).square().sum() for query in queries]
    torch.autograd.backward(losses)
    untouched = [name for name, parameter in connector.named_parameters() if parameter.grad is None]
    assert untouched == []
    assert len(torch.unique(queries[0].vectors.detach().flatten(0, -2), dim=0)) == 4


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(ValueError, match="one of mlp, cross_attention, not 'film'"):
        build_connector("film", EMBEDDING, CHANNELS, TOKENS)
    with pytest.raises(ValueError, match=r"embeddings are \(P, 32\), not \(2, 31\)"):
        built("mlp")(torch.zeros(2, 31))
    with pytest.raises(ValueError, match="at least one query, not 0"):
        built("mlp", 0)
    with pytest.raises(ValueError, match="cannot be shared among 8"):
        build_connector("cross_attention", EMBEDDING, CHANNELS, TOKENS, hidden=60)
