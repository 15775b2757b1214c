"""What a sampler says of itself: its name, its options, what it promises. No torch is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from lacelang.registry import Place, imported
from lacelang.samplers.schedule import HORIZON

if TYPE_CHECKING:
    from torch import Tensor

    from lacelang.samplers.problem import Energy, OnStep, Target
    from lacelang.samplers.solution import Solution
    from lacelang.samplers.streams import Streams

Values = Mapping[str, float | int]


@frozen
class Option:
    """One option of a sampler.

    Attributes:
        default: None where it follows from the options before it, by `derived`.
        low, high: its limits, included; `low` is excluded if `above` is true.
        doc: what it does, one line.
        whole: only whole numbers.
        least: values between `low` and this are lost in float32, or take too long.
        of_target: it is about the regulariser of the target, and not for the algorithm.
        edits: an edit has it too.
    """

    name: str
    default: float | int | None
    low: float
    high: float
    doc: str
    above: bool = True
    whole: bool = False
    least: float = 0.0
    derived: Callable[[Values], float] | None = None
    of_target: bool = False
    edits: bool = True

    @property
    def limits(self) -> str:
        """What it may be, for a reader: `integer, from 1 to 1 000 000`."""
        low = "above" if self.above else "from"
        low = f"from {self.least:g}" if self.least else f"{low} {self.low:g}"
        whole = "integer, " if self.whole else ""
        return f"{whole}{low} to {f'{self.high:,.15g}'.replace(',', ' ')}"


@frozen
class Sampler:
    """A sampler; to be called like its algorithm, with defaults for what is left out.

    Attributes:
        name: as `with` calls it.
        doc: what it does, one line.
        algorithm: the function, or its `package.module:name`, imported when it is first called.
        options: what a program can set.
        presets: values of several options by name (`with langevin(preset=paper)`).
        settings: further arguments of the algorithm.
        exact: its samples are draws from e^-E times the prior, all disjuncts in their odds; without
            a clause `disjunction`, an `or` is the probability of the formula to it.
        edits: it moves a sample from where it is, so that it can edit.
        probability: it takes e^-E for a probability, and needs energies of at least 0.
        pilots: a pilot run, which is of no sample, settles how it runs: the arguments of its
            energy are the same for all samples that it is given.
    """

    name: str
    doc: str
    algorithm: Place
    options: tuple[Option, ...] = ()
    presets: Mapping[str, Values] = field(factory=dict, hash=False)
    settings: Mapping[str, Any] = field(factory=dict, hash=False)
    exact: bool = False
    edits: bool = False
    probability: bool = False
    pilots: bool = False

    def option(self, name: str) -> Option | None:
        """Return the option called `name`, or None."""
        return next((option for option in self.options if option.name == name), None)

    def complete(self, given: Values, preset: str | None = None) -> dict[str, float | int]:
        """Return every option's value: given ones first, then the preset's, then defaults."""
        chosen = {**(self.presets[preset] if preset else {}), **given}
        values: dict[str, float | int] = {}
        for option in self.options:
            value = chosen.get(option.name, option.default)
            if value is None and option.derived is not None:
                value = option.derived(values)
            if value is not None:
                values[option.name] = value
        return values

    def __call__(
        self,
        target: Target | Energy,
        z0: Tensor,
        *,
        streams: Streams | None = None,
        on_step: OnStep | None = None,
        **options: Any,
    ) -> Solution:
        """Move prior draws z0 (N, d) so that they meet a condition.

        Args:
            target: what to sample; an energy alone has no regulariser.
            z0: prior draws.
            streams: the samples' random streams, which a deterministic sampler ignores.
            on_step: called after every step with the share of the work done.
            options: those of the sampler; what is left out has its default.
        """
        from lacelang.samplers.problem import Target

        if not isinstance(target, Target):
            target = Target.of(target)
        passed = {**options, **self.complete(options), **self.settings}
        of_target = {option.name for option in self.options if option.of_target}
        passed = {name: value for name, value in passed.items() if name not in of_target}
        algorithm = cast("Callable[..., Solution]", imported(self.algorithm))
        return algorithm(target, z0, **passed, streams=streams, on_step=on_step)


def whole(name: str, default: int, low: int, high: int, doc: str) -> Option:
    """A whole number, its limits included."""
    return Option(name, default, low, high, doc, above=False, whole=True)


FINEST = 1e-9
"""The least tolerance of an adaptive solver."""

TOLERANCE = Option("tolerance", 2e-3, 0.0, 1.0, "error allowed per step", least=FINEST)
TIME = Option("time", HORIZON, 0.0, 1000.0, "length of the flow", least=1e-3)
MAX_STEPS = whole("max_steps", 1000, 1, 1_000_000, "steps before giving up")
TYPICAL = Option(
    "typical",
    1.2,
    0.0,
    1000.0,
    "how atypical of the prior, 1 on average; 0 sets no bound",
    above=False,
    of_target=True,
)
SLACK = Option(
    "slack",
    0.02,
    0.0,
    10.0,
    "nats that each term of the condition may keep: 0.02 is a probability of 0.98",
    above=False,
    of_target=True,
    edits=False,
)
FLOW = (TIME, MAX_STEPS, TYPICAL, SLACK)

WARMUP = whole("warmup", 20, 0, 1_000_000, "steps that adapt the step size")
ACCEPT = Option("accept", 0.6, 0.0, 0.99, "acceptance rate that steps are adapted to", least=0.01)
