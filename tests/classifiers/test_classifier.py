import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from lacelang.classifiers import heads_file
from lacelang.classifiers.classifier import SLOPE, Heads
from lacelang.classifiers.heads_file import require
from lacelang.errors import ResourceError, UsageError
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute

ATTRIBUTES = (
    BinaryAttribute("smile"),
    ChoiceAttribute("hair", ("black", "brown", "red")),
    ContinuousAttribute("yaw", low=-45, high=45, unit="deg"),
    ChoiceAttribute("gender", ("female", "male")),
)


def build(arrangement="single", members=1, inputs=12, seed=0):
    heads = Heads(ATTRIBUTES, arrangement=arrangement, members=members, inputs=inputs)
    random = torch.Generator().manual_seed(seed)
    heads.initialise(random)
    heads.mean.copy_(torch.randn(inputs, generator=random))
    heads.std.copy_(torch.rand(inputs, generator=random) + 0.5)
    heads.gain.copy_(torch.rand(heads.gain.shape, generator=random) + 0.5)
    heads.shift.copy_(torch.randn(heads.shift.shape, generator=random))
    heads.sigma = {"yaw": 2.5}
    return heads.freeze()


def latents(count, inputs=12, seed=1):
    return torch.randn(count, inputs, generator=torch.Generator().manual_seed(seed))


def by_hand(heads, w):
    """Evaluate one network after another, one layer after another."""
    x = (w - heads.mean) / heads.std
    networks = []
    for k in range(heads.weights[0].shape[0]):
        hidden = x
        for layer, (weight, bias) in enumerate(zip(heads.weights, heads.biases, strict=True)):
            hidden = hidden @ weight[k].T + bias[k]
            if layer < len(heads.weights) - 1:
                hidden = torch.where(hidden > 0, hidden, SLOPE * hidden)
        networks.append(hidden)
    outputs, start = {}, 0
    for k, attribute in enumerate(heads.attributes):
        stop = start + attribute.width
        if heads.arrangement == "single":
            own = [network[:, start:stop] for network in networks]
        else:
            own = [network[:, : attribute.width] for network in networks[k :: heads.stacks]]
        calibrated = sum(own) / len(own) * heads.gain[start:stop] + heads.shift[start:stop]
        outputs[attribute.name] = calibrated if attribute.discrete else calibrated[:, 0]
        start = stop
    return outputs


@pytest.mark.parametrize("arrangement", ["single", "separate"])
@pytest.mark.parametrize("members", [1, 3])
def test_batched_equals_looped(arrangement, members):
    heads = build(arrangement, members)
    w = latents(7)
    expected = by_hand(heads, w)
    got = heads(w)
    assert list(got) == [a.name for a in ATTRIBUTES]
    for name, output in got.items():
        torch.testing.assert_close(output, expected[name], atol=1e-5, rtol=1e-5)


def test_shapes_are_those_of_the_attributes():
    got = build()(latents(5))
    assert {name: tuple(output.shape) for name, output in got.items()} == {
        "smile": (5, 2),
        "hair": (5, 3),
        "yaw": (5,),
        "gender": (5, 2),
    }


@pytest.mark.parametrize("arrangement", ["single", "separate"])
@given(count=st.integers(1, 9), row=st.integers(0, 8), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_row_does_not_depend_on_its_neighbours(arrangement, count, row, seed):
    heads = build(arrangement)
    w = latents(count, seed=seed)
    row %= count
    alone, together = heads(w[row : row + 1]), heads(w)
    for name in alone:
        torch.testing.assert_close(alone[name][0], together[name][row], atol=1e-5, rtol=1e-5)


def test_gradient_matches_finite_differences():
    heads = build("separate").double()
    w = latents(2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda w: tuple(heads(w).values()), (w,), eps=1e-6, atol=1e-5)
    assert all(parameter.grad is None for parameter in heads.parameters())


def test_dropout_and_initial_weights_follow_the_generator():
    first, again, other = build(seed=3), build(seed=3), build(seed=4)
    assert torch.equal(first.weights[0], again.weights[0])
    assert not torch.equal(first.weights[0], other.weights[0])
    x = latents(4)
    draws = [first.raw(x, dropout=0.5, generator=torch.Generator().manual_seed(k)) for k in (0, 0)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], first.raw(x))


def test_dropout_keeps_the_mean():
    heads = build()
    for tensor in (*heads.weights, *heads.biases):
        tensor.abs_()
    random = torch.Generator().manual_seed(0)
    x = latents(1).abs().expand(4000, -1)
    dropped = heads.raw(x, dropout=0.4, generator=random).mean(dim=1)
    torch.testing.assert_close(dropped, heads.raw(x)[:, 0], rtol=0.02, atol=0.0)


@pytest.mark.parametrize("arrangement", ["single", "separate"])
def test_save_and_load_give_the_same_classifier(tmp_path, arrangement):
    heads = build(arrangement, members=2)
    with torch.no_grad():
        for tensor in (*heads.weights, *heads.biases):
            tensor.copy_(tensor.half().float())
    path = tmp_path / "heads.safetensors"
    heads_file.save(path, heads, {"recipe": "paper"})
    saved = heads_file.load(path, [ATTRIBUTES[0], ATTRIBUTES[3]])
    assert saved.heads.attributes == heads.attributes
    assert saved.heads.sigma == heads.sigma
    assert saved.report == {"recipe": "paper"}
    w = latents(6)
    for name, output in saved.heads(w).items():
        assert torch.equal(output, heads(w)[name])
    assert not any(parameter.requires_grad for parameter in saved.heads.parameters())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_default_weights_are_small(tmp_path):
    path = tmp_path / "heads.safetensors"
    heads_file.save(path, build(members=3, inputs=512), {})
    assert path.stat().st_size < 4_000_000


