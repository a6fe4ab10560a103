import pytest

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts
from train.prompting.absent_words import AbsentWord, find_absent_words

NAMES = build_structure_prompts(V2_STRUCTURES).names


def words(names: dict[str, str] | None = None, not_shown: tuple[str, ...] = ()) -> dict[str, AbsentWord]:
    found = find_absent_words(NAMES if names is None else names, not_shown, load_vocabulary())
    assert len({word.text for word in found}) == len(found)
    return {word.text: word for word in found}


def test_an_organ_that_nobody_labels_is_unknown_and_so_is_a_part_of_one_that_is_labelled() -> None:
    assert not {"ureters", "left ureter", "appendix", "tongue", "left lung apex", "left thalamus"} & words().keys()


def test_one_sex_excludes_the_organs_of_the_other() -> None:
    uterus = words()["uterus"]
    assert uterus.rivals == {"prostate"} and uterus.is_known_absent({"prostate"})
    assert not uterus.is_known_absent({"liver"}), "a patch without a prostate may be of a woman"
    assert "left ovary" in words() and "seminal vesicles" not in words()
    without = {structure: name for structure, name in NAMES.items() if structure != "prostate"}
    assert words(without) == {}


def test_no_word_names_a_structure_or_a_part_of_one_or_contains_one() -> None:
    vocabulary, names = load_vocabulary(), set(NAMES.values())
    found = words(not_shown=("head", "neck", "lower extremities"))
    assert len(found) > 50
    for text in found:
        assert not ({text} | vocabulary.descendants(text) | vocabulary.ancestors(text)) & names, text


def test_what_no_volume_shows_is_absent_everywhere() -> None:
    trunk = {name: name for name in ("liver", "esophagus")}
    found = words(trunk, ("head", "neck", "reproductive system"))
    for text in ("brain", "left thalamus", "uterus", "prostate", "thyroid gland"):
        assert found[text].is_known_absent(trunk) and found[text].is_known_absent(())
    assert "cervical esophagus" not in found, "trunks show a part of the esophagus"


@pytest.mark.parametrize(("text", "error"), [("wing", r"does not know 'wing'"), ("liver", r"'liver' is a structure")])
def test_what_cannot_be_said_not_to_be_shown(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=rf"not_shown: .*{error}"):
        words({"liver": "liver"}, (text,))
