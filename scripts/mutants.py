"""Change the code of a package in many small ways, and count the changes that its tests notice.

    python scripts/mutants.py PACKAGE [--sample N] [--seed S] [--budget SECONDS] [--jobs J]
                              [--only TEXT]

PACKAGE is energy, samplers, semantics or storage. A mutant is a copy of one module with one change
by mutmut's operators: a number, a comparison, a string, an argument, ... It is killed if a test
fails. `--sample` takes that many mutants at random, by the seed; the share of killed ones is
printed with its 95% interval (Wilson), then what survived.

Every mutant runs in a process forked off this one, which has loaded torch but no module of
lacelang. It runs the tests that reach the changed statement, the quickest first, as long as they
take no more than `--budget` seconds of a processor together, and stops at the first that fails.
So the share is a lower bound. Which tests reach what is measured once and kept in `.mutants/`. Left
out are tests that are slow, need weights, start processes (those would import the module as it is)
or fail as it is. A mutant that takes far longer than its tests is killed as well.

`code_changes.py` says what is not changed. `--only` keeps mutants whose line contains a text, such
as `logic.py:4`.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.machinery
import importlib.util
import itertools
import json
import math
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, Generic, TypeVar

import pytest
from code_changes import ROOT, Mutant, changes

TESTS = {
    "energy": ["energy", "samplers/test_exponential.py"],
    "samplers": ["samplers"],
    "semantics": ["semantics", "compiler"],
    "storage": ["storage"],
}
"""Folders and files of tests/ that hold a package."""

HEAVY = (
    "torch", "torch.func", "numpy", "hypothesis", "lark", "attrs", "msgspec", "PIL.Image",
    "filelock", "safetensors.torch", "torchdiffeq", "greenlet", "platformdirs", "tomllib",
    "hypothesis.strategies", "email", "http.server", "pypi_simple", "requests", "unittest.mock",
)  # fmt: skip
"""What mutants find loaded: nothing of these runs code of lacelang."""

T = TypeVar("T")

LONGEST_TEST = 10.0
"""Tests that take more seconds are left out."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module from another text than its file's, and keeps nothing on the disk."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder:
    """Finds one module of the mutant in place of the real one."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.path.relative_to(ROOT).with_suffix("").parts
        self._folder = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._folder else parts)
        self._mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self._name:
            return None
        file = str(self._mutant.path)
        return importlib.util.spec_from_file_location(
            name,
            file,
            loader=_Loader(name, file, self._mutant.source),
            submodule_search_locations=[os.path.dirname(file)] if self._folder else None,
        )


class _Chosen:
    """Runs the named tests of what was collected, in the given order.

    A mutant may rename the cases of a test, whose names come from the package. Then those cases
    run that are not `known` from the package as it is.
    """

    def __init__(self, names: Sequence[str], known: Collection[str]) -> None:
        self._rank = {name: k for k, name in enumerate(names)}
        self._known = known

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        gone = {_test(name) for name in self._rank.keys() - {each.nodeid for each in items}}
        for each in items:
            if each.nodeid not in self._known and _test(each.nodeid) in gone:
                self._rank[each.nodeid] = len(self._rank)
        items[:] = sorted(
            (each for each in items if each.nodeid in self._rank),
            key=lambda each: self._rank[each.nodeid],
        )


def _test(name: str) -> str:
    """The name of a test without that of its case."""
    return name.partition("[")[0]


class _Watched:
    """Measures for each test what it reaches, how long it takes and whether it can be used."""

    def __init__(self, package: Path) -> None:
        import coverage

        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{package}/*"]
        )
        self._now = ""
        self._seconds: dict[str, float] = {}
        self._unfit: set[str] = set()
        self._package = package
        sys.addaudithook(self._hear)
        self._coverage.start()

    def _hear(self, event: str, arguments: object) -> None:
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec") and self._now:
            self._unfit.add(self._now)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._now = item.nodeid
        self._coverage.switch_context(item.nodeid)
        begun = time.process_time()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.process_time() - begun
            self._now = ""
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped:
            self._unfit.add(report.nodeid)

    def result(self) -> dict[str, Any]:
        self._coverage.stop()
        data = self._coverage.get_data()
        lines = {
            os.path.relpath(file, ROOT): {
                str(line): sorted(set(names) - self._unfit)
                for line, names in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        seconds = {
            name: s
            for name, s in self._seconds.items()
            if name not in self._unfit and s <= LONGEST_TEST
        }
        return {"seconds": seconds, "lines": lines, "known": sorted(self._seconds)}


def _pytest(paths: Iterable[Path], plugin: object) -> int:
    """Run tests in this process, in an empty folder, with an empty cache of weights."""
    import hypothesis

    folder = tempfile.mkdtemp(prefix="mutant-")
    os.chdir(folder)
    os.environ["LACELANG_CACHE"] = os.path.join(folder, "cache")
    hypothesis.settings.register_profile("mutants", database=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")
    options = ["-o", "addopts=", "-q", "-m", "not slow and not weights", "--assert=plain"]
    options += ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    options += ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    options += ["--basetemp", os.path.join(folder, "tests")]
    if isinstance(plugin, _Chosen):
        options.append("-x")
    return int(pytest.main([*options, *map(str, paths)], plugins=[plugin]))


def _forked(work: Callable[[], int], seconds: float = math.inf) -> int:
    """Start work in a process of its own session, without output; the process's number.

    It is ended once it has used so many seconds of a processor.
    """
    sys.stdout.flush()
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        os.setsid()
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
        if seconds < math.inf:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds)))
        code = work()
    finally:
        os._exit(code)


def _end(number: int) -> None:
    """End a process that `_forked` started, and those that it started."""
    os.killpg(number, signal.SIGKILL)
    os.waitpid(number, 0)


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Work(Generic[T]):
    """What a process of its own is to do, of what, and how many seconds of a processor it has."""

    of: T
    do: Callable[[], int]
    seconds: float = math.inf


def done(works: Iterable[Work[T]], jobs: int) -> Iterator[tuple[T, int]]:
    """Do works, `jobs` at a time, and give the exit code of each as they end.

    One that waits ten times as long as it may work is ended too.
    """
    left = iter(works)
    running: dict[int, tuple[T, float]] = {}
    try:
        while True:
            for work in itertools.islice(left, jobs - len(running)):
                until = time.monotonic() + 10.0 * work.seconds
                running[_forked(work.do, work.seconds)] = work.of, until
            if not running:
                return
            for number, (of, until) in list(running.items()):
                ended, status = os.waitpid(number, os.WNOHANG)
                if not ended and time.monotonic() > until:
                    _end(number)
                    status = signal.SIGKILL
                elif not ended:
                    continue
                del running[number]
                yield of, os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
    finally:
        for number in running:
            _end(number)


@dataclass(frozen=True)
class Reach:
    """What was measured: the seconds of each test that can be used, and which reach a line.

    `known` has all tests, those that cannot be used included.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]
    known: set[str]