def test_saving_into_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ResourceError, match="cannot be written"):
        heads_file.save(tmp_path / "none" / "heads.safetensors", build(), {})


def test_a_failed_save_keeps_the_old_file(tmp_path):
    path = tmp_path / "heads.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="JSON"):
        heads_file.save(path, build(), {"nll": float("nan")})
    assert path.read_bytes() == b"old"


def damage(path, change):
    """Rewrite a saved file after `change` of its tensors and its parsed header."""
    with heads_file.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors, header = load_file(path), json.loads(metadata["heads"])
    change(tensors, header)
    save_file(tensors, path, metadata=metadata | {"heads": json.dumps(header)})


def drop_weight(tensors, header):
    del tensors["weights.0"]


def poison_weight(tensors, header):
    tensors["weights.1"][0, 0, 0] = float("nan")


def narrow_weight(tensors, header):
    tensors["weights.0"] = tensors["weights.0"][:, :, :-1].contiguous()


def zero_deviation(tensors, header):
    tensors["std"][0] = 0.0


def forget_attributes(tensors, header):
    del header["attributes"]


def rename_kind(tensors, header):
    header["attributes"][0]["kind"] = "ternary"


def break_sigma(tensors, header):
    header["sigma"]["yaw"] = "wide"


def negative_sigma(tensors, header):
    header["sigma"]["yaw"] = -1.0


def break_members(tensors, header):
    header["members"] = "two"


@pytest.mark.parametrize(
    "change",
    [
        drop_weight,
        poison_weight,
        narrow_weight,
        zero_deviation,
        forget_attributes,
        rename_kind,
        break_sigma,
        negative_sigma,
        break_members,
    ],
)
def test_a_file_with_wrong_contents_is_refused(tmp_path, change):
    path = tmp_path / "heads.safetensors"
    heads_file.save(path, build(), {})
    damage(path, change)
    with pytest.raises(ResourceError, match="damaged") as caught:
        heads_file.load(path)
    assert "lacelang train" in caught.value.remedy


def test_a_file_without_damage_survives_the_rewriting(tmp_path):
    path = tmp_path / "heads.safetensors"
    heads_file.save(path, build(), {})
    damage(path, lambda tensors, header: None)
    assert heads_file.load(path).heads.sigma == {"yaw": 2.5}


def test_names_in_a_file_may_be_spelled_otherwise(tmp_path):
    def respell(tensors, header):
        header["attributes"][1] |= {"name": "cheveux_tire\u0301s", "values": ["a", "e\u0301", "c"]}
        header["attributes"][2]["name"] = "co\u0302te\u0301"
        header["sigma"] = {"co\u0302te\u0301": 2.5}

    path = tmp_path / "heads.safetensors"
    heads_file.save(path, build(), {})
    damage(path, respell)
    heads = heads_file.load(path).heads
    assert heads.sigma == {"côté": 2.5}
    assert heads.attributes[1].name == "cheveux_tirés"
    assert heads.attributes[1].values == ("a", "é", "c")


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_truncated_file_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("heads") / "heads.safetensors"
    heads_file.save(path, build(), {})
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ResourceError, match="damaged"):
        heads_file.load(path)


def test_a_missing_file_and_a_foreign_one_are_told_apart(tmp_path):
    with pytest.raises(ResourceError, match="no classifiers at"):
        heads_file.load(tmp_path / "none.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": torch.zeros(1)}, foreign)
    with pytest.raises(ResourceError, match="not lacelang-heads-1"):
        heads_file.load(foreign)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (BinaryAttribute("beard"), "beard is missing"),
        (ContinuousAttribute("smile", 0, 1), "smile is binary, declared continuous"),
        (
            ChoiceAttribute("gender", ("male", "female")),
            "gender is one of female, male; declared male",
        ),
        (ChoiceAttribute("hair", ("black", "brown")), "declared black, brown"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(declared, message):
    require(ATTRIBUTES, ATTRIBUTES)
    with pytest.raises(ResourceError, match=message):
        require(ATTRIBUTES, [BinaryAttribute("smile"), declared])


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "ternary"},
        {"kind": "choice", "values": ("one",)},
        {"kind": "choice", "values": ("a", "b", "a")},
        {"kind": "binary", "values": ("no", "yes")},
        {"kind": "continuous", "values": ("a", "b")},
        {"kind": "continuous", "low": 1.0, "high": 1.0},
        {"kind": "continuous", "low": 0.0, "high": np.inf},
    ],
)
def test_contradictory_attributes_are_refused(tmp_path, fields):
    path = tmp_path / "heads.safetensors"
    heads_file.save(path, build(), {})
    whole = {"name": "x", "values": (), "low": 0.0, "high": 1.0, "unit": None, **fields}
    damage(path, lambda tensors, header: header["attributes"].append(whole))
    with pytest.raises(ResourceError, match="damaged: the attribute x contradicts itself"):
        heads_file.load(path)


def test_heads_need_different_attributes():
    with pytest.raises(UsageError):
        Heads([], inputs=4)
    with pytest.raises(UsageError):
        Heads([ATTRIBUTES[0], ATTRIBUTES[0]], inputs=4)
    with pytest.raises(UsageError):
        Heads(ATTRIBUTES, inputs=4, members=0)
