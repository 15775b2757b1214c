"""Check a great many random texts: nothing but a `LaceError` may leave `lacelang.compile`.

    python scripts/fuzz.py 1000000 [--seed 0] [--workers 1] [--seconds 20]

The texts are programs of programs/, stdlib/, tests/bad and tests/corpus, changed at random: pieces
are cut out, repeated, exchanged between programs, and replaced by words of the language, by hostile
pieces and by random characters. Text i depends on the seed and on i alone. A text that raises
anything else, or takes more seconds of processor time than given, is shortened while it still fails
and kept in tests/corpus, which the ordinary tests read; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CORPUS = ROOT / "tests" / "corpus"
CHUNK = 200
_SHORT, _MOST, _SHARE_LONG = 160, 600, 0.03
"""Characters of most texts that are changed, and of the others; longer ones are cut."""

_HOSTILE = [
    *(
        "\x00",
        "\ud800",
        "\u2028",
        "\u0301" * 40,
        "\u200d",
        "”",
        "\uff11",
        "é",
        "\r",
        "\ufeff",
        "\t",
    ),
    *("1e999999", "-0", "1" * 400, "0." + "0" * 400 + "1", "1" + "0" * 5000, "+.5e-9", "9" * 20),
    *('"', '"' + "x" * 300 + '"', '"' + "é" * 200 + '"', '"../x"', '"~x/y"', '"a/\x00"', "\r\n"),
    *('"{t}"', '"{{t}"', '"{"', "x" * 300, "é" * 200, "(" * 80, "not " * 70, ")" * 5, "}" * 3, "{"),
    *('"con"', '"."', '".."', '""', '" "', '"a.lace"', '"' + "a/" * 300 + '"', "#", "# “\n", "&&"),
]


def main() -> int:
    """Check as many texts as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("count", type=int, help="how many texts to check")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--seconds", type=int, default=20, help="that a text may take")
    given = parser.parse_args()
    started, done, kept = time.monotonic(), 0, []
    jobs = (
        (given.seed, first, min(first + CHUNK, given.count), given.seconds)
        for first in range(0, given.count, CHUNK)
    )
    with get_context("spawn").Pool(given.workers) as pool:
        for checked, failing in pool.imap(_chunk, jobs):
            done += checked
            kept += failing
            if sys.stderr.isatty():
                rate = done / (time.monotonic() - started)
                line = f"\r{done} of {given.count}, {rate:.0f} a second, {len(kept)} failed"
                print(line, end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{done} texts of seed {given.seed}, {len(kept)} failed")
    for name, what in kept:
        print(f"  {name}: {what}")
    return 1 if kept else 0


LIMITS = {
    "lacelang.semantics.statements.MAX_STATEMENTS": 300,
    "lacelang.semantics.conditions.MAX_ALL_TERMS": 2000,
}
"""Lower than they are, so that a text that reaches them takes no longer than others."""


def _chunk(job: tuple[int, int, int, int]) -> tuple[int, list[tuple[str, str]]]:
    seed, first, end, seconds = job
    for place, limit in LIMITS.items():
        module, _, name = place.rpartition(".")
        setattr(import_module(module), name, limit)
    kept = []
    for i in range(first, end):
        source = text(seed, i)
        what = failure(source, seconds)
        if what is not None:
            short = shortened(source, lambda s, w=what: failure(s, seconds) == w)
            kept.append((keep(short, what), what))
    return end - first, kept


def text(seed: int, i: int) -> str:
    """Return the i-th text of a seed."""
    rng = random.Random(f"{seed} {i}")
    right, wrong = _statements()
    sources = right if rng.random() < 0.7 else wrong
    long = rng.random() < _SHARE_LONG
    if long:
        source = rng.choice(_programs())[:_MOST]
    else:
        # Statements that follow one another, so that groups and names are known.
        first = rng.randrange(len(sources))
        source = "\n".join(sources[first : first + rng.choice((1, 1, 2, 3))])[:_SHORT]
    for _ in range(min(int(rng.expovariate(0.35 if long else 0.8)) + 1, 12)):
        source = _changed(source, rng, sources)[: _MOST if long else _SHORT]
    return source


def _changed(source: str, rng: random.Random, sources: list[str]) -> str:
    if rng.random() < 0.6:
        return _exchanged(source, rng, sources)
    start = rng.randrange(len(source) + 1)
    end = min(start + int(rng.expovariate(0.08)), len(source))
    kind = rng.random()
    if kind < 0.2:
        new = ""
    elif kind < 0.5:
        new = f" {rng.choice(_words())} "
    elif kind < 0.62:
        new, end = rng.choice(_HOSTILE), start if rng.random() < 0.5 else end
    elif kind < 0.7:
        new = source[start:end] * rng.randrange(2, 6)
    elif kind < 0.85:
        other = rng.choice(sources)
        at = rng.randrange(len(other) + 1)
        new = other[at : at + int(rng.expovariate(0.02))]
    elif kind < 0.93:
        lines = source.split("\n")
        rng.shuffle(lines)
        return "\n".join(lines)
    else:
        new = chr(rng.choice([rng.randrange(128), rng.randrange(0x3000), rng.randrange(0x110000)]))
    return source[:start] + new + source[end:]


_KINDS = (r"[-+]?\d[\d.]*", r'"[^"\n]*"', r"\b[^\W\d]\w*", r"[<>!=~]+", r"\[[^]]*\]|\([^()]*\)")


def _exchanged(source: str, rng: random.Random, sources: list[str]) -> str:
    """Put another number, text, name, sign or bracket in place of one: it can be read mostly."""
    kind = rng.choice(_KINDS)
    found = list(re.finditer(kind, source))
    others = re.findall(kind, rng.choice(sources))
    if kind in _KINDS[:2]:
        others += [each for each in _HOSTILE if re.fullmatch(kind, each)]
    if not found or not others:
        return source
    place = rng.choice(found)
    return source[: place.start()] + rng.choice(others) + source[place.end() :]


@cache
def _programs() -> list[str]:
    """Return programs to begin from."""
    files = [
        file
        for folder in ("programs", "stdlib", "tests/bad", "tests/corpus")
        for file in sorted((ROOT / folder).glob("*.lace"))
    ]
    return [file.read_text("utf-8", "surrogatepass") for file in files]


@cache
def _statements() -> tuple[list[str], list[str]]:
    """Return statements of programs that can be read, and paragraphs of those that cannot."""
    from lacelang.syntax.lines import Lines, with_line_feeds
    from lacelang.syntax.parser import read

    right: list[str] = []
    wrong: list[str] = []
    for source in _programs():
        parsed, lines = read(source), Lines(with_line_feeds(source))
        if parsed.problems:
            wrong += filter(str.strip, source.split("\n\n"))
        else:
            spans = (lines.offsets(each.span) for each in parsed.program.statements)
            right += [source[start:end] for start, end in spans]
    return right, wrong


@cache
def _words() -> list[str]:
    from lacelang.syntax.grammar import spellings

    names = "ffhq smile age yaw men left 1 0 0.5 -3 25 deg years t logic faces heun smc x"
    return [*sorted(set(spellings().values())), *names.split(), '"g {t}"', '"a.lace"']


def failure(source: str, seconds: int) -> str | None:
    """Return what is wrong with how a text is checked and formatted; None if nothing is."""
    import lacelang
    from lacelang.errors import LaceError
    from lacelang.explain import render
    from lacelang.explain.outline import outlines
    from lacelang.syntax.format import format_source
    from lacelang.syntax.render import render_all

    try:
        with _within(seconds):
            unread = False
            try:
                program = lacelang.compile(source, CORPUS / "fuzzed.lace")
                render_all(program.warnings)
                for each in outlines(program.checked):
                    render.text_of(render.outline_lines(each))
            except LaceError as error:
                render_all(error.diagnostics)
                unread = any(each.code < "LACE1" for each in error.diagnostics)
            if not unread:
                # Of a text that cannot be read, it has nothing but the same errors to say.
                format_source(source)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return type(error).__name__
    return None


class TooSlowError(Exception):
    """A text takes too long."""


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def shortened(source: str, fails: Callable[[str], bool], tries: int = 300) -> str:
    """Return a shorter text that fails as well, if one is found by leaving pieces out."""
    size = len(source) // 2
    while size and tries > 0:
        at = 0
        while at < len(source) and tries > 0:
            without, tries = source[:at] + source[at + size :], tries - 1
            if fails(without):
                source = without
            else:
                at += size
        size //= 2
    return source


def keep(source: str, what: str) -> str:
    """Put a text into the corpus; return the name of its file."""
    data = source.encode("utf-8", "surrogatepass")
    file = CORPUS / f"{what}_{hashlib.sha256(data).hexdigest()[:8]}.lace"
    file.write_bytes(data)
    return file.name


if __name__ == "__main__":
    sys.exit(main())
