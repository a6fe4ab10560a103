"""The settings of a model for vLLM, checked before anything is loaded."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from curation.engines.vllm import VllmEngine
from curation.engines.vllm_settings import VllmSettings
from curation.runtime.errors import InputError
from tests.curation.engines.vllm_stand_in import stand_in as stand_in


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": " "}, "needs --model"),
        ({"dtype": "int4"}, "none of auto, bfloat16"),
        ({"tensor_parallel_size": 0}, "number of GPUs"),
        ({"context": 0}, "counted in tokens"),
        ({"options": {"dtype": "half"}}, "there is a setting for it"),
        ({"options": {"seed": object()}}, "plain values"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        VllmSettings(**{"model": "tiny", **settings})


def test_other_options_of_vllm_are_passed_on() -> None:
    keywords = VllmSettings("tiny", context=4096, options={"gpu_memory_utilization": 0.5}).keywords()
    assert (keywords["max_model_len"], keywords["gpu_memory_utilization"]) == (4096, 0.5)
    assert "max_model_len" not in VllmSettings("tiny").keywords()


def test_a_directory_without_a_model_is_named(stand_in: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no config\.json"):
        asyncio.run(VllmEngine.connect(VllmSettings(str(tmp_path / "empty"))))
