"""What a template of a prompt file may do: fill in its values, choose by them, loop over them, and nothing that grows.

A sandbox keeps a template from the files of this machine, and not from its memory and time: ``'a' * 20000000000`` is
safe there. So only those parts of Jinja may be used whose result is about as long as what goes in.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

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


def part_not_allowed(template: nodes.Template) -> str | None:
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
