"""Renders the Jinja templates of prompt files, and checks them when a file is loaded, so that none fails in a run.

A prompt file may come from anywhere, so templates run in a sandbox, and may use only parts of Jinja that make no text
longer than what goes in (``template_bounds``). The values they are given (the text of a report,
say) are never taken for templates themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .template_bounds import LONGEST_TEMPLATE, part_not_allowed

__all__ = ["PromptTemplateError", "check_template", "render"]

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False, trim_blocks=True, lstrip_blocks=True
)


class PromptTemplateError(ValueError):
    """Raised for a template that cannot be used. ``value`` is the part at fault; the message says what was expected."""

    def __init__(self, value: str, message: str) -> None:
        super().__init__(message)
        self.value = value


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def render(source: str, values: Mapping[str, Any]) -> str:
    """Return the text of a template with ``values`` filled in."""
    return _compiled(source).render(values)


def check_template(source: str, values: Mapping[str, Any], shown: str = "", omission: str = "") -> None:
    """Check a template by rendering it with sample ``values``; the sample text ``shown`` must stand in the result.

    Raises PromptTemplateError where it is no template, uses a name that it is not given, fails, or leaves ``shown``
    out; ``omission`` is the message for the latter.
    """
    if len(source) > LONGEST_TEMPLATE:
        raise PromptTemplateError(source, f"has {len(source):,} characters; {LONGEST_TEMPLATE:,} are the most")
    try:
        parsed = _ENVIRONMENT.parse(source)
        if wrong := part_not_allowed(parsed):  # before Jinja works out what is constant
            raise PromptTemplateError(source, f"{wrong} (docs/llm.md says what a template may do)")
        names = find_undeclared_variables(parsed) - _ENVIRONMENT.globals.keys()
        unknown = sorted(names - values.keys())
        rendered = "" if unknown else render(source, values)
    except PromptTemplateError:
        raise
    except TemplateSyntaxError as error:
        line = source.splitlines()[error.lineno - 1].strip()
        raise PromptTemplateError(line, f"is not Jinja ({error.message}); see jinja.palletsprojects.com") from error
    except RecursionError as error:
        raise PromptTemplateError(source, "is nested too deeply") from error
    except Exception as error:  # an expression of a template may raise anything
        kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
        raise PromptTemplateError(source, f"fails when it is filled in ({kind}{error})") from error
    if unknown:
        raise PromptTemplateError(unknown[0], f"is not among its variables, which are {', '.join(values)}")
    if shown.lower() not in rendered.lower():
        raise PromptTemplateError(source, omission)
