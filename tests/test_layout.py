"""What holds for the project as a whole: who may import whom, how large folders and modules are, what a start costs.

``python -m tests.test_layout [CHECKOUT]`` prints the figures of a layout.
"""

import ast
import importlib.util
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import LONGEST_FILES

ROOT = Path(__file__).resolve().parents[1]

# The top-level folders, and what each may import of the others; `ovct` may import all of them.
MAY_IMPORT = {
    "prompts": set[str](),
    "curation": {"prompts"},
    "models": set[str](),
    "train": {"models", "curation", "prompts"},
    "ovct": {"prompts", "curation", "models", "train"},
}
# The boxes (packages and modules) of a top-level folder, level by level: a box imports only from levels before its own.
LEVELS = {
    "curation": (
        ("runtime", "report", "caption"),
        ("cleaning",),
        ("language", "privacy"),
        ("report_language",),
        ("readers",),
        ("verification", "caption_set"),
        ("engines",),
        ("extraction",),
        ("llm",),
        ("pipeline", "verify_table", "report_page"),
        ("replay", "audit", "show", "export", "ray_cluster", "word_suggestions"),
        ("api",),
        ("mcp_server",),
        ("cli",),
    ),
    "train": (
        ("config", "order"),
        ("scans", "losses"),
        ("loop", "data"),
        ("words", "prompting"),
        ("inference",),
        ("alignment",),
        ("viewer",),
        ("stages", "evaluation", "export"),
        ("api",),
        ("mcp_tool",),
        ("cli",),
    ),
}
# Of `curation`, `train` may import these alone: caption sets are read, and a command reports its errors in one way.
TRAIN_FROM_CURATION = (
    "curation.runtime",
    "curation.caption_set",
    "curation.mcp_server",
    "curation.verification.report_statements",
    "curation.verification.verifier",
    "curation.cli.errors",
    "curation.cli.help",
    "curation.cli.options",
)
MOST_FILES = 20
MOST_LINES = 300
MOST_MODULES_OF_A_START = 75
HEAVY = {
    "datasets",
    "fastapi",
    "httpx",
    "lightning_fabric",
    "matplotlib",
    "monai",
    "numpy",
    "onnx",
    "onnxruntime",
    "openpyxl",
    "pandas",
    "pyarrow",
    "safetensors",
    "torch",
    "transformers",
    "uvicorn",
    "vllm",
}


