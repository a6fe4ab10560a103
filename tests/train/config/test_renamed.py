from train.config.option_table import options_of
from train.config.options import AlignConfig, SegmentConfig
from train.config.renamed import RENAMED, with_current_names


def test_every_new_name_is_a_setting_and_no_old_name_is_one() -> None:
    names = options_of(AlignConfig).keys() | options_of(SegmentConfig).keys()
    assert set(RENAMED.values()) <= names and not RENAMED.keys() & names


def test_stored_settings_get_the_current_names_and_keep_their_values() -> None:
    stored = {"steps": 7, "words_weight": 0.5, "reading": "joint", "rescue_weight": 0.2, "data": ["x: 3 cases"]}
    assert with_current_names(stored) == {
        "steps": 7,
        "anchor_weight": 0.5,
        "mgcl_variant": "joint",
        "missed_structure_weight": 0.2,
        "data": ["x: 3 cases"],
    }
    assert with_current_names(with_current_names(stored)) == with_current_names(stored)
