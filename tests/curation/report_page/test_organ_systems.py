"""The organ system that gives captions their colour."""

import pytest

from curation.report_page.organ_systems import OTHER, ROOTS, SYSTEMS, organ_systems
from prompts.vocabulary import load_vocabulary


def test_each_root_is_an_entry_of_the_vocabulary_and_each_system_is_listed() -> None:
    organs = load_vocabulary().organs
    assert [name for roots in ROOTS.values() for name in roots if name not in organs] == []
    assert set(SYSTEMS) == {*ROOTS, OTHER} and len(SYSTEMS) == len(set(SYSTEMS))


@pytest.mark.parametrize(
    ("organ", "system"),
    [
        ("left lower lobe", "respiratory"),
        ("right pleura", "respiratory"),
        ("pulmonary vessels", "respiratory"),
        ("ascending aorta", "cardiovascular"),
        ("mediastinal lymph nodes", "lymphatic"),
        ("spleen", "lymphatic"),
        ("liver", "digestive"),
        ("peritoneum", "digestive"),
        ("left kidney", "urinary"),
        ("left adrenal gland", "endocrine"),
        ("left breast", "reproductive"),
        ("L5 vertebra", "musculoskeletal"),
        ("spinal cord", "nervous"),
        ("left orbit", "head and neck"),
        ("mediastinum", OTHER),
        ("an organ that a site has added since", OTHER),
    ],
)
def test_an_organ_has_the_system_that_it_is_a_part_of(organ: str, system: str) -> None:
    assert organ_systems(load_vocabulary())(organ) == system
