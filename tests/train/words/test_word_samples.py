import torch

from prompts.vocabulary import load_vocabulary
from train.words.word_lists import choose_words
from train.words.word_samples import MEMBERS, ORGANS, TERMS, WordSamples

WORDS = choose_words(load_vocabulary(), "all")
SAMPLES = WordSamples(WORDS, seed=3)


def test_a_sample_is_a_function_of_its_number() -> None:
    again = WordSamples(WORDS, seed=3)
    assert [SAMPLES[number] for number in range(40)] == [again[number] for number in range(40)]
    assert SAMPLES[0] != WordSamples(WORDS, seed=4)[0]


def test_an_organ_comes_with_its_other_side_and_its_kin() -> None:
    words, sided = WORDS, 0
    for number in range(200):
        sample = SAMPLES[number]
        (first, _), *others = sample.organs
        names = [name for name, _ in others]
        if other := words.other_side.get(first):
            sided += 1
            assert names[0] == other
        assert {*names} <= {*words.kin[first], words.other_side.get(first)} and len(sample.organs) <= ORGANS
        for name, terms in sample.organs:
            assert terms[0] == name and len({*terms}) == len(terms) <= TERMS and {*terms} <= {*words.terms[name]}
        assert {*sample.members} <= {*words.groups[sample.group]} and 2 <= len(sample.members) <= MEMBERS
        assert sample.group_term in words.terms[sample.group]
    assert sided > 50


def test_a_batch_says_which_text_is_which() -> None:
    samples = [SAMPLES[number] for number in range(6)]
    batch = SAMPLES.collate([*samples, samples[0]])
    assert len({*batch.texts}) == len(batch.texts) and batch.terms.shape == (7, ORGANS * TERMS)
    for row, sample in enumerate(samples):
        listed = [(name, term) for name, terms in sample.organs for term in terms]
        found = [
            (SAMPLES.organs[owner], batch.texts[term])
            for owner, term in zip(batch.owners[row].tolist(), batch.terms[row].tolist(), strict=True)
            if owner >= 0
        ]
        assert found == listed
        assert batch.texts[int(batch.group_terms[row])] == sample.group_term
        assert SAMPLES.organs[int(batch.groups[row])] == sample.group
        assert [batch.texts[at] for at in batch.members[row].tolist() if at >= 0] == list(sample.members)
    assert torch.equal(batch.terms[0], batch.terms[6]) and ((batch.terms >= 0) == (batch.owners >= 0)).all()
