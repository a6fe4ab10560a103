import pytest

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts
from train.prompting.absent_words import AbsentWord, find_absent_words

NAMES = build_structure_prompts(V2_STRUCTURES).names
NEAR = {"brain": ("skull",), "gallbladder": ("liver",)}


def words(names: dict[str, str] | None = None, not_shown: tuple[str, ...] = ()) -> dict[str, AbsentWord]:
    found = find_absent_words(NAMES if names is None else names, NEAR, not_shown, load_vocabulary())
    assert len({word.text for word in found}) == len(found)
    return {word.text: word for word in found}


def test_a_part_is_absent_where_its_whole_and_what_lies_next_to_that_are() -> None:
    thalamus = words()["left thalamus"]
    assert thalamus.wholes == {"brain"} and thalamus.around == {"skull"} and not thalamus.rivals
    sought = frozenset(V2_STRUCTURES)
    assert thalamus.is_known_absent({"liver"}, sought)
    assert not thalamus.is_known_absent({"brain"}, sought)
    assert not thalamus.is_known_absent({"skull"}, sought), "the patch is of the head"
    assert not thalamus.is_known_absent({"liver"}, sought - {"brain"}), "nobody looked for the brain"


def test_an_organ_that_nobody_labels_is_unknown() -> None:
    assert not {"ureters", "left ureter", "appendix", "tongue", "penis urethra"} & words().keys()


def test_one_sex_excludes_the_organs_of_the_other() -> None:
    uterus = words()["uterus"]
    assert uterus.rivals == {"prostate"} and not uterus.wholes
    assert uterus.is_known_absent({"prostate"}, {"prostate"})
    assert not uterus.is_known_absent({"liver"}, {"prostate", "liver"}), "a patch without a prostate may be of a woman"
    assert "left ovary" in words() and "seminal vesicles" not in words()
    without = {structure: name for structure, name in NAMES.items() if structure != "prostate"}
    assert "uterus" not in words(without)


def test_no_word_names_a_structure_or_something_that_contains_one() -> None:
    vocabulary = load_vocabulary()
    for text in words(not_shown=("head", "neck", "lower extremities")):
        below = {text} | vocabulary.descendants(text)
        assert not below & set(NAMES.values()) or text in ("head", "neck"), text


def test_what_no_volume_shows_is_absent_everywhere() -> None:
    trunk = {name: name for name in ("liver", "esophagus")}
    found = words(trunk, ("head", "neck", "reproductive system"))
    always = [found[text] for text in ("brain", "left thalamus", "uterus", "prostate", "thyroid gland")]
    assert all(word.is_known_absent(trunk, ()) for word in always)
    # A part of the esophagus lies in the neck.
    assert not found["cervical esophagus"].is_known_absent(trunk, frozenset(trunk))


@pytest.mark.parametrize(("text", "error"), [("wing", r"does not know 'wing'"), ("liver", r"'liver' is a structure")])
def test_what_cannot_be_said_not_to_be_shown(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=rf"not_shown: .*{error}"):
        words({"liver": "liver"}, (text,))
