"""Prompts that are trained and held out.

    python -m tests.train.data.test_structure_prompts      writes structure_synonyms.txt anew

It has the synonyms of every structure of TotalSegmentator. Read the difference before it is committed: each new one
must be a name for all of the structure and for nothing else.
"""

import json
import re
from pathlib import Path

import pytest
from pydantic import JsonValue

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V1_STRUCTURES, V2_STRUCTURES
from train.data.structure_prompts import StructurePrompts, build_structure_prompts, synonyms_of

V2_PROMPTS = build_structure_prompts(V2_STRUCTURES)
SYNONYMS = Path(__file__).with_name("structure_synonyms.txt")
LOBES = [name for name in V2_STRUCTURES if name.startswith("lung_")]


def groups(structure_prompts: StructurePrompts) -> dict[str, set[str]]:
    return {group.name: set(group.members) for group in structure_prompts.groups}


def test_the_name_comes_first_and_is_the_vocabularys() -> None:
    assert (
        V2_PROMPTS.names["kidney_left"] == "left kidney"
        and V2_PROMPTS.names["lung_upper_lobe_left"] == "left upper lobe"
    )
    assert V2_PROMPTS.names.keys() == V2_PROMPTS.trained.keys() == V2_PROMPTS.held_out.keys() == set(V2_STRUCTURES)
    assert all(V2_PROMPTS.trained[name][0] == prompt for name, prompt in V2_PROMPTS.names.items())
    assert len(set(V2_PROMPTS.names.values())) == len(V2_STRUCTURES)


@pytest.mark.parametrize("structure_prompts", [V2_PROMPTS, build_structure_prompts(V1_STRUCTURES)])
def test_what_is_held_out_is_never_trained(structure_prompts: StructurePrompts) -> None:
    trained = {prompt.lower() for prompts in structure_prompts.trained.values() for prompt in prompts}
    held_out = {prompt.lower() for prompts in structure_prompts.held_out.values() for prompt in prompts}
    merged = {prompt.lower() for prompts in structure_prompts.group_prompts.values() for prompt in prompts}
    assert len(held_out) > 50 and not trained & held_out and not trained & merged
    assert not held_out & merged


def test_one_prompt_means_one_structure() -> None:
    owners: dict[str, set[str]] = {}
    for kind in (V2_PROMPTS.trained, V2_PROMPTS.held_out):
        for structure, prompts in kind.items():
            assert len(set(prompts)) == len(prompts)
            for prompt in prompts:
                owners.setdefault(prompt.lower(), set()).add(structure)
    assert {prompt: names for prompt, names in owners.items() if len(names) > 1} == {}