def reached(package: Path, jobs: int) -> Reach:
    """Measure the tests of a package, or read what was measured before."""
    keep = ROOT / ".mutants"
    keep.mkdir(exist_ok=True)
    kept: dict[Path, Path] = {}
    for place in TESTS[package.name]:
        named = ROOT / "tests" / place
        folder = named if named.is_dir() else named.parent
        helpers = [each for each in folder.rglob("*.py") if not each.name.startswith("test_")]
        for test in sorted(folder.rglob("test_*.py") if folder == named else [named]):
            digest = _digest([test, *helpers, *package.rglob("*.py"), Path(__file__)])
            kept[test] = keep / f"{package.name}-{test.stem}-{digest}.json"

    def measure(test: Path) -> int:
        watched = _Watched(package)
        _pytest([test], watched)
        made = kept[test].with_suffix(f".{os.getpid()}")
        made.write_text(json.dumps(watched.result()))
        made.rename(kept[test])
        return 0

    missing = [test for test, file in kept.items() if not file.exists()]
    for k, (test, code) in enumerate(done((Work(t, partial(measure, t)) for t in missing), jobs)):
        if code:
            sys.exit(f"{test.relative_to(ROOT)} cannot be measured")
        print(f"measured {k + 1}/{len(missing)} {test.name}", file=sys.stderr)
        for old in set(keep.glob(f"{package.name}-{test.stem}-*.json")) - {kept[test]}:
            old.unlink()
    reach = Reach({}, {}, set())
    for file in kept.values():
        found = json.loads(file.read_text())
        reach.seconds.update(found["seconds"])
        reach.known.update(found["known"])
        for source, by_line in found["lines"].items():
            ours = reach.lines.setdefault(source, {})
            for line, names in by_line.items():
                ours.setdefault(line, []).extend(names)
    return reach


