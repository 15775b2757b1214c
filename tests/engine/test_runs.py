from __future__ import annotations

import errno
import json
import os
import random
import string
from pathlib import Path

import numpy as np
import pytest
import torch
from made_runs import read_run
from PIL import Image
from tiny import GLASSES_1, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.api import Program
from lacelang.errors import ResourceError, UsageError
from lacelang.samplers.solution import Status
from lacelang.storage.provenance import read


def pixels(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def steady(folder: Path) -> dict[str, object]:
    """run.json without what differs every time."""
    data = json.loads((folder / "run.json").read_text())
    assert data.pop("timing")
    assert isinstance(data, dict)
    return data


def test_a_run_in_memory_returns_what_the_design_promises(model: TinyModel) -> None:
    run = program(statement("kids", 5), statement("men", 3)).run()
    assert list(run) == ["kids", "men"]
    kids = run["kids"]
    assert kids.latents.shape == (5, 8)
    assert kids.latents.dtype == torch.float32
    assert kids.energy.shape == (5,)
    assert kids.energy.dtype == torch.float32
    assert kids.status == (Status.converged,) * 5
    assert kids.stats.nfe.shape == (5,)
    assert int(kids.stats.nfe.min()) > 1
    assert kids.stats.seconds > 0
    assert set(kids.readings) == {"glasses=1", "age=40"}
    # The condition is met, and the readings are those of the truncated latents.
    assert (kids.readings["glasses=1"] > 0.9).all()
    truncated = 35.0 + 10.0 * 0.7 * kids.latents[:, 1]
    assert torch.allclose(kids.readings["age=40"], truncated, atol=1e-3)
    assert len(kids.images) == 5
    assert kids.images[0].size == (16, 16)
    assert run.folder is None
    with pytest.raises(UsageError, match="its groups: kids, men"):
        run["women"]


def test_a_run_into_a_folder_leaves_faces_sheet_and_record(
    model: TinyModel, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "p"
    run = program(statement("kids", 5), statement("men", 3)).run(out=out)
    names = [str(p.relative_to(out)) for p in sorted(out.rglob("*")) if p.is_file()]
    assert names == [
        ".lock",
        *(f"kids/000{i}.png" for i in range(5)),
        "kids/images.jsonl",
        "kids/latents-000000.safetensors",
        "kids/samples.jsonl",
        "kids/sheet.png",
        *(f"men/000{i}.png" for i in range(3)),
        "men/images.jsonl",
        "men/latents-000000.safetensors",
        "men/samples.jsonl",
        "men/sheet.png",
        "run.json",
    ]
    record = read_run(out)
    assert record is not None
    assert record.complete
    assert [group.count for group in record.groups] == [5, 3]
    kids = run["kids"]
    assert kids.folder == out / "kids"
    again = program(statement("kids", 5)).run()["kids"]
    for mine, theirs in zip(kids.images, again.images, strict=True):
        assert np.array_equal(np.asarray(mine), np.asarray(theirs))
    said = read(out / "kids" / "0002.png")
    assert said is not None
    assert said.sample is not None
    assert said.program == "the source"
    assert (said.group, said.sample.index, said.seed) == ("kids", 2, 7)


def test_the_same_command_twice_is_identical(model: TinyModel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        program(statement()).run(out=tmp_path / name)
    assert pixels(tmp_path / "a") == pixels(tmp_path / "b")
    assert steady(tmp_path / "a") == steady(tmp_path / "b")


def test_a_finished_run_decodes_nothing_again(model: TinyModel, tmp_path: Path) -> None:
    program(statement()).run(out=tmp_path)
    model.generator.decoded = 0  # type: ignore[attr-defined]
    run = program(statement()).run(out=tmp_path)
    assert model.generator.decoded == 0  # type: ignore[attr-defined]
    assert len(run["kids"].images) == 5
    assert run["kids"].stats.seconds == 0
    assert int(run["kids"].stats.nfe.min()) > 1


@pytest.mark.parametrize("size", [0, 2_000_000])
def test_a_finished_run_of_a_program_of_any_size_decodes_nothing_again(
    model: TinyModel, tmp_path: Path, size: int
) -> None:
    source = "".join(random.Random(0).choices(string.printable, k=size))
    large = program(statement(where=None), edit(), source=source)
    large.run(out=tmp_path)
    for path in tmp_path.rglob("*.png"):
        with Image.open(path) as image:
            image.load()
    model.generator.decoded = 0  # type: ignore[attr-defined]
    large.run(out=tmp_path)
    assert model.generator.decoded == 0  # type: ignore[attr-defined]


def test_a_program_in_a_file_whose_name_is_no_text_runs(model: TinyModel, tmp_path: Path) -> None:
    checked = ir.CheckedProgram((statement(where=None),), path=Path("\udcff.lace"))
    Program(checked).run(out=tmp_path)
    record = read_run(tmp_path)
    assert record is not None
    assert record.program.name == "\\udcff.lace"


def test_a_run_that_broke_goes_on_to_the_same_pixels(model: TinyModel, tmp_path: Path) -> None:
    program(statement(), statement("men")).run(out=tmp_path / "whole")
    generator = model.generator
    generator.decoded, generator.fail_at = 0, 3  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="broke"):
        program(statement(), statement("men")).run(out=tmp_path / "broken")
    kept = sorted((tmp_path / "broken" / "kids").glob("0*.png"))
    assert [path.name for path in kept] == ["0000.png", "0001.png", "0002.png"]
    times = [path.stat().st_mtime_ns for path in kept]
    record = read_run(tmp_path / "broken")
    assert record is not None
    assert not record.complete
    generator.fail_at = None  # type: ignore[attr-defined]
    program(statement(), statement("men")).run(out=tmp_path / "broken")
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert pixels(tmp_path / "whole") == pixels(tmp_path / "broken")
    assert steady(tmp_path / "whole") == steady(tmp_path / "broken")


def test_more_samples_begin_with_the_same_ones(model: TinyModel, tmp_path: Path) -> None:
    program(statement(count=3)).run(out=tmp_path)
    few = pixels(tmp_path)
    program(statement(count=6)).run(out=tmp_path)
    many = pixels(tmp_path)
    assert len(many) == 7
    assert all(many[name] == few[name] for name in few if "sheet" not in name)
    assert many["kids/sheet.png"] != few["kids/sheet.png"]
    alone = program(statement(count=6)).run()["kids"]
    resumed = program(statement(count=6)).run(out=tmp_path)["kids"]
    assert torch.equal(alone.latents, resumed.latents)


def test_another_seed_replaces_the_group(model: TinyModel, tmp_path: Path) -> None:
    program(statement()).run(out=tmp_path)
    before = pixels(tmp_path)
    program(statement()).run(out=tmp_path, seed=8)
    after = pixels(tmp_path)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)
    record = read_run(tmp_path)
    assert record is not None
    assert [group.seed for group in record.groups] == [8]


def test_a_group_without_a_condition_is_the_prior(model: TinyModel) -> None:
    from lacelang.samplers.streams import prior

    group = program(statement(where=None, count=4)).run()["kids"]
    assert torch.equal(group.latents, prior(7, range(4), 8))
    assert group.readings == {}
    assert torch.equal(group.energy, torch.zeros(4))


def test_programs_with_one_seed_start_from_the_same_draws(model: TinyModel) -> None:
    prior = program(statement(where=None, seed=None)).run()["kids"]
    named = program(statement(where=None, seed=0)).run()["kids"]
    assert torch.equal(prior.latents, named.latents)


def test_only_one_group(model: TinyModel, tmp_path: Path) -> None:
    both = program(statement(), statement("men"))
    both.run(out=tmp_path, only="men")
    assert not (tmp_path / "kids").exists()
    record = read_run(tmp_path)
    assert record is not None
    assert not record.complete
    both.run(out=tmp_path, only="kids")
    assert len(list((tmp_path / "men").glob("0*.png"))) == 5
    record = read_run(tmp_path)
    assert record is not None
    assert record.complete
    with pytest.raises(UsageError, match="no group 'women'; its groups: kids, men"):
        both.run(only="women")


def test_metadata_can_be_left_out(model: TinyModel, tmp_path: Path) -> None:
    program(statement()).run(out=tmp_path, metadata=False)
    assert read(tmp_path / "kids" / "0000.png") is None
    assert b"the source" not in b"".join(pixels(tmp_path).values())


def test_a_file_for_a_folder_is_said_before_anything_is_loaded(
    model: TinyModel, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("mine")
    model.generator = None  # type: ignore[assignment]
    with pytest.raises(ResourceError, match="a file stands where a folder is needed"):
        program(statement()).run(out=tmp_path / "out" / "p")
    assert os.listdir(tmp_path) == ["out"]


def test_a_lost_sheet_is_drawn_again(model: TinyModel, tmp_path: Path) -> None:
    program(statement()).run(out=tmp_path)
    first = (tmp_path / "kids" / "sheet.png").read_bytes()
    (tmp_path / "kids" / "sheet.png").unlink()
    program(statement()).run(out=tmp_path)
    assert (tmp_path / "kids" / "sheet.png").read_bytes() == first
    with Image.open(tmp_path / "kids" / "sheet.png") as sheet:
        assert sheet.width > 3 * 256


def test_wrong_arguments_are_named(model: TinyModel) -> None:
    with pytest.raises(UsageError, match="`seed` is a whole number"):
        program(statement()).run(seed=-1)
    with pytest.raises(UsageError, match="no device 'tpu'"):
        program(statement()).run(device="tpu")  # type: ignore[arg-type]


def test_a_full_disk_keeps_what_is_finished(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if ".0003.png." in path.name:
            real(path, data[:20])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(ResourceError, match="no space left") as caught:
            program(statement()).run(out=tmp_path)
    assert caught.value.exit_code == 3
    names = os.listdir(tmp_path / "kids")
    assert "0003.png" not in names
    assert "sheet.png" not in names
    assert not [name for name in names if name.endswith(".part")]
    record = read_run(tmp_path)
    assert record is not None
    assert not record.complete
    program(statement()).run(out=tmp_path)
    program(statement()).run(out=tmp_path.with_name("whole"))
    assert pixels(tmp_path) == pixels(tmp_path.with_name("whole"))


def test_an_energy_for_ones_own_loop(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from lacelang.engine import loading

    monkeypatch.setattr(loading, "load", lambda spec, device, progress: model)
    energy = program(statement()).energy("kids")
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    values = energy(z)
    assert values.shape == (3,)
    (gradient,) = torch.autograd.grad(values.sum(), z)
    # Age is 35 + 10 * 0.7 z_1 and its energy (age - 40)^2 / 2 sigma^2 with sigma 4.
    slope = (35.0 + 7.0 * z[:, 1] - 40.0) * 7.0 / 16.0
    assert torch.allclose(gradient[:, 1], slope, rtol=1e-4, atol=1e-4)
    assert torch.allclose(energy.prior(z), 0.5 * z.square().sum(dim=1))
    with pytest.raises(UsageError, match="no group 'men'"):
        program(statement()).energy("men")
    with pytest.raises(UsageError, match="no condition"):
        program(statement(where=None)).energy("kids")


def test_threads_are_given_back(model: TinyModel) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        program(statement()).run()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_every_sampler_of_the_language_runs(model: TinyModel) -> None:
    from lacelang.ir import SamplerChoice
    from lacelang.samplers import SAMPLERS

    for name, table in SAMPLERS.items():
        group = program(statement(sampler=SamplerChoice(name, table.complete({})))).run()["kids"]
        assert group.status == (Status.converged,) * 5, name
        # An exact sample obeys as often as the classifiers are sure, a flow nearly always.
        assert (group.readings["glasses=1"] > 0.5).sum() >= 4, name


def test_a_sample_that_found_nothing_is_kept_and_marked(model: TinyModel, tmp_path: Path) -> None:
    from lacelang.ir import SamplerChoice

    rejecting = statement(sampler=SamplerChoice("rejection", {"max_tries": 3}))
    group = program(rejecting).run(out=tmp_path)["kids"]
    # Of 5 samples with 3 draws each, in which one draw in ten is accepted.
    assert set(group.status) == {Status.converged, Status.max_tries}
    record = read_run(tmp_path)
    assert record is not None
    samples = record.groups[0].samples
    assert [sample.status for sample in samples] == [status.name for status in group.status]
    assert len(list(tmp_path.glob("kids/0*.png"))) == 5
    pixels_of_sheet = np.asarray(Image.open(tmp_path / "kids" / "sheet.png").convert("RGB"))
    alarm = (pixels_of_sheet == np.array([0xFF, 0x6B, 0x5E], dtype=np.uint8)).all(axis=2)
    assert alarm.any()


def test_what_smc_finds_out_is_written_down(model: TinyModel, tmp_path: Path) -> None:
    from lacelang.ir import SamplerChoice
    from lacelang.samplers import SAMPLERS

    smc = SAMPLERS["smc"].complete({"particles": 64})
    glasses = statement(where=ir.And((GLASSES_1,)), sampler=SamplerChoice("smc", smc), count=12)
    group = program(glasses).run(out=tmp_path)["kids"]
    evidence = group.extra["log_evidence"]
    # The logit is odd in a coordinate that the prior has even: a probability of one half.
    assert float(evidence.exp().mean()) == pytest.approx(0.5, abs=0.1)
    lines = (tmp_path / "kids" / "samples.jsonl").read_text().splitlines()
    written = [json.loads(line)["extra"]["log_evidence"] for line in lines]
    assert torch.allclose(torch.tensor(written), evidence)
    again = program(glasses).run(out=tmp_path)["kids"]
    assert torch.equal(again.extra["log_evidence"], evidence)
    assert program(statement()).run()["kids"].extra == {}
