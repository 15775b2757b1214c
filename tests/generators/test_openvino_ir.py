"""Networks of strangers are read here, and refused before a parser of OpenVINO's sees them."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lacelang.errors import ResourceError
from lacelang.generators import openvino_runtime
from lacelang.generators.mobilestylegan import convert, store
from lacelang.generators.openvino_ir import MOST_LAYERS, Graph, read, reading
from lacelang.storage import fetch

KNOWN = set(convert.LAYERS.items())
NUMBERS = np.arange(6, dtype=np.float32)


def const(number: int, name: str, **data: str) -> str:
    said = {"element_type": "f32", "shape": "2, 3", "offset": "0", "size": "24"} | data
    written = " ".join(f'{key}="{value}"' for key, value in said.items())
    return (
        f'<layer id="{number}" name="{name}" type="Const" version="opset1"><data {written}/>'
        '<output><port id="0" precision="FP32"><dim>2</dim><dim>3</dim></port></output></layer>'
    )


def layer(number: int, name: str, kind: str = "Add", version: str = "opset1") -> str:
    ports = "".join(f'<port id="{port}"/>' for port in (0, 1))
    return (
        f'<layer id="{number}" name="{name}" type="{kind}" version="{version}">'
        f'<input>{ports}</input><output><port id="2"/></output></layer>'
    )


def edge(source: object, given: object, to: object, port: object) -> str:
    return f'<edge from-layer="{source}" from-port="{given}" to-layer="{to}" to-port="{port}"/>'


LAYERS = (const(0, "a"), const(1, "b", offset="24"), layer(2, "sum"))
EDGES = (edge(0, 0, 2, 0), edge(1, 0, 2, 1))


def network(
    layers: tuple[str, ...] = LAYERS, edges: tuple[str, ...] = EDGES, more: str = "", head: str = ""
) -> bytes:
    inside = f"<layers>{''.join(layers)}</layers><edges>{''.join(edges)}</edges>{more}"
    return f'<?xml version="1.0"?>{head}<net name="n" version="10">{inside}</net>'.encode()


def graph(xml: bytes, data: bytes = NUMBERS.tobytes() * 2) -> Graph:
    with reading("Some.xml in an archive"):
        return read(xml, data, KNOWN)
    raise AssertionError


def test_constants_and_edges() -> None:
    found = graph(network(more="<meta_data><a><b/></a></meta_data>"))
    total = found.layer("sum")
    assert [each.name for each in found.layers] == ["a", "b", "sum"]
    assert [each.name for each in found.inputs(total)] == ["a", "b"]
    assert found.consumer(found.layer("a")) is total
    assert np.array_equal(found.constant(total, 1), NUMBERS.reshape(2, 3))


def bomb(levels: int) -> str:
    entities = "".join(
        f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "lol"}">' for i in range(levels)
    )
    return f"<!DOCTYPE net [{entities}]>"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no element found"),
    "no XML": (b"\x7fELF" * 99, "not well-formed"),
    "cut": (network()[:-20], "unclosed token"),
    "other XML": (b"<html/>", "`html` in a wrong place"),
    "no layers": (network(()), "no layers"),
    "another version": (network().replace(b'"10"', b'"7"'), "neither 10 nor 11"),
    "entity bomb": (
        network(more="<meta_data>&e9;</meta_data>", head=bomb(10)),
        "a document type",
    ),
    "a document type": (network(head="<!DOCTYPE net>"), "a document type"),
    "a file by an entity": (
        network(head='<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "a document type",
    ),
    "an unknown entity": (network(more="<meta_data>&x;</meta_data>"), "undefined entity"),
    "an include": (network(more='<include href="file:///etc/passwd"/>'), "a wrong place"),
    "deep": (network(more="<meta_data>" + "<a>" * 99 + "</a>" * 99 + "</meta_data>"), "deeply"),
    "very deep": (b"<net version='10'><meta_data>" + b"<a>" * 10**6, "nested too deeply"),
    "huge": (network(more=f"<meta_data>{'x' * (9 << 20)}</meta_data>"), "MiB of XML"),
    "a million layers": (
        b'<net version="10"><layers>'
        + b"".join(
            b'<layer id="%d" name="%d" type="Add" version="opset1"/>' % (i, i) for i in range(10**5)
        ),
        f"more than {MOST_LAYERS} layers",
    ),
    "an unknown operation": (network((*LAYERS, layer(3, "x", "Custom"))), "of type Custom"),
    "an unknown version": (network((*LAYERS, layer(3, "x", "Add", "opset99"))), "Add, opset99"),
    "an extension": (network((*LAYERS, layer(3, "x", "Add", "extension"))), "Add, extension"),
    "a loop": (network(edges=(*EDGES, edge(2, 2, 2, 0))), "one port"),
    "a circle": (network(edges=(edge(2, 2, 2, 0), EDGES[1])), "depends on"),
    "an edge from nowhere": (network(edges=(edge(9, 0, 2, 0), EDGES[1])), "one is missing"),
    "an edge of no port": (network(edges=(edge(0, 7, 2, 0), EDGES[1])), "port is missing"),
    "an input of nothing": (network(edges=EDGES[:1]), "leads nowhere"),
    "an edge of no number": (network(edges=(edge(-1, 0, 2, 0), EDGES[1])), "`-1` is no number"),
    "one name twice": (network((*LAYERS, layer(3, "sum"))), "two layers `sum`"),
    "one number twice": (network((*LAYERS, layer(2, "x"))), "of number 2"),
}
CONSTANTS: dict[str, tuple[dict[str, str], str]] = {
    "behind the end": ({"offset": "40"}, "behind the end"),
    "far behind the end": ({"offset": "9" * 15}, "behind the end"),
    "a negative place": ({"offset": "-8"}, "`-8` is no number"),
    "a negative side": ({"shape": "-2, -3"}, "`-2` is no number"),
    "a huge side": ({"shape": "999999999999, 3"}, "more than"),
    "many sides": ({"shape": ", ".join(["1"] * 99)}, "no number|another size"),
    "huge digits": ({"size": "9" * 9999}, "is no number"),
    "another size": ({"size": "20"}, "another size"),
    "no size": ({"size": ""}, "is no number"),
    "an unknown type": ({"element_type": "string"}, "of type string"),
}


@pytest.fixture(autouse=True)
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO is not to be called."""
    monkeypatch.setattr(openvino_runtime, "openvino", lambda: pytest.fail("OpenVINO was called"))


