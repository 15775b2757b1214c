"""Published files of weights are read as data: whatever they ask for, nothing of it is done."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.errors import ResourceError
from lacelang.storage.published import files, machine, torch_files
from lacelang.storage.published.files import read_data, read_published
from lacelang.storage.published.records import Record, RefusedError
from lacelang.storage.published.tensors import array, plain, shape_of, tensor

WEIGHTS = torch.arange(12.0).reshape(3, 4)


def read(data: bytes) -> Any:
    return read_data(memoryview(data))


def saved(value: object, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **how)
    return file.getvalue()


# What is read


@pytest.mark.parametrize("protocol", range(6))
def test_tensors_of_a_plain_pickle(protocol: int) -> None:
    """The release of StyleGAN2-ADA holds each storage as a torch file inside the pickle."""
    half = torch.nn.Parameter(torch.randn(2, 2).half())
    value = read(pickle.dumps({"a": WEIGHTS, "b": half, "c": WEIGHTS.T}, protocol))
    assert np.array_equal(tensor(value["a"]), WEIGHTS)
    assert np.array_equal(tensor(value["c"]), WEIGHTS.T)
    assert tensor(value["b"]).dtype == np.float32
    assert np.array_equal(tensor(value["b"]), half.detach().float())
    assert shape_of(value["b"]) == (2, 2)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "kind", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"]
)
def test_both_forms_of_torch(zipped: bool, kind: str) -> None:
    weights = (WEIGHTS - 3).to(getattr(torch, kind))
    sd = torch.nn.Linear(2, 3).state_dict()
    data = saved({"w": weights, "row": weights[1], "sd": sd}, _use_new_zipfile_serialization=zipped)
    value = read(data)
    kept = weights.double().numpy()
    assert np.array_equal(tensor(value["w"]), kept)
    assert np.array_equal(tensor(value["row"]), kept[1])
    assert list(value["sd"].items) == ["weight", "bias"]
    assert np.array_equal(tensor(value["sd"].items["bias"]), sd["bias"])


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "<i8", "|u1", "<f2"])
def test_arrays(protocol: int, kind: str) -> None:
    """The first release of StyleGAN2 holds numpy's arrays."""
    numbers = np.arange(6, dtype=kind).reshape(2, 3)
    value = read(
        pickle.dumps([numbers, np.asfortranarray(numbers), numbers.sum(), numbers[0]], protocol)
    )
    assert np.array_equal(array(value[0]), numbers)
    assert np.array_equal(array(value[1]), numbers)
    assert plain(value[2]) == numbers.sum()
    assert plain(value[3]) == [0, 1, 2]


SCALARS = st.none() | st.booleans() | st.integers(-(2**90), 2**90) | st.floats(allow_nan=False)
SCALARS |= st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@settings(max_examples=30, deadline=None)
@given(VALUES, st.integers(0, 5))
def test_containers_are_what_python_reads(value: object, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) == value


def test_a_loop_is_kept() -> None:
    """A list may hold itself."""
    loop: list[Any] = []
    loop.append(loop)
    found = read(pickle.dumps(loop))
    assert found[0] is found


def test_what_would_be_called_is_a_record() -> None:
    found = read(pickle.dumps(OrderedDict(a=1)))
    assert isinstance(found, Record)
    assert str(found.of) == "collections.OrderedDict"
    assert found.items == {"a": 1}


# What is refused


