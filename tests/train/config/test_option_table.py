from dataclasses import dataclass

import pytest

from train.config.option import option
from train.config.option_table import options_of, with_unique_options
from train.config.options import (
    AlignConfig,
    Data,
    Optimisation,
    PretrainConfig,
    SegmentConfig,
    StageConfig,
    flat,
)

STAGES: list[type[StageConfig]] = [PretrainConfig, AlignConfig, SegmentConfig]
OPTIMISATION, DATA = Optimisation(), Data()


@pytest.mark.parametrize("stage", STAGES)
def test_no_name_is_in_two_groups(stage: type[StageConfig]) -> None:
    assert len(options_of(stage)) == len(flat(stage()))
    assert all(field.metadata["help"] for _, field, _ in options_of(stage).values())


def test_an_option_has_its_group_and_the_default_of_its_stage() -> None:
    option = options_of(AlignConfig)["steps"]
    assert (option.group, option.field.name, option.default) == ("optimisation", "steps", 1000)


@dataclass(frozen=True)
class Sampling:
    """A group of options, of which one has the name of an option of `Optimisation`."""

    steps: int = option(3, "Steps of another kind.")


def test_two_options_of_one_name_are_an_error_where_the_stage_is_defined() -> None:
    with pytest.raises(TypeError, match=r"SamplingConfig has the option 'steps' twice, in optimisation and in samp"):

        @with_unique_options
        @dataclass(frozen=True)
        class SamplingConfig:
            optimisation: Optimisation = OPTIMISATION
            sampling: Sampling = Sampling()

    @with_unique_options
    @dataclass(frozen=True)
    class DataConfig:
        data: Data = DATA
        sampling: Sampling = Sampling()

    assert options_of(DataConfig)["steps"].group == "sampling"
