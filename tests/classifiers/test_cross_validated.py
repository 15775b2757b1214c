import json

import numpy as np
import pytest
import torch
from attrs import evolve

from lacelang.classifiers import cross_validated, heads_file, linear, self_calibration, training
from lacelang.classifiers.cross_validated import FEW, few_of, has_few, scored_elsewhere, train
from lacelang.classifiers.labels import Examples
from lacelang.classifiers.training import SMALL
from lacelang.errors import UsageError
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute
from lacelang.render import model_card

ATTRIBUTES = (
    BinaryAttribute("smile"),
    ChoiceAttribute("hair", ("black", "brown", "red")),
    ContinuousAttribute("yaw", low=-45, high=45, unit="deg"),
)
INPUTS = 40
QUICK = evolve(SMALL, epochs=150)


def labelled(count=60, seed=0):
    """Latents whose first coordinates differ most, as those of a generator do."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, INPUTS)).astype(np.float32)
    w = x * np.linspace(2.0, 0.1, INPUTS, dtype=np.float32) + 1.0
    columns = {
        "smile": (x[:, 0] > 0).astype(np.float32),
        "hair": np.digitize(x[:, 1], [-0.5, 0.8]).astype(np.float32),
        "yaw": (12.0 * x[:, 2] + 3.0 * rng.standard_normal(count)).astype(np.float32),
    }
    return Examples(w, columns, np.zeros(count, bool))


def accuracy(result, name, fresh):
    outputs = result.heads(torch.from_numpy(fresh.w))[name]
    return float((outputs.argmax(1).numpy() == fresh.columns[name]).mean())


@pytest.fixture(scope="module")
def trained():
    return train(labelled(), ATTRIBUTES, seed=1)


def test_sixty_labels_are_enough_for_a_linear_relation(trained):
    fresh = labelled(1000, seed=9)
    assert accuracy(trained, "smile", fresh) > 0.85
    assert accuracy(trained, "hair", fresh) > 0.65
    yaw = trained.heads(torch.from_numpy(fresh.w))["yaw"].numpy()
    assert np.corrcoef(yaw, fresh.columns["yaw"])[0, 1] > 0.9
    assert trained.report["recipe"] == "linear"


def test_the_figures_of_cross_validation_hold_for_other_rows(trained):
    found = scored_elsewhere(trained, labelled(2000, seed=5)).report["attributes"]
    for name, measure, within in (("smile", "accuracy", 0.12), ("yaw", "rmse", 2.0)):
        crossed = trained.report["attributes"][name]["prior"][measure]
        assert crossed == pytest.approx(found[name]["prior"][measure], abs=within)
    assert found["smile"]["prior"]["ece"] < 0.1


def test_it_is_saved_as_any_other_and_makes_a_card(trained, tmp_path):
    heads_file.save(tmp_path / "x.safetensors", trained.heads, trained.report)
    loaded = heads_file.load(tmp_path / "x.safetensors", ATTRIBUTES)
    w = torch.from_numpy(labelled(7, seed=3).w)
    for name, output in trained.heads(w).items():
        assert torch.equal(loaded.heads(w)[name], output)
    json.dumps(trained.report, allow_nan=False)
    assert "5-fold cross-validation" in model_card.tables(trained.report)


def test_the_number_of_labels_decides():
    many = labelled(FEW)
    assert not has_few(many, ATTRIBUTES)
    assert has_few(many.take(np.arange(FEW - 1)), ATTRIBUTES)
    # One attribute with many labels is a reason for a network.
    many.columns["hair"][30:] = np.nan
    assert not has_few(many, ATTRIBUTES)


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_small_network_is_cross_validated_too(calibrated):
    where = self_calibration.in_z(INPUTS, seed=0)

    def term():
        return self_calibration.term(where)

    result = train(labelled(), ATTRIBUTES, recipe=QUICK, term=term if calibrated else None, seed=1)
    assert result.heads.hidden == (64,)
    assert accuracy(result, "smile", labelled(500, seed=9)) > 0.7
    assert result.report["attributes"]["yaw"]["sigma"] < 12


def test_self_calibration_flattens_the_marginal():
    where = self_calibration.in_z(INPUTS, seed=0)
    plain, calibrated = (
        train(labelled(), ATTRIBUTES[:1], recipe=evolve(QUICK, epochs=30), term=make, seed=1)
        for make in (None, lambda: self_calibration.term(where, weight=1.0))
    )
    errors = [self_calibration.SelfCalibration(where, 5, 1.0)(r.heads) for r in (plain, calibrated)]
    assert errors[1] < 0.5 * errors[0]


def test_missing_labels_do_not_matter():
    examples = labelled(80)
    examples.columns["smile"][::2] = np.nan
    alone = train(examples.take(np.arange(1, 80, 2)), ATTRIBUTES[:1], seed=1)
    together = train(examples, ATTRIBUTES, seed=1)
    assert together.report["attributes"]["smile"]["prior"]["rows"] == 40
    assert accuracy(together, "smile", labelled(500, seed=9)) == pytest.approx(
        accuracy(alone, "smile", labelled(500, seed=9)), abs=0.05
    )


def one_class(examples):
    examples.columns["smile"][:] = 1


def nine(examples):
    examples.columns["smile"][9:] = np.nan


def none(examples):
    examples.columns["smile"][:] = np.nan


def contradictory(examples):
    examples.w[7] = examples.w[3]
    examples.columns["smile"][[3, 7]] = 0, 1


@pytest.mark.parametrize("teach", [cross_validated.train, training.train])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (one_class, "smile: every label is the same, 1; .* add labels"),
        (none, "smile: there are no labels"),
        (contradictory, "smile: rows 3 and 7 are the same latent, labelled 0 and 1; remove one"),
    ],
)
def test_unusable_labels_are_refused_in_words(change, message, teach):
    examples = labelled(300)
    change(examples)
    with pytest.raises(UsageError, match=message):
        teach(examples, ATTRIBUTES)


def test_nine_labels_are_too_few():
    examples = labelled()
    nine(examples)
    with pytest.raises(UsageError, match="smile: 9 labels; training needs 10"):
        train(examples, ATTRIBUTES)


def test_the_same_label_twice_is_no_contradiction():
    examples = labelled()
    examples.w[7] = examples.w[3]
    for column in examples.columns.values():
        column[7] = column[3]
    train(examples, ATTRIBUTES[:1])


def test_ten_labels_and_missing_classes_are_warned_of():
    examples = labelled(10)
    examples.columns["hair"][examples.columns["hair"] == 2] = 1
    warnings = train(examples, ATTRIBUTES).report["warnings"]
    assert "smile: only 10 labels; its figures are rough" in warnings
    assert any(w.startswith("hair: no label of red;") for w in warnings)


def test_enough_labels_need_no_warning():
    assert train(labelled(200), ATTRIBUTES[:1]).report["warnings"] == []


def test_folds_have_each_class_alike():
    labels = torch.tensor([0.0] * 20 + [1.0] * 5)
    place = linear.folds(labels, 3, True)
    for fold in range(linear.FOLDS):
        assert (labels.numpy()[place == fold] == 1).sum() == 1


def test_few_rows_are_drawn_from_the_prior_and_the_rest_is_left():
    examples = evolve(labelled(50), conditioned=np.arange(50) >= 30)
    kept, others = few_of(examples, 12, seed=0)
    assert len(kept) == 12
    assert not kept.conditioned.any()
    assert len(others) == 38
    with pytest.raises(UsageError, match="cannot take 30 of 30"):
        few_of(examples, 30, seed=0)
