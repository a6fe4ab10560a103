"""The organs by which fVLM asks for the texts of a scan, and which of them an organ of the vocabulary belongs to.

The names are those of its data set class (``lavis/datasets/datasets/caption_datasets.py``), which looks for these keys
and for no others. One without a text counts as normal there.
"""

from collections.abc import Callable

from prompts.vocabulary import Vocabulary

NAMES = {
    "face": "face", "brain": "brain", "esophagus": "esophagus", "trachea": "trachea", "lung": "lungs", "heart": "heart",
    "kidney": "kidneys", "stomach": "stomach", "liver": "liver", "gallbladder": "gallbladder", "pancreas": "pancreas",
    "spleen": "spleen", "colon": "colon", "aorta": "aorta", "rib": "ribs", "humerus": "humeri", "scapula": "scapulae",
    "clavicula": "clavicles", "femur": "femora", "hip": "hip joints", "sacrum": "sacrum", "gluteus": "gluteal muscles",
    "iliopsoas": "iliopsoas muscles",
}  # fmt: skip
"""fVLM's name of an organ -> the vocabulary's."""


def fvlm_organs(vocabulary: Vocabulary) -> Callable[[str], list[str]]:
    """Return a function from an organ to fVLM's names of all that it is, or is part of.

    An organ that is part of none of them, or that the vocabulary does not know, keeps its name.
    """
    by_organ: dict[str, list[str]] = {}

    def names(organ: str) -> list[str]:
        if organ not in by_organ:
            canonical = vocabulary.resolve(organ)
            within = {canonical, *vocabulary.ancestors(canonical)} if canonical else set()
            by_organ[organ] = [name for name, whole in NAMES.items() if whole in within] or [organ]
        return by_organ[organ]

    return names