def sources(root: Path) -> dict[str, Path]:
    """The shipped modules under `root` by their dotted names."""
    modules = {"ovct": root / "ovct.py"} if (root / "ovct.py").exists() else {}
    for folder in sorted(MAY_IMPORT.keys() - {"ovct"}):
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imports(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything `module` imports, also inside functions; relative names are made absolute."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def box_of(module: str) -> str:
    """The package or module right below a top-level folder that `module` belongs to."""
    return ".".join(module.split(".")[:2])


def level_of(box: str) -> int | None:
    """The number of a box's level, None for what has none (a top-level folder itself)."""
    folder, _, name = box.partition(".")
    return next((number for number, level in enumerate(LEVELS.get(folder, ())) if name in level), None)


def upward_arrows(root: Path) -> list[str]:
    """Every import against the tables, as `path:line: what`."""
    ours = MAY_IMPORT.keys() | {"tests", "benchmarks", "examples"}
    modules = sources(root)
    arrows = []
    for module, path in modules.items():
        folder = module.partition(".")[0]
        for line, name in imports(module, path):
            target = name.partition(".")[0]
            place = f"{path.relative_to(root)}:{line}:"
            if target in ours - MAY_IMPORT[folder] - {folder}:
                arrows.append(f"{place} {folder} may not import {target}")
            elif folder == "train" and target == "curation" and not name.startswith(TRAIN_FROM_CURATION):
                arrows.append(f"{place} train may not import {name}")
            elif target == folder and box_of(name) != box_of(module):
                above, below = level_of(box_of(module)), level_of(box_of(name))
                if above is not None and below is not None and below >= above:
                    arrows.append(f"{place} {box_of(module)} may not import {box_of(name)}")
    return arrows


def boxes_without_level(root: Path) -> list[str]:
    """Packages and modules of a folder with levels that stand on none."""
    boxes = {box_of(module) for module in sources(root) if module.partition(".")[0] in LEVELS and "." in module}
    return sorted(box for box in boxes if level_of(box) is None)


def import_graph(root: Path) -> dict[str, set[str]]:
    """Which of our modules each of our modules imports."""
    modules = sources(root)
    graph: dict[str, set[str]] = defaultdict(set)
    for module, path in modules.items():
        for _, name in imports(module, path):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != module:
                graph[module].add(target)
    return graph


def test_no_import_runs_upward() -> None:
    assert upward_arrows(ROOT) == []


def test_every_package_has_a_level() -> None:
    assert boxes_without_level(ROOT) == []


def test_no_two_modules_need_each_other() -> None:
    try:
        TopologicalSorter(import_graph(ROOT)).prepare()
    except CycleError as error:
        pytest.fail("imports go in a circle: " + " -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize(
    ("place", "line", "target"),
    [
        ("prompts/vocabulary.py", "from curation.report import Report", "curation"),
        ("prompts/vocabulary.py", "import curation.report as report", "curation"),
        ("curation/engines/rules.py", "def f() -> None:\n    from models import stunet", "models"),
        ("curation/__init__.py", "import os, train.stages.align", "train"),
        ("models/stunet.py", "from prompts import vocabulary", "prompts"),
        ("train/stages/align.py", "import ovct", "ovct"),
        ("ovct.py", "from tests.curation.fakes import FakeEngine", "tests"),
        ("curation/verification/verifier.py", "if True:\n    import benchmarks.quality.negex", "benchmarks"),
        ("curation/language/tokens.py", "from curation.readers.sections import split", "curation.readers"),
        ("curation/runtime/files.py", "from curation.report import Report", "curation.report"),
        ("curation/pipeline.py", "from .cli.options import Reports", "curation.cli"),
        ("train/scans/grid.py", "from ..losses.pairs import Pairs", "train.losses"),
        ("train/stages/run.py", "from curation.readers.reports import read", "curation.readers.reports.read"),
    ],
)
def test_an_upward_arrow_is_found(tmp_path: Path, place: str, line: str, target: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"from prompts.vocabulary import Organ\n{line}\n" if place == "ovct.py" else line + "\n")
    assert [problem.rpartition(" ")[2] for problem in upward_arrows(tmp_path)] == [target]


def test_a_package_without_a_level_is_found(tmp_path: Path) -> None:
    (tmp_path / "curation/utils").mkdir(parents=True)
    (tmp_path / "curation/utils/__init__.py").write_text("")
    assert boxes_without_level(tmp_path) == ["curation.utils"]


def test_downward_arrows_and_circles_are_told_apart(tmp_path: Path) -> None:
    for folder in ("prompts", "curation/readers", "curation/runtime", "train/stages"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "prompts/vocabulary.py").write_text("import re\n")
    (tmp_path / "curation/__init__.py").write_text("")
    (tmp_path / "curation/runtime/errors.py").write_text("")
    (tmp_path / "curation/readers/rows.py").write_text("from .reports import Report\n")
    (tmp_path / "curation/readers/reports.py").write_text(
        "from prompts.vocabulary import Organ\nfrom curation.runtime.errors import InputError\nfrom . import rows\n"
    )
    (tmp_path / "train/stages/run.py").write_text("from curation.runtime.errors import InputError\n")
    assert upward_arrows(tmp_path) == []
    graph = import_graph(tmp_path)
    assert graph["curation.readers.rows"] == {"curation.readers.reports"}
    assert graph["curation.readers.reports"] == {
        "prompts.vocabulary", "curation.runtime.errors", "curation.readers.rows",
    }  # fmt: skip
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_nothing_else_installed_bears_our_names(name: str) -> None:
    owners = set(packages_distributions().get(name, [])) - {"ovct"}
    assert not owners, f"{owners} also install a top-level {name!r}: give ovct an environment of its own"
    assert name not in sys.stdlib_module_names
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def modules_loaded(*call: str) -> set[str]:
    """The modules that Python imports for a call, by its import log."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *call], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded, "the import log could not be read"
    return loaded


def test_help_loads_little() -> None:
    """What a start costs, without a clock: nothing heavy, and few modules beside those that Typer needs."""
    loaded = modules_loaded("-m", "ovct", "--help")
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert len(loaded - modules_loaded("-c", "import typer")) < MOST_MODULES_OF_A_START


def tracked_files() -> list[Path]:
    """The files that git tracks or would track, relative to the root."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return sorted(Path(name) for name in set(listed) if (ROOT / name).exists())


def folder_sizes(files: Iterable[Path]) -> Counter[str]:
    """How many files lie right in each folder."""
    return Counter(str(path.parent) for path in files)


def classes_defined_twice(root: Path) -> dict[str, list[str]]:
    """Class names that more than one module defines, with these modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, path in sources(root).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module)
    return {name: modules for name, modules in sorted(homes.items()) if len(modules) > 1}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_folder_holds_more_files_than_one_can_look_over() -> None:
    assert {name: count for name, count in folder_sizes(tracked_files()).items() if count > MOST_FILES} == {}


def test_the_longest_files_of_tests_are_still_there() -> None:
    assert [name for name in LONGEST_FILES if not (ROOT / "tests" / name).exists()] == []


def test_no_module_is_too_long_to_read() -> None:
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in sources(ROOT).items()}
    assert {module: count for module, count in lines.items() if count > MOST_LINES} == {}


def test_no_class_name_means_two_things() -> None:
    assert classes_defined_twice(ROOT) == {}


def box_graph(root: Path, folder: str) -> dict[str, set[str]]:
    """Which boxes of a top-level folder each of its boxes imports."""
    graph: dict[str, set[str]] = {}
    for module, targets in import_graph(root).items():
        if module.startswith(f"{folder}."):
            below = graph.setdefault(box_of(module), set())
            below |= {box_of(target) for target in targets if target.startswith(f"{folder}.")} - {box_of(module)}
    for module in sources(root):
        if module.startswith(f"{folder}."):
            graph.setdefault(box_of(module), set())
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Every box that `start` imports, or that one of these imports, and so on."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph.get(waiting.pop(), set()) - reached:
            reached.add(target)
            waiting.append(target)
    return reached


def level_count(graph: dict[str, set[str]]) -> int:
    """The number of boxes on the longest way down the arrows; boxes that need each other count as one."""
    below = {box: reachable(graph, box) for box in graph}
    group = {box: frozenset({box} | {other for other in below[box] if box in below[other]}) for box in graph}
    heights: dict[frozenset[str], int] = {}

    def height(members: frozenset[str]) -> int:
        if members not in heights:
            targets = {group[target] for box in members for target in graph[box] if group[target] != members}
            heights[members] = 1 + max(map(height, targets), default=0)
        return heights[members]

    return max(map(height, set(group.values())), default=0)


def figures(root: Path) -> dict[str, object]:
    """The figures of a checkout's layout, also of one from before these rules."""
    shipped = [path for path in sources(root).values()]
    sizes = Counter(str(path.parent.relative_to(root)) for path in shipped)
    result: dict[str, object] = {
        "packages": len({path.parent for path in shipped} - {root}),
        "largest folder": "{}: {} modules".format(*sizes.most_common(1)[0]),
        "class names defined twice": len(classes_defined_twice(root)),
        "modules above 250 lines": sum(len(path.read_text().splitlines()) > 250 for path in shipped),
    }
    for folder in LEVELS:
        graph = box_graph(root, folder)
        circles = sum(box in reachable(graph, target) for box, targets in graph.items() for target in targets)
        result[f"{folder}: boxes"] = len(graph)
        result[f"{folder}: levels"] = level_count(graph)
        result[f"{folder}: arrows in circles of boxes"] = circles
    return result


def test_levels_are_counted_along_the_longest_way() -> None:
    assert level_count({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == 3
    assert level_count({"a": {"b"}, "b": {"a", "c"}, "c": set(), "d": set()}) == 2


if __name__ == "__main__":
    for name, value in figures(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT).items():
        print(f"{name:40}{value}")
