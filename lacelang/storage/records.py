"""What is known about a run, a group and a sample, as plain values: no tensors, no images.

Their types are the schema of the files they are kept in: what does not fit is refused on reading.
`run.json`, the index of a run's folder, has in schema 4:

    schema, lacelang        of this file, and of the program that wrote it
    program                 name, and source text, of the program that ran last
    versions                of the libraries that a sample's last bits depend on
    complete                false until everything that the program asks for is there
    groups[]                `GroupRecord` without its samples, one for each `sample` and `edit`
    measures[]              `MeasureRecord`
    expectations[]          `ExpectationRecord`, and whether it holds
    timing                  all that differs between two runs of one command
    check                   a checksum of all but `timing`

What grows with the number of samples stands in the folder of each group; see
`lacelang.storage.group_folder`.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from attrs import NOTHING, asdict, evolve, field, frozen

from lacelang.errors import another_folder
from lacelang.storage import indices
from lacelang.storage.checks import check_of_json, secret
from lacelang.storage.files import disk_error, is_folder_name, write_atomic
from lacelang.text.names import nfc
from lacelang.text.numerals import number_text

SCHEMA = 4
NAME = "run.json"
_MOST = 64 << 20
APART = "timing"  # of the index: it differs between two runs of one command

Reading = Literal["probability", "value"]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Ending: TypeAlias = Literal[
    "converged", "max_steps", "non_finite", "max_tries", "stuck", "unverified", "failed"
]
"""How a sampler ended: the names of `lacelang.samplers.Status`."""
DrawnValues: TypeAlias = Mapping[str, str | float]
"""What was drawn for a sample by `each`: by attribute, a class or a value."""
Seen: TypeAlias = Mapping[str, float | None]
"""What annotators saw in an image: by attribute, a class number or a value; None for nothing."""


@frozen
class Atom:
    """One comparison of a condition, and which readings satisfy it: those from `low` to `high`."""

    text: str  # its source form, such as `glasses=1`
    attribute: str
    reading: Reading  # the probability of what it says, or the attribute's own value
    low: float | None  # in probability or in the attribute's units; None for no bound
    high: float | None
    unit: str | None = None  # of the value: `deg`, `years` or none
    negated: bool = False  # it stands under a `not`, and is satisfied outside of `low` to `high`
    drawn: bool = False  # its value is drawn for each sample; ends of a value are relative to it

    @property
    def wanted(self) -> str:
        """What a sample should do: `glasses=1`, or `not glasses=1` under a `not`."""
        return f"not {self.text}" if self.negated else self.text

    def holds(self, value: float) -> bool:
        """Whether a sample that reads `value` satisfies it."""
        above = self.low is None or self.low <= value
        below = self.high is None or value <= self.high
        return (above and below) != self.negated

    def of(self, drawn: DrawnValues) -> Atom:
        """Return the comparison with the value that was drawn for a sample."""
        wanted = drawn.get(self.attribute) if self.drawn else None
        if wanted is None:
            return self
        if isinstance(wanted, str):
            return evolve(self, text=f"{self.attribute}={wanted}", drawn=False)
        low, high = (None if end is None else wanted + end for end in (self.low, self.high))
        text = f"{self.attribute}={number_text(wanted)}"
        return evolve(self, text=text, low=low, high=high, drawn=False)

    def columns(
        self, samples: Iterable[SampleRecord]
    ) -> tuple[list[str], list[float | None], list[bool | None]]:
        """Return what each sample should do, what it reads, and whether that satisfies it."""
        read = [(self.of(each.drawn), each.readings.get(self.text)) for each in samples]
        holds = [None if value is None else atom.holds(value) for atom, value in read]
        return [atom.wanted for atom, _ in read], [value for _, value in read], holds


@frozen
class TraceRecord:
    """Some points of a sample's way, the first steps and then fewer; one entry a point.

    The energies are those that the sampler sees, and may hold its regulariser. The rest is what the
    sample had cost by then, as in `SampleRecord`.
    """

    energy: tuple[float | None, ...]
    nfe: tuple[Count, ...]
    accepted: tuple[Count, ...]
    rejected: tuple[Count, ...]


@frozen
class StepRecord:
    """Where one step of an edit took a sample, or, of the first, where it began.

    The fields are those of `SampleRecord`, after the step and of the step alone.
    """

    energy: float | None
    status: Ending
    nfe: Count
    accepted: Count
    rejected: Count
    readings: Mapping[str, float | None]
    trace: TraceRecord | None = None


@frozen
class StepPlan:
    """One line of an edit: what is to hold after it."""

    text: str  # as it was written
    layers: tuple[Count, ...] | None  # the style layers that take its move; None means all
    atoms: tuple[Atom, ...]  # those that stand after it, those of earlier lines included


@frozen
class SampleRecord:
    """One sample: where it started, what it reads, how its sampler ended."""

    index: Count  # in the group; with the group's seed, all that its prior draw depends on
    energy: float | None  # conditional, in nats, prior excluded; None where it is not finite
    status: Ending
    nfe: Count  # evaluations of the energy and its gradient
    readings: Mapping[str, float | None]  # atom's text → what the classifiers read of the latent
    accepted: Count = 0  # steps that the sampler took
    rejected: Count = 0  # and those that it rejected
    extra: Mapping[str, float | None] = field(factory=dict)  # what else the sampler found out
    seen: Seen | None = None  # by annotators in its image; None where nothing was asked
    steps: tuple[StepRecord, ...] = ()  # of an edited sample, its start and then each step
    drawn: DrawnValues = field(factory=dict)  # the values that `each` gave it
    tries: Count | None = None  # candidates that the annotators judged; None where none did
    trace: TraceRecord | None = None  # of the first samples of a group; of edits, see `steps`
    error: str | None = None  # what kept it, or its image, from being made; only in data sets


@frozen
class TurnRecord:
    """One turn of a loop: its variable, and the value that it has, as it is written."""

    variable: str
    value: str


@frozen
class LoopRecord:
    """Where in loops a group was made: groups of one statement are shown together."""

    at: str  # line and column of the statement, `3:5`
    turns: tuple[TurnRecord, ...]  # the outermost loop first


@frozen
class GroupRecord:
    """What a `sample` or an `edit` asked for, and the samples there are of it, index 0 first.

    `fingerprint` is of all that a sample depends on except its index: the resolved condition, the
    weights, the seed, the sampler and its options. More of a group has the same one.
    """

    name: str
    folder: str
    condition: str
    fingerprint: str
    seed: Count
    count: Count  # how many samples were asked for
    settings: Mapping[str, Any]  # what the fingerprint is of, for a reader
    atoms: tuple[Atom, ...]
    samples: tuple[SampleRecord, ...] = ()
    steps: tuple[StepPlan, ...] = ()  # the lines of an edit
    origin: str | None = None  # the program's file as seen from the run's folder, `-` for none
    loop: LoopRecord | None = None

    @property
    def of_photo(self) -> bool:
        """Whether its samples, or those that they were made of, are of a photograph."""
        return "photo" in self.settings

    @property
    def shows_photo(self) -> bool:
        """Whether film strips begin with the photograph: its file is named by the program."""
        photo = self.settings.get("photo")
        return isinstance(photo, dict) and "file" in photo

    @property
    def pastes(self) -> bool:
        """Whether each of its images is also put back into its photograph."""
        return self.settings.get("paste") is True

    @property
    def has_films(self) -> bool:
        """Whether a film strip shows what each of its samples was made of."""
        return bool(self.steps) or self.shows_photo


@frozen
class MeasureRecord:
    """A probability under a generator's own distribution, estimated from draws of its prior."""

    name: str  # of the statement
    what: str  # the predicates, as they were written
    given: str | None  # None without a condition
    model: str
    truncation: float  # of the draws
    seed: Count
    fingerprint: str  # of all that the estimate depends on
    draws: Count
    given_draws: Count  # those that satisfied `given`; all, without a condition
    value: float | None  # the share of those that satisfy `what`; None if there are none
    low: float | None  # 95 % interval of the probability behind it, for the error of drawing alone
    high: float | None
    decided: float | None  # the share where every draw is what its classifiers find likeliest
    seal: str = field(default="", eq=False)  # whoever has it measured it, under any name

    def sealed(self) -> MeasureRecord:
        """Return the record with the seal of this user."""
        return evolve(self, seal=self._own_seal())

    def is_sealed(self) -> bool:
        """Whether this user has measured it."""
        return hmac.compare_digest(self.seal.encode(errors="replace"), self._own_seal().encode())

    def _own_seal(self) -> str:
        return check_of_json(plain(evolve(self, name="", seal="")), secret())


