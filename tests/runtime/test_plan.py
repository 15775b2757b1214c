from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from attrs import evolve, frozen
from tiny import TinyModel, program, statement

from lacelang.output.latents import Latents
from lacelang.output.progress import Silent, Stage
from lacelang.runtime import saving
from lacelang.runtime.execute import _in_memory
from lacelang.runtime.plan import Options, Plan, plan
from lacelang.runtime.sampling import SampleTask
from lacelang.runtime.tasks import Drawn, GroupTask, Made

OPTIONS = Options(None, "cpu", None, ("kids", "men"), True)


@frozen(eq=False)
class Mirrored:
    """A group that is another one turned over."""

    whole: SampleTask
    source: str

    @property
    def model(self) -> TinyModel:
        return self.whole.model  # type: ignore[return-value]

    @property
    def record(self):  # type: ignore[no-untyped-def]
        name = f"{self.source}_mirrored"
        return evolve(self.whole.record, name=name, folder=name, fingerprint=name)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def draw(self, first: int, made: Made, stage: Stage) -> Iterator[Drawn]:
        source = made(self.source)
        for batch in self.whole.draw(first, made, stage):
            count = len(batch.records)
            turned = Latents(-source.z[first : first + count], -source.w[first : first + count])
            yield evolve(batch, latents=turned)
            first += count


def with_mirrors(model: TinyModel, only: tuple[str, ...]) -> Plan:
    planned = plan(program(statement("kids"), statement("men")), OPTIONS, Silent())
    groups: list[GroupTask] = []
    for task in planned.groups:
        assert isinstance(task, SampleTask)
        groups += [task, Mirrored(task, task.record.name)]
    return evolve(planned, groups=tuple(groups), only=only)


def names(planned: Plan) -> list[str]:
    return [task.record.name for task in planned.chosen]


def test_a_group_brings_along_what_it_begins_from(model: TinyModel) -> None:
    assert names(with_mirrors(model, ("men_mirrored",))) == ["men", "men_mirrored"]
    assert names(with_mirrors(model, ("men", "kids"))) == ["kids", "men"]
    assert names(with_mirrors(model, ())) == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_group_begins_from_the_samples_of_another(
    model: TinyModel, tmp_path: Path, kept: bool
) -> None:
    planned = with_mirrors(model, ("men_mirrored",))
    alone = _in_memory(planned, Silent(), 0.0)
    assert torch.equal(alone["men_mirrored"].latents, -alone["men"].latents)
    both = program(statement("kids"), statement("men"))
    if kept:
        saving.run_into(tmp_path, both, evolve(planned, only=("men",)), True, Silent(), 0.0)
    run = saving.run_into(tmp_path, both, planned, True, Silent(), 0.0)
    assert torch.equal(run["men_mirrored"].latents, alone["men_mirrored"].latents)
    assert len(list((tmp_path / "men_mirrored").glob("0*.png"))) == 5


def test_a_group_that_is_kept_is_not_made_again(model: TinyModel) -> None:
    kids = program(statement("kids", 3))
    first = kids.run()["kids"]
    again = kids.run(kept={"kids": first})["kids"]
    assert again is first
    other_seed = program(statement("kids", 3, seed=8)).run(kept={"kids": first})["kids"]
    assert other_seed is not first
    more = program(statement("kids", 4)).run(kept={"kids": first})["kids"]
    assert len(more) == 4
