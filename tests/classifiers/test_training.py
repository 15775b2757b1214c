import json
import math

import numpy as np
import pytest
import torch
from attrs import evolve

from lacelang.classifiers.labels import Examples, split
from lacelang.classifiers.training import (
    PAPER,
    REGULARISED,
    Targets,
    recipe_named,
    scales,
    train,
)
from lacelang.errors import UsageError
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute
from lacelang.render import model_card

ATTRIBUTES = (
    BinaryAttribute("smile"),
    ChoiceAttribute("hair", ("black", "brown", "red")),
    ContinuousAttribute("yaw", low=-45, high=45, unit="deg"),
)
INPUTS = 8
NOISE = 3.0


def labelled(count=900, seed=0):
    """Latents whose labels are known functions of them; yaw has noise of 3 degrees."""
    rng = np.random.default_rng(seed)
    w = (rng.standard_normal((count, INPUTS)) * 0.5 + 1.0).astype(np.float32)
    x = (w - 1.0) / 0.5
    columns = {
        "smile": (x[:, 0] > 0).astype(np.float32),
        "hair": np.digitize(x[:, 1], [-0.5, 0.8]).astype(np.float32),
        "yaw": (12.0 * x[:, 2] + NOISE * rng.standard_normal(count)).astype(np.float32),
    }
    return Examples(w, columns, rng.random(count) < 0.2)


def quick(recipe, **changes):
    return evolve(recipe, batch=64, **({"epochs": 12} | changes))


@pytest.fixture(scope="module")
def trained():
    return train(labelled(), ATTRIBUTES, recipe=quick(REGULARISED), seed=1)


@pytest.mark.parametrize("heads", ["single", "separate"])
@pytest.mark.parametrize("recipe", [REGULARISED, PAPER], ids=lambda recipe: recipe.name)
def test_every_arrangement_and_recipe_learns(heads, recipe):
    result = train(labelled(), ATTRIBUTES, recipe=quick(recipe), heads=heads, seed=1)
    fresh = labelled(400, seed=9)
    outputs = result.heads(torch.from_numpy(fresh.w))
    assert (outputs["smile"].argmax(1).numpy() == fresh.columns["smile"]).mean() > 0.88
    assert (outputs["hair"].argmax(1).numpy() == fresh.columns["hair"]).mean() > 0.75
    error = outputs["yaw"].numpy() - fresh.columns["yaw"]
    assert np.sqrt((error**2).mean()) < 0.5 * fresh.columns["yaw"].std()
    assert result.heads.sigma["yaw"] == pytest.approx(np.sqrt((error**2).mean()), rel=0.35)
    assert result.heads.sigma["yaw"] > 0.8 * NOISE


def test_the_same_seed_gives_the_same_weights(trained):
    again = train(labelled(), ATTRIBUTES, recipe=quick(REGULARISED), seed=1)
    other = train(labelled(), ATTRIBUTES, recipe=quick(REGULARISED), seed=2)
    assert again.report == trained.report
    mine, same, different = (r.heads.state_dict() for r in (trained, again, other))
    assert all(torch.equal(mine[name], same[name]) for name in mine)
    assert not torch.equal(mine["weights.0"], different["weights.0"])