@frozen
class ExpectationRecord:
    """What was expected of a group's images, and what annotators saw in them."""

    text: str  # as it was written: `glasses=1 in 95% of kids`
    group: str  # whose images were judged
    wanted: float  # the least share, 0..1, that must show it
    faces: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    failing: tuple[Count, ...]  # indices of the faces that do not show it

    @property
    def seen(self) -> float:
        """The share that shows it."""
        return 1 - len(self.failing) / self.faces

    @property
    def holds(self) -> bool:
        """Whether enough of the faces do."""
        # Not `seen >= wanted`: 0.95 of 20 is 19 faces, and no rounding may say otherwise.
        return self.faces - len(self.failing) >= self.wanted * self.faces - 1e-6


@frozen
class ProgramRecord:
    """The name of a program's file, and its text."""

    name: str
    source: str


@frozen
class RunRecord:
    """A program's run: its text, what came of it, and, kept apart, what differs every time."""

    program: ProgramRecord
    versions: Mapping[str, str]
    groups: tuple[GroupRecord, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    expectations: tuple[ExpectationRecord, ...] = ()
    complete: bool = False
    timing: Mapping[str, Any] = field(factory=dict, eq=False)


def plain(record: Any) -> dict[str, Any]:
    """A record as a dictionary of its fields, in their order, without options that say nothing."""
    return asdict(
        record,
        filter=lambda field, value: field.default is NOTHING or value not in (None, (), {}),
    )


def rounded(value: float) -> float | None:
    """`value` to six digits, as records keep it; None where it is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def write_index(folder: Path, run: RunRecord) -> None:
    """Write `run`, without its groups' samples, to `folder`/run.json, whole or not at all."""
    content = {
        "schema": SCHEMA,
        "lacelang": run.versions.get("lacelang", ""),
        "program": plain(run.program),
        "versions": dict(run.versions),
        "complete": run.complete,
        "groups": [plain(evolve(group, samples=())) for group in run.groups],
        "measures": [plain(measure) for measure in run.measures],
        "expectations": [
            {**plain(expected), "seen": rounded(expected.seen), "holds": expected.holds}
            for expected in run.expectations
        ],
        "timing": dict(run.timing),
    }
    write_atomic(folder / NAME, indices.encoded(content, APART), flush=True)


def read_index(folder: Path) -> RunRecord | None:
    """Return the run that `folder` holds, without samples; None if there is no run.json."""
    path = folder / NAME
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise ValueError(f"it is longer than {_MOST >> 20} MiB")
        run = indices.decoded(data, RunRecord, SCHEMA, str(path), APART)
        folders = [group.folder for group in run.groups]
        if not all(map(is_folder_name, folders)):
            # Files below are replaced: a forged name must not lead out of the run's folder.
            raise ValueError("no folder of a group")
        names = [nfc(group.name) for group in run.groups]
        if len(set(folders)) < len(folders) or len(set(names)) < len(names):
            raise ValueError("a group or a folder is named twice")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path, "read") from error
    except (ValueError, RecursionError) as error:
        raise another_folder(f"{path} is damaged, or no run of lacelang: {error}") from error
    return evolve(
        run,
        groups=tuple(evolve(group, samples=(), name=nfc(group.name)) for group in run.groups),
        measures=tuple(evolve(each, name=nfc(each.name)) for each in run.measures),
        expectations=tuple(evolve(each, group=nfc(each.group)) for each in run.expectations),
    )
