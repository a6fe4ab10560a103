"""The process that holds the model: sizes of batches, outputs of vLLM, and the detection of repetitions."""

from types import SimpleNamespace

import pytest

from curation.engines.vllm_host import LOOP, next_size, read_output


def test_batches_grow_while_quick_and_shrink_when_slow() -> None:
    assert [next_size(32, 128, 32, 5.0), next_size(128, 128, 128, 5.0)] == [64, 128]
    assert [next_size(32, 128, 3, 5.0), next_size(32, 128, 32, 60.0)] == [32, 32]
    assert [next_size(32, 128, 32, 121.0), next_size(1, 128, 1, 500.0)] == [16, 1]


@pytest.mark.parametrize("finish_reason", ["stop", "length", "repetition"])
def test_what_vllm_calls_the_end_is_passed_on(finish_reason: str) -> None:
    completion = SimpleNamespace(text="{}", finish_reason=finish_reason, token_ids=[1, 2])
    reply = read_output(SimpleNamespace(outputs=[completion], prompt_token_ids=[1, 2, 3]))
    assert reply == {"content": "{}", "finish_reason": finish_reason, "prompt_tokens": 3, "completion_tokens": 2}


def test_an_end_that_is_none_is_a_failure() -> None:
    completion = SimpleNamespace(text="{", finish_reason="error", token_ids=[1])
    assert read_output(SimpleNamespace(outputs=[completion], prompt_token_ids=[1]))["error"] == "failed"


def test_every_period_of_a_loop_has_a_multiple_that_is_looked_for() -> None:
    sizes = range(LOOP["min_pattern_size"], LOOP["max_pattern_size"] + 1)
    for period in range(1, LOOP["max_pattern_size"] + 1):
        assert any(size % period == 0 for size in sizes)