class Call:
    """Pickled as a call of a function with these arguments."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.asked = function, args

    def __reduce__(self) -> Any:
        return self.asked


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def named(module: str, name: str, then: bytes = b")R.") -> bytes:
    return f"c{module}\n{name}\n".encode() + then


def stacked(module: str, name: str) -> bytes:
    return b"\x80\x04" + text(module) + text(name) + b"\x93)R."


CALLED = {
    "reduce_system": pickle.dumps(Call(os.system, "true"), 2),
    "reduce_eval": pickle.dumps(Call(eval, "1+1")),
    "reduce_inside": pickle.dumps({"g_ema": OrderedDict(a=Call(os.system, "true"))}),
    "reduce_as_a_key": pickle.dumps([(Call(exec, "x=1"), 1)]),
    "protocol_0": b"cos\nsystem\n(S'true'\ntR.",
    "global_posix": named("posix", "system"),
    "global_nt": named("nt", "system"),
    "global_exec": named("builtins", "exec"),
    "global_eval": named("__builtin__", "eval"),
    "global_compile": named("builtins", "compile"),
    "global_open": named("builtins", "open"),
    "global_getattr": named("builtins", "getattr"),
    "global_import": named("builtins", "__import__"),
    "global_breakpoint": named("builtins", "breakpoint"),
    "global_subprocess": named("subprocess", "Popen"),
    "global_socket": named("socket", "socket"),
    "global_runpy": named("runpy", "_run_code"),
    "global_pty": named("pty", "spawn"),
    "global_importlib": named("importlib", "import_module"),
    "global_pickle_loads": named("pickle", "loads"),
    "global_webbrowser": named("webbrowser", "open"),
    "global_shutil": named("shutil", "rmtree"),
    "global_code": named("code", "interact"),
    "global_bdb": named("bdb", "Bdb"),
    "global_asyncio": named("asyncio.unix_events", "_UnixSubprocessTransport"),
    "global_operator": named("operator", "attrgetter"),
    "stack_global": stacked("os", "system"),
    "stack_global_eval": stacked("builtins", "eval"),
    "torch_hub": named("torch.hub", "load"),
    "torch_load": named("torch.serialization", "load"),
    "numpy_f2py": named("numpy.testing._private.utils", "runstring"),
}
"""Pickles that would run something when Python read them; a scanner flags them, too."""

QUIET = {
    "dotted_name": stacked("torch", "_utils.os.system"),
    "dotted_builtin": stacked("builtins", "dict.__class__"),
    "dotted_class": stacked("collections", "OrderedDict.fromkeys"),
    "module_of_modules": stacked("torch.nn.modules.module.torch", "save"),
    "class_with_a_dot": stacked("torch.nn.modules.linear", "Linear.load_state_dict"),
    "private_of_a_module": stacked("torch.nn.modules.linear", "__builtins__"),
    "name_with_a_line": stacked("os\nsystem", "x"),
    "empty_name": stacked("", ""),
    "name_that_is_no_text": b"\x80\x04K\x01K\x02\x93.",
    "case_of_a_name": stacked("Builtins", "SET"),
    "space_before_a_name": stacked(" builtins", "set"),
    "class_of_a_package": named("training.networks", "Generator"),
    "call_of_a_text": text("os.system") + b")R.",
    "call_of_a_result": named("builtins", "set", b")R)R."),
    "arguments_that_are_none": named("builtins", "set", b"K\x01R."),
    "named_arguments": named("builtins", "set", b")}" + text("a") + b"K\x01s\x92."),
    "instance": b"(ibuiltins\nset\n.",
    "old_object": b"(cbuiltins\nset\no.",
    "persistent_id": b"Pos.system\n.",
    "persistent_id_on_the_stack": text("os") + b"Q.",
    "extension_1": b"\x82\x01.",
    "extension_2": b"\x83\x01\x00.",
    "extension_4": b"\x84\x01\x00\x00\x00.",
    "next_buffer": b"\x97.",
    "readonly_buffer": b"N\x98.",
    "build_on_a_list": b"]}b.",
    "build_on_a_name": named("builtins", "set", b"}b."),
    "build_twice": named("builtins", "set", b")R}b}b."),
    "quoted_text": b"S'x'\n.",
    "unknown_opcode": b"\xff.",
    "protocol_9": b"\x80\x09N.",
    "no_pickle": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "html": b"<!DOCTYPE html><html><body>Not found</body></html>",
    "empty": b"",
    "nothing_but_an_end": b".",
    "left_over": b"NN.",
    "open_mark": b"(N.",
    "underflow": b"a.",
    "underflow_of_a_mark": b"N(0t.",
    "no_mark": b"t.",
    "recall_of_nothing": b"h\x05.",
    "keys_are_odd": b"(K\x01d.",
    "key_is_a_list": b"}]Ns.",
    "key_is_a_tuple": b"}))s.",
    "set_of_tuples": b"\x8f()\x90.",
    "append_to_a_number": b"K\x01K\x02a.",
    "put_into_a_list": b"]K\x01K\x02s.",
    "add_to_a_list": b"](K\x01\x90.",
    "huge_text": b"X\xff\xff\xff\x7fabc.",
    "huge_text_8": b"\x8d" + b"\xff" * 8 + b"abc.",
    "huge_bytes": b"B\xff\xff\xff\xffabc.",
    "huge_bytes_8": b"\x8e" + b"\xff" * 7 + b"\x7fabc.",
    "huge_bytearray": b"\x96" + b"\xff" * 7 + b"\x7fabc.",
    "huge_frame": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    "huge_number": b"\x8b\xff\xff\xff\x7f1.",
    "long_number": b"\x8a\xff" + b"\x7f" * 255 + b".",
    "number_in_words": b"L" + b"9" * 100_000 + b"L\n.",
    "number_of_no_digits": b"Inone\n.",
    "float_of_no_digits": b"Fnone\n.",
    "endless_line": b"c" + b"a" * 100_000,
    "text_is_not_utf8": b"\x8c\x02\xff\xfe.",
    "deep_marks": b"(" * 100_000 + b".",
    "many_opcodes": b"N0" * 11_000 + b"N.",
}
"""Pickles that are refused though they may run nothing."""


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def storage_id(*parts: object) -> bytes:
    """A pickle whose value is a persistent id."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            return parts if value is Record else None

    file = io.BytesIO()
    Pickler(file, 2).dump([Record])
    return file.getvalue()


