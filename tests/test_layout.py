"""What holds for the project as a whole: who may import whom, what a start costs, what the README's tree names."""

import ast
import importlib.util
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

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
        ("language",),
        ("readers",),
        ("verification", "caption_set"),
        ("engines",),
        ("extraction",),
        ("llm",),
        ("pipeline", "verify_table"),
        ("replay", "audit", "ray_cluster"),
        ("api",),
        ("cli",),
    ),
    "train": (
        ("config", "order"),
        ("scans", "losses"),
        ("loop", "data"),
        ("inference",),
        ("stages", "evaluation"),
        ("cli",),
    ),
}
# Of `curation`, `train` may import these alone: caption sets are read, and a command reports its errors in one way.
TRAIN_FROM_CURATION = ("curation.runtime", "curation.caption_set", "curation.cli.options", "curation.cli.errors")
MOST_FILES = 20
MOST_LINES = 300
HEAVY = {
    "datasets",
    "fastapi",
    "lightning_fabric",
    "matplotlib",
    "monai",
    "numpy",
    "openai",
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
    found = {"ovct": root / "ovct.py"} if (root / "ovct.py").exists() else {}
    for folder in sorted(MAY_IMPORT.keys() - {"ovct"}):
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


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


def run_help(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-m", "ovct", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )


def test_help_loads_nothing_heavy() -> None:
    done = run_help("-X", "importtime")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in loaded, "the import log could not be read"
    assert loaded & HEAVY == set()
    assert "curate" in done.stdout


def test_help_answers_in_under_a_second() -> None:
    """The best of three: a busy machine says nothing about the command."""

    def seconds() -> float:
        start = time.perf_counter()
        run_help()
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 1.0


def own_files() -> set[str]:
    """Files that git tracks or would track. An `__init__.py` that holds no code is part of its folder's line."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return {name for name in listed if (ROOT / name).exists() and not is_bare_init(ROOT / name)}


def is_bare_init(path: Path) -> bool:
    if path.name != "__init__.py":
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def tree_files(readme: str) -> list[str]:
    """Paths in the README's tree: two blanks of indentation for each folder, a name, two blanks, what it is."""
    tree = re.search(r"<!-- tree -->\s*```text\n(.*?)```", readme, re.DOTALL)
    assert tree is not None, "README.md has no <!-- tree --> block"
    folders: list[str] = []
    files = []
    for line in tree[1].splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        assert re.search(r"\S {2,}\S", line.strip()), f"no description: {line!r}"
        del folders[depth:]
        if name.endswith("/"):
            folders.append(name)
        else:
            files.append("".join(folders) + name)
    return files


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_readme_names_every_file() -> None:
    named = tree_files((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(named) == len(set(named))
    assert sorted(own_files() - set(named)) == [], "these have no line in the README's tree"
    assert sorted(set(named) - own_files()) == [], "the README's tree names what is not there"
