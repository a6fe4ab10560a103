"""Templates of prompt files: each way in which one can be wrong, and that a report is never taken for one."""

from __future__ import annotations

import pytest

from tests.prompts.prompt_cases import changed_content, problem


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("message", "Report: {{ text", "message: 'Report: {{ text' is not Jinja"),
        ("message", "a\n{% iff text %}", "message: '{% iff text %}' is not Jinja"),
        ("message", "{{ text | shout }}", "is not Jinja (No filter named 'shout'.)"),
        ("message", "{{ txt }}", "message: 'txt' is not among its variables, which are text, section, organs"),
        ("message", "{% if section %}{{ titel }}{% endif %}{{ text }}", "message: 'titel' is not among its variables"),
        ("message", "{{ text }}{{ text.nothing }}", "fails when it is filled in"),
        ("message", "{{ text + 1 }}", "fails when it is filled in (TypeError: "),
        ("message", "{{ text.__class__.__mro__ }}", "fails when it is filled in"),
        ("message", "{% include '/etc/passwd' %}{{ text }}", "fails when it is filled in"),
        ("message", "Report.", "message: 'Report.' leaves the text out; write {{ text }} where it belongs"),
        ("message", "{% if not text %}{{ text }}{% endif %}", "leaves the text out"),
        ("system", "{{ text }}", "system: 'text' is not among its variables, which are organs"),
        ("repair", "Try again.", "repair: 'Try again.' leaves the captions out; loop over refused"),
        ("repair", "{% for row in refused %}{{ row.capton }}{% endfor %}", "repair: "),
        ("repair", "{{ rows }}", "repair: 'rows' is not among its variables, which are refused"),
    ],
)
def test_templates(path: str, value: str, expected: str) -> None:
    assert expected in problem(changed_content(path, value))