def refused(xml: bytes, words: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ResourceError, match=words) as caught:
        graph(xml)
    assert time.perf_counter() - begun < 5
    assert "Some.xml in an archive" in str(caught.value)
    assert "name another archive" in str(caught.value)


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_networks(what: str) -> None:
    refused(*HOSTILE[what])


@pytest.mark.parametrize("what", CONSTANTS)
def test_hostile_constants(what: str) -> None:
    data, words = CONSTANTS[what]
    refused(network((const(0, "a", **data), *LAYERS[1:])), words)


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in ("MappingNetwork", "SynthesisNetwork"):
            for end, data in files.items():
                file.writestr(f"random_face/data/{name}.{end}", data)
    return path


def products(count: int, value: float = 0.0) -> dict[str, bytes]:
    """A network of matrix products, the shape of whose weights is wrong."""
    layers: list[str] = []
    edges: list[str] = []
    for i in range(count):
        first = 4 * i
        layers += [const(first, f"w{i}"), const(first + 1, f"b{i}")]
        layers += [layer(first + 2, f"m{i}", "MatMul"), layer(first + 3, f"s{i}")]
        edges += [edge(first, 0, first + 2, port) for port in (0, 1)]
        edges += [edge(first + 2, 2, first + 3, 0), edge(first + 1, 0, first + 3, 1)]
    data = np.full(6, value, np.float32).tobytes()
    return {"xml": network(tuple(layers), tuple(edges)), "bin": data}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"xml": HOSTILE["entity bomb"][0], "bin": b""}, "a document type"),
        ({"xml": network(), "bin": NUMBERS.tobytes()}, "behind the end"),
        ({"xml": network(), "bin": NUMBERS.tobytes() * 2}, "multiplies 0 matrices"),
        (products(9), "multiplies 9 matrices"),
        (products(8), "size mismatch"),
        (products(8, float("nan")), "not finite"),
    ],
    ids=["bomb", "short", "other", "more", "shapes", "NaN"],
)
def test_an_archive_of_a_stranger(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    source = wheel(tmp_path / "a.whl", files)
    (tmp_path / "out").mkdir()
    with pytest.raises(ResourceError, match=words) as caught:
        store._convert(source, tmp_path / "out")
    assert f"MappingNetwork.xml in {source}" in str(caught.value)


def test_a_synthesis_network_of_a_stranger() -> None:
    with pytest.raises(ResourceError, match=r"no layer `m\.input\.input`"), reading("it"):
        convert.synthesis_state(network(), NUMBERS.tobytes() * 2)


@pytest.mark.weights
def test_the_published_networks_are_read_as_openvino_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lacelang.semantics.modules import library_models
    from lacelang.semantics.weights import weights_of
    from lacelang.storage.archives import member

    monkeypatch.undo()
    archive = weights_of(library_models()["ffhq"])
    assert isinstance(archive, fetch.Archive)
    source = fetch.obtain(archive)
    read_by: dict[str, Callable[..., convert.State]] = {
        "MappingNetwork": convert.mapping_state,
        "SynthesisNetwork": convert.synthesis_state,
    }
    for name, state_of in read_by.items():
        files = [member(source, f"random_face/data/{name}.{end}") for end in ("xml", "bin")]
        state = state_of(*files)
        for end, data in zip(("xml", "bin"), files, strict=True):
            (tmp_path / f"{name}.{end}").write_bytes(data)
        ops = openvino_runtime.core().read_model(tmp_path / f"{name}.xml").get_ordered_ops()
        theirs = [
            np.sort(np.asarray(op.get_data(), np.float32).ravel())
            for op in ops
            if op.get_type_name() == "Constant" and op.get_element_type().get_type_name() == "f32"
        ]
        unscaled = [key for key in state if "modulation" not in key and "image" not in key]
        for key in [key for key in unscaled if not key.startswith(("ups", "to_image"))]:
            mine = np.sort(state[key].numpy().ravel())
            assert any(np.array_equal(mine, other) for other in theirs), key