def changed(data: bytes, before: bytes, after: bytes) -> bytes:
    assert before in data
    return data.replace(before, after)


TORCH = saved({"w": WEIGHTS})
OLD = saved({"w": WEIGHTS}, _use_new_zipfile_serialization=False)
WHERE = (torch.FloatStorage, "0", "cpu", 12)


def inner(data: bytes) -> bytes:
    """A tensor of a plain pickle, whose storage is a torch file with these bytes."""
    load = named("torch.storage", "_load_from_bytes", b"")
    rebuild = named("torch._utils", "_rebuild_tensor_v2", b"")
    storage = load + b"B" + struct.pack("<I", len(data)) + data + b"\x85R"
    return rebuild + b"(" + storage + b"K\x00K\x0c\x85K\x01\x85tR."


INNER = {
    "call": inner(CALLED["reduce_system"]),
    "call_behind_the_magic": inner(OLD[:60] + CALLED["reduce_eval"]),
    "nothing": inner(b""),
    "no_storage": inner(saved(3, _use_new_zipfile_serialization=False)),
    "archive_of_a_call": inner(zipped({"a/data.pkl": CALLED["reduce_eval"]})),
    "itself": inner(inner(inner(b"N."))),
    "cut_short": inner(OLD[:-4]),
}
"""Torch files inside of a pickle, which are read with the tensor."""

