"""Renders the Jinja templates of prompt files, and checks them when a file is loaded, so that none fails in a run.

A prompt file may come from anywhere, so templates run in a sandbox, and may use only parts of Jinja that make no text
longer than what goes in: a sandbox bounds neither memory nor time, and ``'a' * 20000000000`` is safe there. The values
that they are given (the text of a report, say) are never taken for templates themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["PromptTemplateError", "check_template", "render"]

LONGEST_TEMPLATE = 100_000
"""Characters of a template: a prompt with all its examples has a few thousand."""
MOST_PARTS = 2_000
"""Parts of a template: each may hold a whole report."""
LONGEST_SEPARATOR = 100
"""Characters between the items of a list that is written out."""
FILTERS = frozenset(
    "capitalize count d default dictsort e escape first int items join last length list lower reverse round safe sort "
    "string title tojson trim unique upper".split()
)
METHODS = frozenset(
    "capitalize endswith get items keys lower lstrip rstrip startswith strip title upper values".split()
)
PARTS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Filter,
    nodes.Call,
)

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
        if wrong := _part_not_allowed(parsed):  # before Jinja works out what is constant
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


def _part_not_allowed(template: nodes.Template) -> str | None:
    """Return what a template uses that it may not, in words; None where it is in order."""
    return next(_not_allowed(template, ()), None)


def _not_allowed(node: nodes.Node, loops: tuple[frozenset[str], ...]) -> Iterator[str]:
    if not loops and isinstance(node, nodes.Template) and sum(1 for _ in node.find_all(nodes.Node)) > MOST_PARTS:
        yield f"has more than {MOST_PARTS:,} parts"
    if not isinstance(node, PARTS):
        yield f"uses {type(node).__name__.lower()}, which may make a text of any length; write its result out"
    elif isinstance(node, nodes.Filter):
        yield from _wrong_filter(node)
    elif isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Getattr) and node.node.attr in METHODS):
        yield f"calls something else than {', '.join(sorted(METHODS))}"
    elif isinstance(node, nodes.For):
        targets = frozenset(
            name.name for name in (node.target, *node.target.find_all(nodes.Name)) if isinstance(name, nodes.Name)
        )
        names = {name.name for name in (node.iter, *node.iter.find_all(nodes.Name)) if isinstance(name, nodes.Name)}
        if node.recursive:
            yield "loops into itself (recursive)"
        if loops and names.isdisjoint(loops[-1]):
            yield "loops over the same values again and again; within a loop, loop over what its item holds"
        loops = (*loops, targets)
    for child in node.iter_child_nodes():
        yield from _not_allowed(child, loops)


def _wrong_filter(node: nodes.Filter) -> Iterator[str]:
    if node.name not in FILTERS:
        yield f"uses the filter {node.name}, which is not among {', '.join(sorted(FILTERS))}"
    elif node.name == "join":
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            if not isinstance(argument, nodes.Const) or len(str(argument.value)) > LONGEST_SEPARATOR:
                yield f"joins with something else than a text of up to {LONGEST_SEPARATOR} characters"
