"""Latin names: of organs of the vocabulary, learned but for those that measure."""

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts
from train.words.latin_names import SIDED, latin_names, latin_tables
from train.words.word_lists import choose_words

VOCABULARY = load_vocabulary()
LATIN = latin_names(VOCABULARY)


def test_every_name_is_of_an_organ_and_of_no_other() -> None:
    assert set(LATIN) <= set(VOCABULARY.organs) and len(LATIN) > 400
    assert len({*LATIN.values()}) == len(LATIN)
    assert all(VOCABULARY.names_of(name) is None for name in LATIN.values())


def test_every_pair_has_two_sides_of_the_right_gender() -> None:
    for pair, latin in latin_tables()["pairs"].items():
        assert VOCABULARY.organs[pair].sides and sum(form in latin for form in SIDED) == 1, pair
    assert LATIN["left kidney"] == "ren sinister" and LATIN["right renal vein"] == "vena renalis dextra"
    assert LATIN["left femur"] == "os femoris sinistrum" and LATIN["right lung apex"] == "apex pulmonis dextri"
    assert LATIN["right 2nd rib"] == "costa secunda dextra" and LATIN["L5 vertebra"] == "vertebra lumbalis quinta"
    assert not any("{" in name for name in LATIN.values())


def test_what_measures_is_not_learned() -> None:
    prompts = build_structure_prompts(V2_STRUCTURES, VOCABULARY)
    scored = {name for name in prompts.names.values() if name in LATIN}
    held, everything = choose_words(VOCABULARY, "all"), choose_words(VOCABULARY, "none")
    learned = {term for terms in held.terms.values() for term in terms}
    assert len(scored) == 100 and not {LATIN[name] for name in scored} & learned
    assert all(LATIN[name] in everything.terms[name] for name in LATIN)
    assert sum(LATIN[name] in held.terms.get(name, ()) for name in LATIN) > 300
    # "truncus cerebri" is held out, and a name that shares a word with it would give it away.
    assert LATIN["brainstem"] == "truncus encephali" and "truncus encephali" not in held.terms["brainstem"]
