"""What a report shows of a run, as plain values for the templates; no HTML and no pictures yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import field, frozen

from lacelang.render.result_text import achieved, expectation_text, measure_text, obedience
from lacelang.render.sheet import film_moments
from lacelang.report.pictures import Shown
from lacelang.samplers.solution import Status
from lacelang.storage.reading import FoundGroup
from lacelang.storage.records import (
    Atom,
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    SampleRecord,
    StepRecord,
)
from lacelang.text.numerals import number_text


@frozen
class Reading:
    """What was wanted of a sample by one comparison, and what came of it.

    Attributes:
        key: by which values of different groups are filtered together.
        value: as the classifiers predict it, a probability or a value.
        text: the same, as it is printed.
        holds: whether the prediction satisfies the comparison; None where there is none.
        unasked: at this moment of an edit no line asks for it.
    """

    wanted: str
    key: str
    value: float | None
    text: str
    holds: bool | None
    unasked: bool = False


@frozen
class Face:
    """A sample as its figure shows it."""

    group: str
    index: int
    status: str
    sentence: str
    energy: str
    readings: tuple[Reading, ...]
    seen: tuple[tuple[str, str], ...]
    picture: Shown | None
    cost: str

    @property
    def number(self) -> str:
        """Its number, as files are called."""
        return f"{self.index:04d}"

    @property
    def alt(self) -> str:
        """The picture in words: what was wanted and what was achieved."""
        ending = self.status.replace("_", " ")
        return f"{self.group} {self.number}, {ending}. {_in_words(self.readings)}"

    @property
    def values(self) -> dict[str, float]:
        """What filters look at, by the key of a reading."""
        return {each.key: each.value for each in self.readings if each.value is not None}

    @property
    def holds(self) -> bool | None:
        """Whether all comparisons hold; None without any prediction."""
        known = [each.holds for each in self.readings if each.holds is not None]
        return all(known) if known else None


@frozen
class Moment:
    """A sample before an edit, or after one of its lines."""

    line: str
    readings: tuple[Reading, ...]
    picture: Shown

    @property
    def alt(self) -> str:
        """The picture in words."""
        asked = [each for each in self.readings if not each.unasked]
        return f"{self.line}. {_in_words(asked)}"


@frozen
class Film:
    """An edited sample, moment by moment."""

    index: int
    moments: tuple[Moment, ...]

    @property
    def number(self) -> str:
        """The number of the sample, as files are called."""
        return f"{self.index:04d}"


@frozen
class Obedience:
    """How often a comparison holds in a group.

    `mean` is of the predictions, `holding` of `known` samples satisfy it by their predictions.
    """

    wanted: str
    mean: str
    holding: int
    known: int


@frozen(eq=False)
class GroupContents:
    """A group, without its pictures.

    Attributes:
        number: its place in the run, from 1, for anchors of the page.
        facts: of how it was made, a name and a text each.
        ends: how many samples ended in each way, with a sentence and a remedy.
        whole: how many samples satisfy all comparisons, of those with predictions; None without.
    """

    number: int
    record: GroupRecord
    facts: tuple[tuple[str, str], ...]
    ends: tuple[tuple[str, int, str, str], ...]
    obedience: tuple[Obedience, ...]
    whole: tuple[int, int] | None
    notes: tuple[str, ...] = field(factory=tuple)

    @property
    def name(self) -> str:
        """The name of the group."""
        return self.record.name


def group_contents(number: int, group: FoundGroup) -> GroupContents:
    """Return what is shown of a group beside its faces."""
    record = group.record
    samples = record.samples
    ends = Counter(sample.status for sample in samples)
    rows = [
        Obedience(a.wanted, _reading(a, a, mean).text, holding, known)
        for a, mean, holding, known in obedience(record)
    ]
    judged = [_holds_whole(record, sample) for sample in samples]
    known = [each for each in judged if each is not None]
    missing = len(samples) - len(group.images)
    notes = []
    if len(samples) < record.count:
        notes.append(f"{len(samples)} of {record.count} samples are there: the run goes on from it")
    if samples and missing:
        notes.append(f"{missing} of {len(samples)} samples have no image in the folder")
    return GroupContents(
        number,
        record,
        _facts(record),
        tuple(
            (status, count, Status[status].sentence, Status[status].remedy)
            for status, count in ends.most_common()
        ),
        tuple(rows),
        (sum(known), len(known)) if known else None,
        tuple(notes),
    )


def face_of(group: GroupRecord, sample: SampleRecord, picture: Shown | None) -> Face:
    """Return what the figure of a sample shows."""
    wanted = [atom.of(sample.drawn) for atom in group.atoms]
    readings = [
        _reading(atom, of, sample.readings.get(atom.text))
        for atom, of in zip(group.atoms, wanted, strict=True)
    ]
    seen = sample.seen or {}
    return Face(
        group.name,
        sample.index,
        sample.status,
        f"{Status[sample.status].sentence} {Status[sample.status].remedy}".strip(),
        "" if sample.energy is None or not group.atoms else f"{sample.energy:.2f}",
        tuple(readings),
        tuple((name, "nothing" if v is None else f"{v:.3g}") for name, v in seen.items()),
        picture,
        _cost(sample),
    )


def moments_of(group: GroupRecord) -> list[int]:
    """The moments of an edit that film strips show: 0 before the first line, then after each."""
    return film_moments(len(group.steps) + 1)


def film_of(group: GroupRecord, sample: SampleRecord, pictures: Sequence[Shown]) -> Film:
    """Return the moments of an edited sample, given a picture of each of `moments_of`."""
    atoms = list({atom.text: atom for step in group.steps for atom in step.atoms}.values())
    moments = []
    for moment, picture in zip(moments_of(group), pictures, strict=True):
        line = group.steps[moment - 1] if moment else None
        asked = {atom.text for atom in line.atoms} if line is not None else set()
        step: StepRecord = sample.steps[moment]
        readings = [
            _reading(atom, atom, step.readings.get(atom.text), atom.text not in asked)
            for atom in atoms
        ]
        moments.append(Moment(line.text if line else "before", tuple(readings), picture))
    return Film(sample.index, tuple(moments))


def measures(records: Sequence[MeasureRecord]) -> list[tuple[str, str, MeasureRecord]]:
    """Return a name, a text and the record of each measure."""
    return [(each.name, measure_text(each), each) for each in records]


def expectations(records: Sequence[ExpectationRecord]) -> list[tuple[str, bool]]:
    """Return the text of each expectation, and whether it holds."""
    return [(expectation_text(each), each.holds) for each in records]


def key_of(atom: Atom) -> str:
    """Under what name a reading is filtered: `P(glasses=1)`, or `age (years)`."""
    if atom.reading == "probability":
        return f"P({atom.text})"
    return f"{atom.attribute} ({atom.unit})" if atom.unit is not None else atom.attribute


def _reading(atom: Atom, wanted: Atom, value: float | None, unasked: bool = False) -> Reading:
    text = achieved(atom, value)
    if value is not None and atom.reading == "value" and atom.unit is not None:
        text = f"{text} {atom.unit}"
    holds = None if value is None else wanted.holds(value)
    return Reading(wanted.wanted, key_of(atom), value, text, holds, unasked)


def _in_words(readings: Sequence[Reading]) -> str:
    verdicts = {True: "holds", False: "does not hold", None: "unknown"}
    parts = [f"Wanted {r.wanted}: predicted {r.text}, {verdicts[r.holds]}." for r in readings]
    return " ".join(parts) or "No condition: a draw from the prior."


def _holds_whole(group: GroupRecord, sample: SampleRecord) -> bool | None:
    """Whether a sample satisfies all comparisons that there are predictions of."""
    values = [(atom.of(sample.drawn), sample.readings.get(atom.text)) for atom in group.atoms]
    known = [wanted.holds(value) for wanted, value in values if value is not None]
    return all(known) if known else None


def _facts(group: GroupRecord) -> tuple[tuple[str, str], ...]:
    settings = group.settings
    facts = [("samples", str(len(group.samples))), ("seed", str(group.seed))]
    facts += [(name, str(settings[name])) for name in ("model", "sampler") if name in settings]
    if isinstance(settings.get("truncation"), int | float):
        facts.append(("truncation", number_text(settings["truncation"])))
    if "edited" in settings:
        facts.append(("edited from", str(settings["edited"])))
    costs = [sample.nfe for sample in group.samples]
    if any(costs):
        facts.append(("evaluations", f"{sum(costs) / len(costs):.0f} a sample"))
    tries = [sample.tries for sample in group.samples if sample.tries is not None]
    if tries:
        facts.append(("candidates", f"{sum(tries) / len(tries):.1f} a sample"))
    return tuple(facts)


def _cost(sample: SampleRecord) -> str:
    if not sample.nfe:
        return ""
    steps = sample.accepted + sample.rejected
    accepted = f", {sample.accepted} of {steps} steps accepted" if steps else ""
    return f"{sample.nfe} evaluations{accepted}"