ARCHIVES = {
    "zip_without_a_pickle": zipped({"a/readme.txt": b"x"}),
    "zip_of_a_call": zipped({"a/data.pkl": CALLED["reduce_system"]}),
    "zip_bomb": zipped({"a/data.pkl": b"N" * 5_000_000}, zipfile.ZIP_DEFLATED),
    "zip_bomb_of_numbers": zipped(
        {"a/data.pkl": storage_id("storage", *WHERE), "a/data/0": bytes(5_000_000)},
        zipfile.ZIP_DEFLATED,
    ),
    "zip_cut_short": TORCH[: len(TORCH) // 2],
    "zip_of_garbage": b"PK\x03\x04" + bytes(2000),
    "zip_with_changed_numbers": changed(TORCH, struct.pack("<f", 7.0), struct.pack("<f", 9.0)),
    "zip_without_numbers": zipped({"a/data.pkl": storage_id("storage", *WHERE)}),
    "zip_with_fewer_numbers": zipped(
        {"a/data.pkl": storage_id("storage", *WHERE), "a/data/0": bytes(8)}
    ),
    "zip_of_big_endian": zipped({"a/data.pkl": b"N.", "a/byteorder": b"big"}),
    "zip_of_many_files": zipped({f"a/{n}": b"" for n in range(1_100)}),
    "zip_of_unknown_numbers": zipped(
        {"a/data.pkl": storage_id("storage", torch.nn.Linear, *WHERE[1:]), "a/data/0": bytes(48)}
    ),
    "persistent_id_of_a_file": zipped({"a/data.pkl": storage_id("file", "/etc/passwd")}),
    "persistent_id_is_a_text": zipped({"a/data.pkl": b"Pstorage\n."}),
    "persistent_id_with_a_view": zipped(
        {"a/data.pkl": storage_id("storage", *WHERE, ("1", 0, 3)), "a/data/0": bytes(48)}
    ),
    "old_cut_short": OLD[:-20],
    "old_with_a_longer_storage": changed(OLD, struct.pack("<q", 12), struct.pack("<q", 2**40)),
    "old_with_another_protocol": changed(OLD, b"M\xe9\x03", b"M\xea\x03"),
    "old_of_a_call": OLD[:60] + CALLED["reduce_eval"],
}

HOSTILE: dict[str, bytes] = {**CALLED, **QUIET, **ARCHIVES}


def sentence(refusal: RefusedError) -> str:
    return f"weights.pkl is not read: {refusal}"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is refused with a sentence, in a bounded time and memory."""
    data = HOSTILE[name]
    monkeypatch.setattr("os.system", _never)
    monkeypatch.setattr("builtins.eval", _never)
    monkeypatch.setattr(machine, "MOST_OPCODES", 20_000)
    monkeypatch.setattr(torch_files, "_MOST_STORAGES", 1_000)
    tracemalloc.start()
    begin = time.process_time()
    with pytest.raises(RefusedError) as refused:
        read(data)
    spent, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    monkeypatch.undo()
    assert peak < 40 * 2**20 + 2 * len(data)
    assert spent < 30
    message = sentence(refused.value)
    assert 30 < len(message) < 250
    assert message.isprintable()


def _never(*_: object, **__: object) -> None:
    raise AssertionError("something of the file was run")


@pytest.mark.parametrize("name", INNER)
def test_files_inside_of_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.system", _never)
    monkeypatch.setattr("builtins.eval", _never)
    value = read(INNER[name])
    with pytest.raises(RefusedError) as refused:
        tensor(value)
    assert sentence(refused.value).isprintable()


def test_there_are_many() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", CALLED)
def test_a_scanner_flags_those_that_would_run_something(name: str) -> None:
    from picklescan.scanner import scan_pickle_bytes

    result = scan_pickle_bytes(io.BytesIO(CALLED[name]), name)
    suspicious = [g for g in result.globals if g.safety.value != "innocuous"]
    assert suspicious
    with pytest.raises(RefusedError):
        read(CALLED[name])


def test_what_a_scanner_passes_is_read() -> None:
    from picklescan.scanner import scan_bytes

    for data in (TORCH, OLD):
        result = scan_bytes(io.BytesIO(data), "weights.pt")
        assert result.infected_files == 0
        assert np.array_equal(tensor(read(data)["w"]), WEIGHTS)


def nested(opcode: bytes, depth: int) -> bytes:
    inside = {b"t": b"\x85" * depth, b"l": b"", b"s": b"", b"b": b""}
    if opcode == b"t":
        return b")" + inside[b"t"] + b"."
    if opcode == b"l":
        return b"]" * depth + b"a" * (depth - 1) + b"."
    if opcode == b"b":
        return named("builtins", "set", b")R") * depth + b"b" * (depth - 1) + b"."
    return b"}K\x01" * (depth - 1) + b"}" + b"s" * (depth - 1) + b"."


@pytest.mark.parametrize("opcode", [b"t", b"l", b"s", b"b"], ids=["tuple", "list", "dict", "state"])
def test_values_without_end_are_harmless(opcode: bytes) -> None:
    """Thirty thousand nested values are built and dropped; no recursion follows them."""
    value = read(nested(opcode, 30_000))
    assert value is not None
    del value


def test_a_memo_bomb_stays_small() -> None:
    """Lists of lists that are the same one: 2^40 elements if they were copied."""
    bomb = b"]q\x00" + b"".join(b"0](h%ch%ce" % (n, n) + b"q%c" % (n + 1) for n in range(40)) + b"."
    tracemalloc.start()
    value = read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(value) == 2
    assert peak < 2**20


TENSOR = pickle.dumps(WEIGHTS)


def rebuilt(offset: Any = 0, size: Any = (3, 4), stride: Any = (4, 1), **other: Any) -> Record:
    record = read(TENSOR)
    storage = other.get("storage", record.args[0])
    return Record(record.of, (storage, offset, size, stride, *record.args[4:]))


@pytest.mark.parametrize(
    "record",
    [
        rebuilt(offset=1),
        rebuilt(offset=-1),
        rebuilt(offset=2**62),
        rebuilt(size=(3, 5)),
        rebuilt(size=(2**30, 2**30), stride=(0, 0)),
        rebuilt(size=(13,), stride=(0,)),
        rebuilt(stride=(-4, 1)),
        rebuilt(stride=(2**40, 1)),
        rebuilt(stride=(4,)),
        rebuilt(size="34"),
        rebuilt(size=(1,) * 20, stride=(1,) * 20),
        rebuilt(size=(3.0, 4)),
        rebuilt(storage=None),
        rebuilt(storage=read(pickle.dumps({1}, 2))),
        "no tensor",
        Record(rebuilt().of, ()),
    ],
)
def test_tensors_that_are_none(record: Any) -> None:
    with pytest.raises(RefusedError):
        tensor(record)


ARRAY = pickle.dumps(np.arange(6.0), 3)


@pytest.mark.parametrize(
    "state",
    [
        (1, (7,), None, False, None),
        (1, (2**31,), None, False, None),
        (1, (-6,), None, False, None),
        (1, (6,), read(pickle.dumps(np.dtype("O"))), False, None),
        (1, (6,), None, False, [1, 2]),
        (1, (6,)),
        None,
    ],
    ids=["too long", "huge", "negative", "objects", "a list", "cut short", "none"],
)
def test_arrays_that_are_none(state: Any) -> None:
    record = read(ARRAY)
    if state is not None and len(state) == 5:
        kept = record.state
        state = tuple(kept[n] if each is None else each for n, each in enumerate(state))
    record.state = state
    with pytest.raises(RefusedError):
        array(record)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([TENSOR, ARRAY, OLD, TORCH]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 400),
)
def test_random_changes(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    """Whatever is changed, the answer is a value or a refusal."""
    damaged = bytearray(data)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    with suppress(RefusedError):
        value = read(bytes(damaged[: len(damaged) - cut % 40]))
        for each in value.values() if isinstance(value, dict) else [value]:
            tensor(each)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    with suppress(RefusedError):
        read(data)


def test_every_opcode_is_read_or_refused() -> None:
    for opcode in pickletools.opcodes:
        with pytest.raises(RefusedError) as refused:
            read(opcode.code.encode("latin-1") + b"\xfe" * 20)
        assert (
            str(refused.value)
            != f"it is no pickle, or damaged: there is no opcode {hex(ord(opcode.code))}"
        )


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pt"
    with pytest.raises(ResourceError, match="there is no file"):
        read_published(path)
    with pytest.raises(ResourceError):
        read_published(tmp_path)
    path.write_bytes(TORCH)
    assert np.array_equal(tensor(read_published(path)["w"]), WEIGHTS)
    monkeypatch.setattr(files, "LARGEST", 100)
    with pytest.raises(RefusedError, match="larger than"):
        read_published(path)
