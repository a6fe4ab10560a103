"""Lymph nodes by station: which nodes a sentence names."""

from __future__ import annotations

import pytest

from .organ_cases import cases, named

NODES = {
    "Enlarged para-aortic lymph nodes.": "para-aortic lymph nodes",
    "Mediastinal lymphadenopathy.": "mediastinal lymph nodes",
    "Lymph nodes in the mediastinum.": "mediastinal lymph nodes",
    "Mediastinal and mesenteric lymph nodes.": "mediastinal lymph nodes, mesenteric lymph nodes",
    "No lymphadenopathy in the axilla or mediastinum.": "axillary lymph nodes, mediastinal lymph nodes",
    "Lymph node near the pancreas.": "lymph nodes",
    "Lymph nodes in both hila.": "left hilar lymph nodes, right hilar lymph nodes",
    "No pelvic mass or lymphadenopathy.": "pelvic lymph nodes",
    "No mediastinal hematoma or axillary lymphadenopathy.": "mediastinum, axillary lymph nodes",
    "No lymphadenopathy in the axillary or hilar regions.": "axillary lymph nodes, hilar lymph nodes",
    "Lymph nodes in the mediastinum and the right hilum.": "mediastinal lymph nodes, right hilar lymph nodes",
}


@pytest.mark.parametrize(("sentence", "organs"), cases(NODES))
def test_lymph_nodes_of_a_sentence(sentence: str, organs: set[str]) -> None:
    assert named(sentence) == organs
