"""The laboratory's tables, from systems that are made up."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from experiments.laboratory.data import Pictures
from experiments.laboratory.dcgan import Generator
from experiments.laboratory.judges import Judge, Judges, Reader
from experiments.laboratory.latent import METHODS, Latents, StyleClassifier, named
from experiments.laboratory.measures import Measures
from experiments.laboratory.orderings import orderings
from experiments.laboratory.sheets import grid
from experiments.laboratory.style_gan import StyleGenerator
from experiments.laboratory.train_energies import Model
from experiments.laboratory.train_guided import DIFFUSIONS
from experiments.laboratory.unet import TimedClassifier, UNet
from experiments.specs import cgan, guided, latents, systems
from lacelang.evaluate.report import Report, as_json, as_markdown
from lacelang.progress import Silent


@pytest.fixture
def made_up() -> Measures:
    torch.manual_seed(0)
    found = Judges(Judge(1).eval(), Reader(1).eval(), (0.9, 0.8))
    images = torch.randn(40, 1, 32, 32)
    return Measures(found, found.read(images)[0], torch.arange(40) % 10)


def images_of(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    classes = torch.arange(10).repeat_interleave(count)
    return torch.randn(10 * count, 1, 32, 32, generator=random).clamp(-1, 1), classes


def tables(report: Report) -> list[list[dict[str, object]]]:
    assert as_markdown(report).startswith(f"# {report.suite}")
    assert all(isinstance(picture.draw(), Image.Image) for picture in report.pictures)
    return [table["rows"] for table in json.loads(as_json(report))["tables"]]


def test_cgan_has_a_row_for_every_system_and_seed(
    made_up: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Pictures(torch.zeros(40, 1, 32, 32, dtype=torch.uint8), torch.arange(40) % 10)
    monkeypatch.setattr(cgan, "measures", lambda *_: made_up)
    monkeypatch.setattr(cgan, "pictures", lambda *_: data)
    monkeypatch.setattr(cgan, "trained", lambda *_: (None, 12.3))
    monkeypatch.setattr(cgan, "generated", lambda _, count, seed: images_of(count, seed))
    own = SimpleNamespace(sample=lambda _, count, seed: images_of(count, seed))
    monkeypatch.setattr(cgan, "latents", lambda *_: (own, 3.0))
    summary, each, orders = tables(cgan.study(Silent(), 2))
    of_rows = [row["system"] for row in summary]
    asked = [f"{how} on the style-based generator" for how in cgan.ASKED]
    assert of_rows == [*cgan.FAMILY, *asked, "training images"]
    assert len(each) == len(cgan.FAMILY) * len(cgan.SEEDS)
    assert summary[0]["slides' FID"] == "32.507 ± 2.174"
    assert summary[0]["weights"] == "0 1 1 0"
    # Every two of the slides' systems, in each of their three measures.
    assert len(orders) == 6 * 3


def test_guided_compares_both_classifiers_at_every_share(
    made_up: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guided, "measures", lambda *_: made_up)
    monkeypatch.setattr(guided, "score_model", lambda *_: (None, 1.0))
    monkeypatch.setattr(guided, "classifier", lambda *_: (None, 1.0))
    monkeypatch.setattr(guided, "generated", lambda *given: images_of(given[2], given[5]))
    rows, verdicts = tables(guided.study(Silent(), 2))
    assert len(rows) == 2 * len(guided.SHARES)
    assert {row["classifier"] for row in rows} == {"plain", "self-calibrated"}
    # The same made-up images: neither is better.
    assert {row["ACC: self-calibrated is better"] for row in verdicts} == {"0 of 3 seeds"}


def test_the_table_of_systems_has_the_paper_s_figures_beside_ours(
    made_up: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = (*systems.PAPER, *systems.OTHERS)
    made = {name: lambda: systems.System(images_of, 90.0) for name in every}
    monkeypatch.setattr(systems, "measures", lambda *_: made_up)
    monkeypatch.setattr(systems, "systems", lambda _: made)
    rows, others = tables(systems.study(Silent(), 2))
    assert [row["system"] for row in rows] == list(systems.PAPER)
    assert [row["system"] for row in others] == list(systems.OTHERS)
    assert {row["min to train"] for row in rows} == {1.5}
    assert rows[3]["paper's FID"] == 2.97


def test_systems_sample_what_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(systems, "PREDICTIONS", 2)
    monkeypatch.setattr(systems, "SAMPLER_STEPS", 2)
    monkeypatch.setattr(systems, "CHAIN", 2)
    monkeypatch.setattr(systems.train_energies, "trained", lambda *_: (Model(1), 1.0))
    monkeypatch.setattr(systems, "score_model", lambda name, *_: (UNet(1, DIFFUSIONS[name]), 2.0))
    classifiers = {name: TimedClassifier(1, diffusion) for name, diffusion in DIFFUSIONS.items()}
    monkeypatch.setattr(systems, "classifier", lambda *_, name="VP-SDE": (classifiers[name], 3.0))
    monkeypatch.setattr(systems.train_cgan, "trained", lambda *_: (Generator(1).eval(), 5.0))
    found = Latents(StyleGenerator(1).eval(), StyleClassifier().eval())
    monkeypatch.setattr(systems, "latents", lambda *_: (found, 5.0))
    monkeypatch.setitem(METHODS, "LACE-LD", named("langevin", steps=2))
    names = ("JEM", "Cond-EBM", "VP-SDE", "VE-SDE", "LACE-LD", "ACGAN", next(iter(systems.GUIDED)))
    for name in names:
        system = systems.systems(Silent())[name]()
        assert system.training == (1.0 if name in ("JEM", "Cond-EBM") else 5.0)
        images, classes = system.sample(1, 4)
        assert images.shape == (10, 1, 32, 32)
        assert torch.isfinite(images).all()
        assert classes.tolist() == list(range(10))
    assert torch.equal(images, system.sample(1, 4)[0])


def test_settings_of_latents_are_judged_by_space(
    made_up: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def sample(how: object, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(count)
        return images_of(count, seed + len(asked))

    monkeypatch.setattr(latents, "measures", lambda *_: made_up)
    own = SimpleNamespace(sample=sample, generator=StyleGenerator(1).eval())
    monkeypatch.setattr(latents, "latents", lambda *_: (own, 1.0))
    small = [*latents.SMALL_GRID, (latents.LD, (50, 1e-2, 1e-2))]
    monkeypatch.setattr(latents, "GRID", small)
    monkeypatch.setattr(latents, "IMAGES_PIXELS", 2)
    spread, spaces, every = tables(latents.study(Silent(), 3))
    assert len(every) == len(small)
    assert [row["settings"] for row in spread] == [
        len(latents.TOLERANCES),
        len(latents.NOISES) + 1,
    ]
    assert asked == [*([3] * (2 * len(small) - 1)), 2, 2, 16]
    of_w = next(row for row in spaces if (row["sampler"], row["space"]) == (latents.ODE, "w"))
    assert of_w["paper's default: ACC"] == 0.971
    assert of_w["best ACC: ACC"] == max(r["ACC"] for r in every if r["sampler"] == latents.ODE)
    of_pixels = next(row for row in spaces if row["space"] == "pixels")
    assert of_pixels["default: ACC"] is not None
    assert of_pixels.get("best FID: FID") is None


def test_an_ordering_holds_only_if_it_does_for_all_pairs_of_seeds() -> None:
    published = {"a": {"FID": 1.0, "IS": 9.0}, "b": {"FID": 2.0, "IS": 7.0}, "c": {"FID": 3.0}}
    found = {
        "a": {"FID": [5.0, 6.0], "IS": [3.0, 3.1]},
        "b": {"FID": [7.0, 8.0], "IS": [4.0, 4.1]},
        "c": {"FID": [7.5, 7.6]},
        "d": {"FID": [0.0, 0.0]},
    }
    verdicts = {(o.measure, o.better, o.worse): o.verdict for o in orderings(published, found)}
    assert verdicts == {
        ("FID", "a", "b"): "holds",
        ("FID", "a", "c"): "holds",
        ("FID", "b", "c"): "is within the noise of the seeds",
        ("IS", "a", "b"): "is reversed",
    }
    row = orderings(published, found)[0].row(published, found)
    assert row["its figure (published)"] == "5.5 (1)"


def test_grids_show_images_in_rows() -> None:
    images = torch.full((5, 1, 4, 4), -1.0)
    images[3] = 1.0
    found = grid(images, 2)
    assert found.size == (16, 24)
    assert found.getpixel((0, 0)) == (0, 0, 0)
    assert found.getpixel((8, 8)) == (255, 255, 255)  # the fourth
    assert found.getpixel((15, 23)) == (255, 255, 255)  # no sixth
    coloured = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None].expand(1, 3, 4, 4)
    assert grid(coloured, 1).getpixel((0, 0)) == (255, 0, 0)