def test_only_the_regularised_recipe_standardises(trained):
    kept, _ = split(labelled(), 0.15, seed=1)
    seen = torch.from_numpy(labelled().w[kept])
    x = trained.heads.standardise(seen)
    torch.testing.assert_close(x.mean(0), torch.zeros(INPUTS), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(x.std(0), torch.ones(INPUTS), atol=1e-5, rtol=0.0)
    plain = train(labelled(), ATTRIBUTES, recipe=quick(PAPER, epochs=1)).heads
    assert torch.equal(plain.standardise(seen), seen)


def test_training_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(labelled(300), ATTRIBUTES, recipe=quick(REGULARISED, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_missing_labels_are_ignored():
    examples = labelled()
    hidden = np.random.default_rng(3).random(len(examples)) < 0.5
    lies = {name: column.copy() for name, column in examples.columns.items()}
    lies["smile"][hidden] = np.nan
    lies["yaw"][hidden] = np.nan
    result = train(
        Examples(examples.w, lies, examples.conditioned), ATTRIBUTES, recipe=quick(PAPER)
    )
    figures = result.report["attributes"]
    assert figures["smile"]["prior"]["rows"] < 0.7 * figures["hair"]["prior"]["rows"]
    assert figures["smile"]["prior"]["accuracy"] > 0.85
    assert all(parameter.isfinite().all() for parameter in result.heads.parameters())


def test_the_loss_of_a_missing_label_is_nothing():
    columns = dict(labelled(6).columns)
    columns["smile"] = np.array([0, 1, np.nan, 1, np.nan, 0], np.float32)
    columns["yaw"] = np.array([1, np.nan, 3, 4, 5, 6], np.float32)
    places = {"smile": slice(0, 2), "hair": slice(2, 5), "yaw": slice(5, 6)}
    targets = Targets(ATTRIBUTES, places, columns, scales(ATTRIBUTES, columns, by_range=True))
    raw = torch.randn(1, 6, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    targets.loss(raw, torch.arange(6)).backward()
    unseen = torch.zeros(6, 6, dtype=torch.bool)
    unseen[[2, 4], 0:2] = True
    unseen[1, 5] = True
    assert torch.equal(raw.grad[0] == 0, unseen)


def test_the_loss_is_cross_entropy_plus_squared_error_by_range():
    columns = labelled(5).columns
    places = {"smile": slice(0, 2), "hair": slice(2, 5), "yaw": slice(5, 6)}
    targets = Targets(ATTRIBUTES, places, columns, scales(ATTRIBUTES, columns, by_range=True))
    raw = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(0))
    smile = raw[0, :, 0:2].log_softmax(1)[torch.arange(5), columns["smile"].astype(int)]
    hair = raw[0, :, 2:5].log_softmax(1)[torch.arange(5), columns["hair"].astype(int)]
    yaw = (torch.from_numpy(columns["yaw"]) + 45.0) / 90.0
    expected = -smile.mean() - hair.mean() + ((raw[0, :, 5] - yaw) ** 2).mean()
    assert targets.loss(raw, torch.arange(5)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_conditioned_rows_do_not_bend_the_calibration():
    examples = labelled()
    lies = {name: column.copy() for name, column in examples.columns.items()}
    lies["smile"][examples.conditioned] = 1.0
    lies["yaw"][examples.conditioned] += 40.0
    recipe = quick(REGULARISED)
    result = train(Examples(examples.w, lies, examples.conditioned), ATTRIBUTES, recipe=recipe)
    fresh = labelled(600, seed=9)
    outputs = result.heads(torch.from_numpy(fresh.w))
    stated = outputs["smile"].softmax(1)[:, 1].mean().item()
    assert stated == pytest.approx(fresh.columns["smile"].mean(), abs=0.06)
    assert outputs["yaw"].mean().item() == pytest.approx(fresh.columns["yaw"].mean(), abs=2.0)
    figures = result.report["attributes"]["yaw"]
    assert figures["conditioned"]["mae"] > 2 * figures["prior"]["mae"]


def test_noise_keeps_heads_from_following_the_labels():
    loud = train(labelled(), ATTRIBUTES, recipe=quick(REGULARISED, dropout=0.9, jitter=5.0))
    calm = train(labelled(), ATTRIBUTES, recipe=quick(REGULARISED, dropout=0.0, jitter=0.0))
    calmed, deafened = (r.report["attributes"]["yaw"]["prior"]["rmse"] for r in (calm, loud))
    assert calmed < 0.8 * deafened


def test_members_are_averaged():
    result = train(labelled(), ATTRIBUTES, recipe=quick(PAPER, members=2, calibrate=False))
    assert result.report["members"] == 2
    w = torch.from_numpy(labelled(10, seed=9).w)
    raw = result.heads.raw(result.heads.standardise(w))
    assert not torch.allclose(raw[0], raw[1])
    outputs = raw.mean(dim=0) * result.heads.gain + result.heads.shift
    torch.testing.assert_close(result.heads(w)["yaw"], outputs[:, -1])


def test_progress_is_told_after_each_epoch():
    seen = []
    recipe = quick(REGULARISED, epochs=3)
    train(labelled(300), ATTRIBUTES, recipe=recipe, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_splits_keep_rows_apart_and_take_both_origins():
    examples = labelled(1000)
    kept, held = split(examples, 0.15, seed=4)
    assert not set(kept) & set(held)
    assert len(kept) + len(held) == 1000
    share = examples.conditioned[held].sum() / examples.conditioned.sum()
    assert share == pytest.approx(0.15, abs=0.005)
    assert np.array_equal(split(examples, 0.15, seed=4)[1], held)
    assert not np.array_equal(split(examples, 0.15, seed=5)[1], held)


def test_the_report_is_json_and_makes_a_card(trained):
    text = model_card.tables(json.loads(json.dumps(trained.report, allow_nan=False)))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [row.split("|")[1].strip() for row in rows] == [
        *("attribute", "---", "smile", "hair"),
        *("attribute", "---", "yaw"),
    ]
    assert len({row.count("|") for row in rows[:4]}) == 1
    assert len({row.count("|") for row in rows[4:]}) == 1
    assert f"{trained.report['attributes']['yaw']['sigma']:.2f} deg" in rows[-1]
    assert "`regularised`, single, 12 epochs, seed 1" in text


def test_rates_fall():
    assert PAPER.rate(0.0) == PAPER.rate(0.49) > PAPER.rate(0.5) > PAPER.rate(0.99) > 0
    assert REGULARISED.rate(0.0) > REGULARISED.rate(0.5) > REGULARISED.rate(1.0) == 0
    assert recipe_named("paper", epochs=7).epochs == 7
    assert recipe_named("paper") == PAPER


def without(name):
    def change(w, columns, conditioned):
        del columns[name]

    return change


def cut(w, columns, conditioned):
    columns["yaw"] = columns["yaw"][:-1]


def unknown_class(w, columns, conditioned):
    columns["hair"][0] = 3


def half_class(w, columns, conditioned):
    columns["smile"][0] = 0.5


def endless(w, columns, conditioned):
    columns["yaw"][0] = math.inf


def one_class(w, columns, conditioned):
    columns["smile"][:] = 0


def broken_latent(w, columns, conditioned):
    w[0, 0] = math.nan


def no_prior(w, columns, conditioned):
    conditioned[:] = True


def nothing_seen_under_the_prior(w, columns, conditioned):
    columns["yaw"][~conditioned] = math.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("hair"), "no column for hair"),
        (cut, "yaw: .* labels for 300 latents"),
        (unknown_class, "hair: a label outside 0..2"),
        (half_class, "smile: a label outside 0..1"),
        (endless, "yaw: an infinite label"),
        (one_class, "smile: every label is the same"),
        (broken_latent, "finite"),
        (no_prior, "too few labelled prior draws"),
        (nothing_seen_under_the_prior, "yaw: 0 held-out prior draws have a label"),
    ],
)
def test_unusable_labels_are_refused(change, message):
    examples = labelled(300)
    parts = examples.w, dict(examples.columns), examples.conditioned
    change(*parts)
    with pytest.raises(UsageError, match=message):
        train(Examples(*parts), ATTRIBUTES, recipe=quick(REGULARISED, epochs=1))


def test_unknown_options_are_refused():
    with pytest.raises(UsageError):
        recipe_named("secret")
    with pytest.raises(UsageError):
        recipe_named("paper", epochs=0)
    with pytest.raises(UsageError):
        train(labelled(300), ATTRIBUTES, heads="double")