class Runner:
    """Runs mutants on the tests that reach them."""

    def __init__(self, package: Path, budget: float, jobs: int) -> None:
        self._budget, self._jobs = budget, jobs
        self._reach = reached(package, jobs)

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests of a mutant, quickest first: of its statement, else of its function, else all.

        What a module does when it is imported belongs to no test, or to the one that happened to
        import it, and so to all of them, beginning with those that reach the module.
        """
        seconds = self._reach.seconds
        by_line = self._reach.lines.get(str(mutant.path.relative_to(ROOT)), {})

        def reaching(lines: Iterable[int]) -> set[str]:
            return {name for line in lines for name in by_line.get(str(line), ())}

        statement, function = reaching(mutant.statement), reaching(mutant.function)
        groups = [
            each & seconds.keys() for each in (statement, function, reaching(map(int, by_line)))
        ]
        groups.append(set(seconds))
        if "" in statement or mutant.statement.start == mutant.function.start:
            rank = {n: k for k, group in reversed([*enumerate(groups)][1:]) for n in group}
        else:
            rank = dict.fromkeys(next(filter(None, groups)), 0)
        chosen: list[str] = []
        # Those that do not reach the module, such as one that lists what it has, get as much.
        for apart in (False, True):
            spent = 0.0
            group = [name for name, k in rank.items() if (k == len(groups) - 1) is apart]
            for name in sorted(group, key=lambda n: (rank[n], seconds[n], n)):
                spent += seconds[name]
                if chosen and spent > self._budget:
                    break
                chosen.append(name)
        return chosen

    def work(self, mutant: Mutant, names: Sequence[str]) -> Work[Mutant]:
        """Run some tests on a mutant."""

        def do() -> int:
            sys.meta_path.insert(0, _Finder(mutant))  # type: ignore[arg-type]
            paths = dict.fromkeys(ROOT / name.split("::")[0] for name in names)
            return _pytest(paths, _Chosen(names, self._reach.known))

        return Work(mutant, do, 10.0 + 5.0 * sum(self._reach.seconds[name] for name in names))

    def run(self, chosen: Sequence[Mutant]) -> Iterator[tuple[Mutant, str]]:
        """Each mutant with `killed`, `hung` or `survived`, as they end."""
        works = (self.work(mutant, self.tests(mutant)) for mutant in chosen)
        for mutant, code in done(works, self._jobs):
            yield mutant, _ended_as(code)


def _ended_as(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "hung"
    survived = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return "survived" if survived else "killed"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("package", choices=TESTS)
    parser.add_argument("--sample", type=int, help="mutants, at random (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--budget", type=float, default=20.0, help="seconds of a processor for tests"
    )
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--only", default="", help="mutants whose line contains this text")
    options = parser.parse_args()

    os.environ |= {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(ROOT / ".mutants" / "compiled")
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # forked processes do not look through what is loaded already
    package = ROOT / "lacelang" / options.package
    every = [each for file in sorted(package.rglob("*.py")) for each in changes(file)]
    if options.sample is not None:
        random.Random(options.seed).shuffle(every)
    made = (mutant for each in every if (mutant := each.mutant()) and options.only in str(mutant))
    chosen = list(itertools.islice(made, options.sample))
    if not chosen:
        parser.error("there is no such mutant")

    runner = Runner(package, options.budget, options.jobs)
    counts = dict.fromkeys(("killed", "hung", "survived"), 0)
    began = time.monotonic()
    for k, (mutant, end) in enumerate(runner.run(chosen)):
        counts[end] += 1
        if end == "survived":
            print(f"survived {mutant}", flush=True)
        print(f"{k + 1}/{len(chosen)} {time.monotonic() - began:.0f} s", end="\r", file=sys.stderr)
    killed = counts["killed"] + counts["hung"]
    from lacelang.engine.measures import wilson  # here, for mutants are to import it anew

    low, high = wilson(killed, len(chosen))
    print(
        f"{options.package}, seed {options.seed}: {killed} of {len(chosen)} mutants killed, "
        f"{killed / len(chosen):.3f} (95%: {low:.3f} to {high:.3f}), of {len(every)} in all; "
        f"{counts['hung']} by time, "
        f"{time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
