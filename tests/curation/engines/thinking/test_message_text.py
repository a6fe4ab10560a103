"""Where servers put the text of an answer."""

from typing import Any

import pytest

from curation.engines.thinking.message_text import message_text


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": "x"}, "x"),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": "x", "reasoning_content": "hm"}, "x"),
        ({"content": "", "reasoning_content": "hm"}, "<think>hm</think>"),
        ({"content": None, "reasoning": "hm"}, "<think>hm</think>"),
        ({"content": " \n", "thinking": "hm"}, "<think>hm</think>"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "h"}, {"type": "reasoning.text", "text": "m"}]},
         "<think>hm</think>"),
        ({"content": [{"type": "text", "text": "x"}, {"type": "output_text", "text": "y"}]}, "xy"),
        ({"content": ["x", "y"]}, "xy"),
        ({"content": {"type": "text", "text": {"value": "x"}}}, "x"),
        ({"content": [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "x"}]}, "x"),
        ({"content": [{"type": "thinking", "thinking": "hm"}]}, "<think>hm</think>"),
        ({"content": [{"type": "reasoning", "text": "hm"}]}, "<think>hm</think>"),
        ({"content": {"captions": []}}, '{"captions": []}'),
        ({"content": None, "tool_calls": [{"function": {"arguments": '{"captions": []}'}}]}, '{"captions": []}'),
        ({"content": None, "tool_calls": [{"function": {"arguments": {"captions": []}}}]}, '{"captions": []}'),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": [{"type": "image_url", "image_url": {"url": "x"}}, None, 3]}, ""),
        ({"content": None, "reasoning": 3, "tool_calls": [3], "refusal": {}}, ""),
        ({"content": 3}, None),
        ("x", None),
        (None, None),
    ],
)  # fmt: skip
def test_message_text(message: Any, expected: str | None) -> None:
    assert message_text(message) == expected
