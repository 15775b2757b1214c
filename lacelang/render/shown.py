"""What an image, or the folder of a run, is: text for `lacelang show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lacelang.render.result_text import achieved, expectation_text, measure_text, obedience
from lacelang.storage.provenance import Provenance
from lacelang.storage.records import GroupRecord, RunRecord, SampleRecord, plain
from lacelang.text.columns import columns_of, padded
from lacelang.text.hidden import in_line
from lacelang.text.numerals import number_text

_WIDTH = 12
_LONGEST = 400


def image_lines(said: Provenance) -> Iterator[str]:
    """Yield what an image says of how it was made, a fact a line, without the program."""
    yield _row("what", f"{_what(said)}; synthetic")
    yield _row("program", f"{said.name}{_lines_of(said)}")
    if said.condition:
        yield _row("condition", said.condition)
    yield from _settings(said.settings or {}, said.seed)
    if said.came_from:
        yield _row("came from", " → ".join(each.name for each in said.came_from))
    if said.began is not None:
        carried = "its latents are carried" if said.start is not None else "not carried"
        yield _row("began from", f"{said.began.name} ({carried})")
    for name, term in said.terms.items():
        yield _row("term", f"{name}, a function of {term.on} in Python, version {term.version}")
    if said.sample is not None:
        yield from _sample(said.sample)
    made_with = ", ".join(f"{name} {each}" for name, each in said.versions.items())
    yield _row("made with", made_with)
    if said.replay_of is not None:
        yield _row("replay of", f"the image with the pixels {said.replay_of[:12]}…")
    if said.left_out:
        yield _row("left out", f"{', '.join(said.left_out)}: too long for an image")


def run_lines(run: RunRecord, only: str | None = None) -> Iterator[str]:
    """Yield what a run is; `only` names the one group that is shown."""
    state = "complete" if run.complete else "not complete"
    groups = [group for group in run.groups if only in (None, group.name)]
    yield _row("program", f"{run.program.name}, {state}")
    made_with = ", ".join(f"{name} {each}" for name, each in run.versions.items())
    yield _row("made with", made_with)
    if "started" in run.timing:
        seconds = run.timing.get("seconds", 0)
        yield _row("ran", f"{run.timing['started']}, {number_text(seconds)} s")
    for group in groups:
        yield ""
        yield from _group(group, run.timing.get("sampling", {}).get(group.name))
    if only is None and (run.measures or run.expectations):
        yield ""
        yield from map(_short, map(measure_text, run.measures))
        yield from map(_short, map(expectation_text, run.expectations))


def run_json(run: RunRecord, only: str | None = None) -> dict[str, Any]:
    """Return the same as JSON values; samples as counts by status."""
    groups = [
        {
            **{k: v for k, v in plain(group).items() if k not in ("samples", "atoms", "steps")},
            "made": len(group.samples),
            "status": dict(Counter(sample.status for sample in group.samples)),
            "comparisons": [
                {
                    "text": each.atom.wanted,
                    "mean": each.mean,
                    "holds": each.holding,
                    "of": len(group.samples),
                }
                for each in obedience(group)
            ],
        }
        for group in run.groups
        if only in (None, group.name)
    ]
    return {
        "program": plain(run.program),
        "versions": dict(run.versions),
        "complete": run.complete,
        "groups": groups,
        "measures": [plain(measure) for measure in run.measures],
        "expectations": [{**plain(each), "holds": each.holds} for each in run.expectations],
        "timing": dict(run.timing),
    }


def image_json(said: Provenance) -> dict[str, Any]:
    """Return what an image says as JSON values, with the program's text, without latents."""
    found = {**plain(said), "program": said.program}
    found.pop("start", None)
    return found


def _group(group: GroupRecord, seconds: float | None) -> Iterator[str]:
    ends = Counter(sample.status for sample in group.samples)
    made = f"{len(group.samples)} of {group.count} samples"
    others = [f"{number} {name}" for name, number in ends.items() if name != "converged"]
    spent = "" if seconds is None else f", {number_text(seconds)} s"
    yield _short(f"{group.name}: {', '.join([made, *others])}{spent}")
    if group.condition:
        yield f"  {_row('condition', group.condition)}"
    for line in _settings(group.settings, group.seed):
        yield f"  {line}"
    found = list(obedience(group))
    width = max((columns_of(_short(each.atom.wanted)) for each in found), default=0)
    for each in found:
        text, mean = padded(_short(each.atom.wanted), width), achieved(each.atom, each.mean)
        yield f"  {text}  mean {mean:>6}  holds in {each.holding}/{len(group.samples)}"
    steps = [step.text for step in group.steps]
    if steps:
        yield f"  {_row('steps', ', then '.join(steps))}"


def _settings(settings: Mapping[str, Any], seed: int) -> Iterator[str]:
    facts = [str(settings.get("model", "?"))]
    if "truncation" in settings:
        facts.append(f"truncation {_shown(settings['truncation'])}")
    yield _row("model", ", ".join(facts))
    yield _row("sampler", f"{settings.get('sampler', '?')}, seed {seed}")
    weights = settings.get("weights")
    if isinstance(weights, Mapping):
        shown = (f"{role} {str(digest)[:12]}" for role, digest in weights.items())
        yield _row("weights", ", ".join(shown))


def _sample(sample: SampleRecord) -> Iterator[str]:
    energy = "unknown" if sample.energy is None else f"{sample.energy:.4g} nats"
    tries = "" if sample.tries is None else f", candidate {sample.tries}"
    yield _row("ended", f"{sample.status}, energy {energy}, {sample.nfe} evaluations{tries}")
    if sample.drawn:
        yield _row("drawn", ", ".join(f"{n}={_shown(v)}" for n, v in sample.drawn.items()))
    for text, value in sample.readings.items():
        yield _row("reads", f"{text}: {'-' if value is None else _shown(value)}")


def _what(said: Provenance) -> str:
    index = "" if said.sample is None else f"{said.sample.index} "
    kinds = {
        "image": "sample {}of {}",
        "pasted": "photograph with sample {}of {}",
        "film": "film strip of sample {}of {}",
        "grid": "grid {}of {} and other groups",
    }
    form = kinds.get(said.what, f"{said.what} {{}}of {{}}")
    return f"{form.format(index, said.group)} ({said.kind})"


def _lines_of(said: Provenance) -> str:
    if said.program is None:
        return ", too long for an image"
    count = said.program.count("\n")
    return f", {count} line{'' if count == 1 else 's'}"


def _row(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{_short(text)}"


def _shown(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(value) if number else str(value)  # type: ignore[arg-type]


def _short(text: str) -> str:
    text = in_line(" ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