def test_a_synonym_is_held_out_wherever_there_are_two() -> None:
    for structure in V2_STRUCTURES:
        synonyms = len(synonyms_of(V2_PROMPTS.names[structure], load_vocabulary()))
        assert len(V2_PROMPTS.held_out[structure]) == (1 if synonyms == 2 else synonyms // 3)


def test_the_label_in_words_is_trained() -> None:
    assert "lung upper lobe left" in V2_PROMPTS.trained["lung_upper_lobe_left"]
    # To the vocabulary, and to radiologists, that is a joint.
    assert "hip left" not in V2_PROMPTS.trained["hip_left"]
    assert V2_PROMPTS.trained["heart"].count("heart") == 1
    joined = build_structure_prompts(["SpinalCord", "WeirdThing"])
    assert joined.names["SpinalCord"] == "spinal cord" and "medulla spinalis" in joined.trained["SpinalCord"]
    assert joined.names["WeirdThing"] == "Weird Thing"


def sideless(prompts: tuple[str, ...]) -> set[str]:
    return {re.sub(r"\b(left|right)\b|\b[LR](?=[A-Z])", "this side's", prompt) for prompt in prompts}


def test_left_and_right_are_alike() -> None:
    pairs = [(name, name.replace("left", "right")) for name in V2_STRUCTURES if "left" in name]
    pairs = [(left, right) for left, right in pairs if right in V2_STRUCTURES]
    assert len(pairs) > 30
    for left, right in pairs:
        # A synonym that is trained on one side is not what generalisation is tested with on the other.
        assert not sideless(V2_PROMPTS.trained[left]) & sideless(V2_PROMPTS.held_out[right]), left
        assert not sideless(V2_PROMPTS.trained[right]) & sideless(V2_PROMPTS.held_out[left]), left
    assert sideless(V2_PROMPTS.trained["kidney_left"]) == sideless(V2_PROMPTS.trained["kidney_right"])


def test_what_is_held_out_does_not_depend_on_the_other_structures() -> None:
    alone = build_structure_prompts(["spleen"])
    assert (
        alone.trained["spleen"] == V2_PROMPTS.trained["spleen"]
        and alone.held_out["spleen"] == V2_PROMPTS.held_out["spleen"]
    )
    assert build_structure_prompts(V2_STRUCTURES) == V2_PROMPTS


def test_no_prompt_names_a_part_a_group_or_a_neighbour() -> None:
    vocabulary = load_vocabulary()
    for structures in (V1_STRUCTURES, V2_STRUCTURES):
        prompts = build_structure_prompts(structures)
        for structure, name in prompts.names.items():
            others = {*vocabulary.organs[name].nouns} - {*vocabulary.organs[name].terms}
            for prompt in (*prompts.trained[structure], *prompts.held_out[structure]):
                assert vocabulary.resolve(prompt) in (name, None) and prompt not in others, prompt


def synonym_lines() -> list[str]:
    """Return a line for each structure of both versions, and for each group of them: its name and its synonyms."""
    vocabulary = load_vocabulary()
    structures = list(dict.fromkeys((*V2_STRUCTURES, *V1_STRUCTURES)))
    names = {structure: vocabulary.resolve(structure) or "" for structure in structures}
    groups = {
        group.name: group.name
        for version in (V1_STRUCTURES, V2_STRUCTURES)
        for group in build_structure_prompts(version).groups
    }
    return [
        f"{label}: {'; '.join((name, *synonyms_of(name, vocabulary)))}"
        for label, name in sorted({**names, **groups}.items())
    ]


def test_the_synonyms_of_every_structure_are_those_that_were_read() -> None:
    assert SYNONYMS.read_text(encoding="utf-8").splitlines() == synonym_lines()


def test_groups_are_whole() -> None:
    found_groups = groups(
        build_structure_prompts([*LOBES, "kidney_left", "kidney_right", "vertebrae_L1", "vertebrae_L2", "vertebrae_L3"])
    )
    assert found_groups["kidneys"] == {"kidney_left", "kidney_right"}
    assert found_groups["lungs"] == set(LOBES) and len(LOBES) == 5
    assert not found_groups.keys() & {"spine", "vertebrae", "lumbar vertebrae", "bones", "skeleton"}
    lumbar = [f"vertebrae_L{number}" for number in range(1, 6)]
    assert groups(build_structure_prompts(lumbar))["lumbar vertebrae"] == set(lumbar)
    assert "kidneys" not in groups(build_structure_prompts(["kidney_left", "liver"]))
    assert "lungs" not in groups(build_structure_prompts(LOBES[:4]))


def test_a_group_is_no_structure_and_each_has_its_name_first() -> None:
    members = [frozenset(names) for names in groups(V2_PROMPTS).values()]
    assert len(set(members)) == len(members) and all(len(names) > 1 for names in members)
    assert not groups(V2_PROMPTS).keys() & set(V2_PROMPTS.names.values())
    assert all(prompts[0] == name for name, prompts in V2_PROMPTS.group_prompts.items())
    assert V2_PROMPTS.group_prompts.keys() == groups(V2_PROMPTS).keys()
    with_whole = build_structure_prompts(["kidney_left", "kidney_right", "kidneys"])
    assert "kidneys" not in groups(with_whole) and with_whole.names["kidneys"] == "kidneys"


def test_a_label_that_nobody_knows_is_asked_for_as_it_is() -> None:
    structure_prompts = build_structure_prompts(["weird_thing_7", "liver"])
    assert structure_prompts.names["weird_thing_7"] == "weird thing 7"
    assert (
        structure_prompts.trained["weird_thing_7"] == ("weird thing 7",)
        and structure_prompts.held_out["weird_thing_7"] == ()
    )
    assert structure_prompts.groups == ()


def test_it_goes_through_json() -> None:
    assert StructurePrompts.from_json(json.loads(json.dumps(V2_PROMPTS.to_json()))) == V2_PROMPTS
    record = V2_PROMPTS.to_json()
    records: list[dict[str, JsonValue]] = [{}, {"names": []}, {"names": {"a": "b"}}, {**record, "groups": None}]
    for broken in records:
        with pytest.raises(ValueError, match="record of prompts"):
            StructurePrompts.from_json(broken)


if __name__ == "__main__":
    SYNONYMS.write_text("".join(f"{line}\n" for line in synonym_lines()), encoding="utf-8")
