"""Call the commands in a process as on Windows, as far as Linux can play it: ``python -m tests.as_on_windows FOLDER``.

For our own modules, the modules, functions and signals that Windows lacks are not there; a file that is opened for
reading cannot be flushed. Below FOLDER, for all: a folder cannot be opened, an open file can neither be removed nor
replaced, and names are those that Windows allows. Packages of others stay as they are on Linux. Not played: paths with
drives and backslashes, locks that keep others from reading, the console's Ctrl-C, what those packages do on Windows.
"""

from __future__ import annotations

import builtins
import csv
import errno
import fcntl
import importlib
import os
import pkgutil
import shutil
import sys
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = ("curation", "prompts", "models", "train", "ovct")
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
REPORTS = 12
MISSING_MODULES = frozenset("fcntl grp posix pty pwd readline resource syslog termios tty".split())
MISSING = {
    "os": """O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_SYNC O_TMPFILE WNOHANG chown chroot fchmod fchown fdatasync fork forkpty
        geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getsid getuid initgroups killpg lchown lockf
        mkfifo mknod nice openpty pipe2 posix_fadvise posix_fallocate posix_spawn pread preadv pwrite register_at_fork
        sched_getaffinity sched_setaffinity sendfile setpgid setsid setuid statvfs sync sysconf uname wait""",
    "signal": """SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH
        SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending
        sigwait""",
    "select": "epoll poll",
    "time": "pthread_getcpuclockid tzset",
    "socket": "AF_UNIX",
}


def hide_what_windows_lacks() -> None:
    """Give our modules that are imported from now on copies of modules without what Windows lacks."""
    real_import: Callable[..., Any] = builtins.__import__
    copies = {name: _without(importlib.import_module(name), names.split()) for name, names in MISSING.items()}
    copies["os"].fsync = _fsync  # type: ignore[attr-defined]

    def import_as_on_windows(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if level == 0 and str((globals or {}).get("__name__", "")).partition(".")[0] in OURS:
            if name in MISSING_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in copies:
                return copies[name]
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__ = import_as_on_windows


def _without(module: ModuleType, names: list[str]) -> ModuleType:
    copy = ModuleType(module.__name__)
    copy.__dict__.update({name: value for name, value in vars(module).items() if name not in names})
    return copy


def _fsync(descriptor: int) -> None:
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor")
    os.fsync(descriptor)


def keep_the_rules_of_windows(folder: Path) -> None:
    """Refuse, below a folder, what Windows refuses."""
    below = f"{folder}{os.sep}"

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.remove", "os.rename", "os.mkdir"):
            return
        for path in arguments[: 2 if event == "os.rename" else 1]:
            name = os.path.abspath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""
            if name.startswith(below):
                _check_name(name.removeprefix(below))
                if event == "open" and os.path.isdir(name):
                    _refuse(name)
                # filelock has another way to release a lease on Windows.
                if event in ("os.remove", "os.rename") and ".lease" not in name and name in _open_files():
                    _refuse(name)

    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # else `rmtree` opens folders, as it does not there
    sys.addaudithook(check)


def _check_name(name: str) -> None:
    for part in name.split(os.sep):
        if set(part) & set('<>:"|?*\\') or part.endswith((" ", ".")) or any(ord(sign) < 32 for sign in part):
            raise OSError(errno.EINVAL, "Invalid argument", name)


def _open_files() -> set[str]:
    names = set[str]()
    for entry in os.listdir("/proc/self/fd"):
        try:
            names.add(os.readlink(f"/proc/self/fd/{entry}"))
        except OSError:
            continue
    with open("/proc/self/maps", encoding="utf-8") as file:
        return names | {line.split(maxsplit=5)[5].strip() for line in file if line.count("/")}


def _refuse(name: str) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", name)


def import_all() -> None:
    """Import every module of ours; the script that vLLM's process runs is none of them."""
    for package in OURS[:-1]:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)


