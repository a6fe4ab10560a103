"""What the vocabulary says about words, without what an evaluation holds out."""

import torch
from torch.nn import functional

from models.connectors import build_connector
from prompts.vocabulary import load_vocabulary
from train.structure_prompts import prompt_book
from train.wording_pairs import WordingLoss, WordingPair, texts_of, wording_pairs

STRUCTURES = ("kidney_left", "kidney_right", "lung_upper_lobe_left", "lung_lower_lobe_left", "liver", "my_own_label")


def test_no_word_that_an_evaluation_holds_out_and_no_group_of_its_structures_is_learned() -> None:
    book = prompt_book(STRUCTURES)
    pairs = [pair for each in wording_pairs(book) for pair in each]
    held_out = {text for texts in (*book.held_out.values(), *book.group_prompts.values()) for text in texts}
    assert held_out and not held_out & {pair.text for pair in pairs}
    vocabulary, own = load_vocabulary(), {"left kidney", "right kidney", "left upper lobe", "left lower lobe", "liver"}
    for pair in pairs:
        if len(pair.means) > 1:
            below = set(pair.means) | {part for name in pair.means for part in vocabulary.descendants(name)}
            assert not below & own, pair


def test_trained_synonyms_and_other_organs_synonyms_and_groups_are_there() -> None:
    book = prompt_book(STRUCTURES)
    pairs = [pair for each in wording_pairs(book) for pair in each]
    for structure, prompts in book.trained.items():
        for prompt in prompts[1:]:
            assert WordingPair(prompt, (book.names[structure],)) in pairs
    assert WordingPair("adrenal glands", ("left adrenal gland", "right adrenal gland")) in pairs
    assert WordingPair("windpipe", ("trachea",)) in pairs
    assert {pair.text for pair in pairs} | {name for pair in pairs for name in pair.means} == set(
        texts_of(wording_pairs(book))
    )


def test_the_loss_is_that_of_a_naive_softmax_and_teaches_that_synonyms_are_one() -> None:
    torch.manual_seed(0)
    texts = [f"{kind} {number}" for kind in ("name", "synonym") for number in range(6)]
    embeddings = dict(zip(texts, functional.normalize(torch.randn(12, 16), dim=-1), strict=True))
    pairs = [[WordingPair(f"synonym {number}", (f"name {number}",))] for number in range(5)]
    pairs.append([WordingPair("synonym 5", ("name 4", "name 5"))])
    connector = build_connector("mlp", 16, (4, 8), hidden=32)
    loss = WordingLoss(pairs, embeddings, seed=0)
    first = loss(connector, 0, torch.device("cpu"))

    total = 0.0
    spoken = [functional.normalize(connector.wording(embeddings[f"synonym {n}"][None]), dim=-1)[0] for n in range(6)]
    both = functional.normalize(embeddings["name 4"] + embeddings["name 5"], dim=0)
    meant = [embeddings[f"name {n}"] for n in range(5)] + [both]
    meant = [functional.normalize(connector.wording(each[None]), dim=-1)[0] for each in meant]
    for n in range(6):
        rows = torch.stack([spoken[n] @ other for other in meant]) / 0.07
        columns = torch.stack([other @ meant[n] for other in spoken]) / 0.07
        total += float((-rows.log_softmax(0)[n] - columns.log_softmax(0)[n]).detach()) / 12
    torch.testing.assert_close(float(first.detach()), total, rtol=1e-5, atol=1e-5)

    optimizer = torch.optim.AdamW(connector.parameters(), lr=1e-2)
    for step in range(60):
        optimizer.zero_grad()
        value = loss(connector, step, torch.device("cpu"))
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(value.detach()) < 0.1 * float(first.detach())


def test_one_organ_alone_teaches_nothing() -> None:
    loss = WordingLoss([[WordingPair("a", ("b",))]], {"a": torch.ones(4), "b": torch.ones(4)}, seed=0)
    assert float(loss(build_connector("mlp", 4, (4, 8), hidden=8), 0, torch.device("cpu"))) == 0
