"""Templates of prompt files: each way in which one can be wrong, and that a report is never taken for one."""

from __future__ import annotations

import pytest

from prompts.templates import check_template
from tests.prompts.prompt_cases import changed_content, problem


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("message", "Report: {{ text", "message: 'Report: {{ text' is not Jinja"),
        ("message", "a\n{% iff text %}", "message: '{% iff text %}' is not Jinja"),
        ("message", "{{ text | shout }}", "uses the filter shout, which is not among"),
        ("message", "{{ txt }}", "message: 'txt' is not among its variables, which are text, section, organs"),
        ("message", "{% if section %}{{ titel }}{% endif %}{{ text }}", "message: 'titel' is not among its variables"),
        ("message", "{{ text }}{{ text.nothing }}", "fails when it is filled in"),
        ("message", "{{ text + 1 }}", "fails when it is filled in (TypeError: "),
        ("message", "{{ text.__class__.__mro__ }}", "fails when it is filled in"),
        ("message", "{% include '/etc/passwd' %}{{ text }}", "uses include"),
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{{ 'a' * 20000000000 }}{{ text }}", "uses mul, which may make a text of any length"),
        ("{{ 9 ** 9 ** 9 }}{{ text }}", "uses pow"),
        ("{{ '%9999999999d' % 1 }}{{ text }}", "uses mod"),
        ("{{ text | center(9999999999) }}", "uses the filter center"),
        ("{{ text | replace('a', text) }}", "uses the filter replace"),
        ("{{ text | indent(999999999) }}", "uses the filter indent"),
        ("{{ text | format }}", "uses the filter format"),
        ("{{ text.ljust(9999999999) }}", "calls something else than"),
        ("{{ lipsum(n=100000000) }}{{ text }}", "calls something else than"),
        ("{% for a in range(99999) %}{{ text }}{% endfor %}", "calls something else than"),
        ("{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}{{ text }}", "loops over the same values"),
        ("{% set s = text %}{{ s }}", "uses assign"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ text }}", "uses macro"),
        ("{{ text | join(text) }}", "joins with something else"),
        ("{{ text }}" * 2000, "has more than 2,000 parts"),
        ("a" * 100_001, "100,000 are the most"),
        ("{{ " + "(" * 5000 + "text" + ")" * 5000 + " }}", "is nested too deeply"),
    ],
)
def test_what_makes_a_text_of_any_length_is_refused_before_it_does(value: str, expected: str) -> None:
    assert expected in problem(changed_content("message", value))


@pytest.mark.parametrize(
    "value",
    [
        "{{ text | trim }}",
        "{% for organ in organs %}{{ loop.index }}. {{ organ }}{{ ', ' if not loop.last }}{% endfor %} {{ text }}",
        "{{ organs | join(', ') | upper }}: {{ text.strip() }}",
        "{% if section == 'x' and text | length > 3 %}{{ section ~ ': ' ~ text }}{% else %}{{ text }}{% endif %}",
    ],
)
def test_what_a_prompt_needs_is_allowed(value: str) -> None:
    check_template(value, {"text": "A liver.", "section": "findings", "organs": ("liver", "spleen")}, "A liver.", "-")