def call_commands(folder: Path) -> None:
    """Call what reads reports on the examples, and look at the help of all commands."""
    from typer.main import get_command

    ovct = importlib.import_module("ovct")
    os.chdir(folder)
    with (EXAMPLES / "reports.csv").open(encoding="utf-8", newline="") as file:
        header, *reports = csv.reader(file)
        rows = [header, *reports[-REPORTS:]]  # of which some hold words that are not understood
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    _call("curate", "reports.csv", "--out", "set")
    _call("curate", "reports.csv", "--out", "set")
    _call("curate", "reports.csv", "--out", "set", "--overwrite")
    _call("stats", "set", "--plot", "plot.png")
    _call("verify", EXAMPLES / "reports.csv", EXAMPLES / "made_up_captions.csv", "--out", "verified.parquet")
    for number in (1, 2):
        _call("curate", "reports.csv", "--out", f"shard-{number}", "--shard", f"{number}/2")
    _call("merge", "shard-1", "shard-2", "--out", "merged")
    _call("lexicon", "suggest", "set", "--out", "words.yaml")
    _call("lexicon", "check", "words.yaml", code=2, says="it adds no word")
    _call("prompts")
    _review(folder / "set")
    _call("audit", "set", "--summary")
    _call("audit", "set", "--apply", "--out", "cleaned")
    vllm = ("--engine", "vllm", "--model", "m")
    _call("curate", "reports.csv", "--out", "x", *vllm, code=2, says="vLLM does not run on Windows")
    _train(folder)
    _check_no_run_is_unfinished(folder)
    for name, command in get_command(ovct.app).commands.items():  # type: ignore[attr-defined]
        for inner in ((), *((below,) for below in getattr(command, "commands", {}))):
            _call(name, *inner, "--help")


def _check_no_run_is_unfinished(folder: Path) -> None:
    from curation.caption_set.set_files import WORK_FOLDER
    from curation.runtime.files import TEMPORARY_SUFFIX

    left = [path for path in folder.rglob("*") if path.name == WORK_FOLDER or path.suffix == TEMPORARY_SUFFIX]
    assert not left, left


def _call(*arguments: object, code: int = 0, says: str = "") -> None:
    from typer.testing import CliRunner

    done = CliRunner().invoke(importlib.import_module("ovct").app, [str(argument) for argument in arguments])
    if done.exit_code != code or says not in done.output:
        raise SystemExit(f"ovct {' '.join(map(str, arguments))}: {done.exit_code}\n{done.output}") from done.exception
    print("ovct", *arguments, flush=True)


def _review(root: Path) -> None:
    from tests.curation.audit.builders import give_verdicts, open_audit

    with open_audit(root) as store:
        give_verdicts(store, "ann", ["hallucinated", *["supported"] * 5])


def _train(folder: Path) -> None:
    from tests.train.training_worlds import flags_of, make_world, settings

    world, once = make_world(folder / "world"), {"steps": 1, "evaluate_every": 1, "save_every": 1}
    words = flags_of(settings("pretrain", world, **once), folder)
    _call("train", "pretrain", world.data, "--out", "image", *words)
    _call("train", "pretrain", world.data, "--out", "image", *words, "--seed", "4", "--overwrite")
    _call("train", "pretrain", world.data, "--out", "none", *words, "--check", says="peak memory not known")
    _call("train", "words", "--out", "encoder", *flags_of(settings("words", world, **once), folder))
    words = flags_of(settings("align", world, **once), folder)
    _call("train", world.captions, "--volumes", world.data, "--out", "aligned", *words)
    words = flags_of(settings("segment", world, **once), folder)
    _call("train", "segment", world.data, "--out", "segmenter", *words)
    cpu = ("--checkpoint", "segmenter", "--device", "cpu", "--presence-threshold", "0")
    _call("segment", world.data / "s0" / "ct.nii.gz", *cpu, "--prompt", "liver", "--out", "mask.nii.gz")
    _call("evaluate", world.data, *cpu, "--out", "evaluated")


def start_a_worker() -> None:
    """Run a job in a process of its own, which is started as on Windows."""
    from curation.runtime.processes import workers

    with workers(partial(methodcaller, "upper"), 1) as pool:
        assert pool.submit("a job").result() == "A JOB"


def main(folder: Path) -> None:
    """Play Windows, and call everything."""
    hide_what_windows_lacks()
    keep_the_rules_of_windows(folder)
    import_all()
    call_commands(folder)
    start_a_worker()
    print("all called")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
