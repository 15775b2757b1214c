"""A reader of OpenVINO's IR files, for networks whose weights are wanted and not their graph.

The files may be a stranger's: a program can name an archive. So no parser of OpenVINO's sees them.
The XML is read in bounded time and memory, and without document types, entities or includes. What
it says of ports, edges and constants is checked, and only operations that the caller knows are
taken. Nothing is computed and nothing outside of the two files is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from typing import Any, Never, TypeAlias
from xml.parsers import expat

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang.errors import ResourceError

Array: TypeAlias = NDArray[Any]
Port: TypeAlias = tuple[int, int]
"""A layer's id, and the id of one of its ports."""

LONGEST_XML = 8 << 20
MOST_LAYERS = 10_000
_MOST_PORTS = 256
_DEEPEST = 16
_MOST_AXES = 8
_MOST_NUMBERS = 1 << 24
_VERSIONS = {"10", "11"}
_TYPES = {"f32": "<f4", "f16": "<f2", "f64": "<f8", "i64": "<i8", "i32": "<i4", "u8": "|u1"}
_RESHAPING = {"Reshape", "Squeeze", "Unsqueeze"}
_NUMBER = re.compile(r"[0-9]{1,15}")


class _RefusedError(Exception):
    """The files are not read; the message says why."""


def _refuse(why: str) -> Never:
    raise _RefusedError(why)


@frozen(eq=False)
class Layer:
    """An operation of the graph."""

    id: int
    name: str
    type: str
    data: dict[str, str] = field(factory=dict)
    inputs: list[int] = field(factory=list)  # ids of its ports, in their order
    outputs: list[int] = field(factory=list)


class Graph:
    """The operations of a network, each after those that it takes its inputs from."""

    def __init__(
        self, layers: Mapping[int, Layer], edges: Mapping[Port, Port], data: bytes
    ) -> None:
        self.layers = list(layers.values())
        self.by_name = {layer.name: layer for layer in self.layers}
        self._sources = {(to, port): layers[source] for (to, port), (source, _) in edges.items()}
        self._consumers: dict[int, list[Layer]] = {}
        for (to, _), (source, _) in edges.items():
            self._consumers.setdefault(source, []).append(layers[to])
        self._data = data

    def inputs(self, layer: Layer) -> list[Layer]:
        """What a layer takes, in the order of its ports."""
        return [self._sources[layer.id, port] for port in layer.inputs]

    def consumer(self, layer: Layer) -> Layer:
        """Return the one layer that takes what this one gives, and not only its shape."""
        consumers = [to for to in self._consumers.get(layer.id, ()) if to.type != "ShapeOf"]
        if len(consumers) != 1:
            _refuse(f"{len(consumers)} layers take what `{_short(layer.name)}` gives, and not one")
        return consumers[0]

    def constant(self, layer: Layer, port: int) -> Array:
        """Return the constant that is an input of a layer."""
        inputs = self.inputs(layer)
        if port >= len(inputs):
            _refuse(f"`{_short(layer.name)}` has no input {port}")
        return self.value(inputs[port])

    def named(self, name: str) -> Array:
        """Return the constant of this name."""
        return self.value(self.layer(name))

    def layer(self, name: str) -> Layer:
        """Return the layer of this name."""
        if name not in self.by_name:
            _refuse(f"there is no layer `{name}`")
        return self.by_name[name]

    def value(self, layer: Layer) -> Array:
        """Return what a constant holds, read-only; of one that is reshaped, the original."""
        while layer.type in _RESHAPING and layer.inputs:
            layer = self.inputs(layer)[0]
        if layer.type != "Const":
            _refuse(f"`{_short(layer.name)}` is no constant")
        dtype, shape, offset = _constant(layer, len(self._data))
        return np.frombuffer(self._data, dtype, math.prod(shape), offset).reshape(shape)


class reading:  # noqa: N801
    """A context in which what is wrong with a network becomes a ResourceError that names it."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Begin to read it."""

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Say what is wrong."""
        # Unpacking and shapes: ValueError; `load_state_dict`: RuntimeError.
        if isinstance(error, _RefusedError | expat.ExpatError | ValueError | RuntimeError):
            why = " ".join(str(error).split())[:300]
            remedy = "name another archive in the model's declaration"
            raise ResourceError(f"{self._what} is not what can be read: {why}", remedy) from error


def read(xml: bytes, data: bytes, known: Set[tuple[str, str]]) -> Graph:
    """Read a network from its XML and its weights.

    Args:
        known: types of layers with their versions; a network with any other one is refused.

    Raises:
        Exception: in a `reading` block, a ResourceError.
    """
    if len(xml) > LONGEST_XML:
        _refuse(f"it has {len(xml) >> 20} MiB of XML")
    reader = _Reader(known)
    reader.parse(xml)
    layers, edges = reader.layers, reader.edges
    places = {number: place for place, number in enumerate(layers)}
    for (to, port), (source, given) in edges.items():
        if to not in layers or source not in layers:
            _refuse(f"an edge leads from layer {source} to layer {to}, and one is missing")
        if port not in layers[to].inputs or given not in layers[source].outputs:
            _refuse(f"an edge leads from layer {source} to layer {to}, and its port is missing")
        if places[source] >= places[to]:
            _refuse(f"layer {to} comes before layer {source}, which it depends on")
    for layer in layers.values():
        if any((layer.id, port) not in edges for port in layer.inputs):
            _refuse(f"an input of `{_short(layer.name)}` leads nowhere")
        if layer.type == "Const":
            _constant(layer, len(data))
    return Graph(layers, edges, data)


class _Reader:
    """Takes the elements of the XML one after another."""

    def __init__(self, known: Set[tuple[str, str]]) -> None:
        self.layers: dict[int, Layer] = {}
        self.edges: dict[Port, Port] = {}
        self._known = known
        self._names: set[str] = set()
        self._path: list[str] = []
        self._last: Layer | None = None

    def parse(self, xml: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = lambda *_: _refuse("it has a document type")
        parser.EntityDeclHandler = lambda *_: _refuse("it declares an entity")
        parser.Parse(xml, True)
        if not self.layers:
            _refuse("it has no layers")

    def _end(self, _: str) -> None:
        self._path.pop()

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > _DEEPEST:
            _refuse("its elements are nested too deeply")
        match self._path:
            case ["net"]:
                if attributes.get("version") not in _VERSIONS:
                    _refuse("its version is neither 10 nor 11")
            case ["net", "layers" | "edges" | "meta_data" | "rt_info"]:
                pass
            case ["net", "meta_data" | "rt_info", *_]:
                pass  # how it was made; not read
            case ["net", "layers", "layer"]:
                self._layer(attributes)
            case ["net", "layers", "layer", "data"] if self._last is not None:
                self._last.data.update(attributes)
            case ["net", "layers", "layer", "input" | "output" | "rt_info", *rest]:
                if rest == ["port"] and self._path[3] != "rt_info":
                    self._port(self._path[3], attributes)
            case ["net", "edges", "edge"]:
                self._edge(attributes)
            case _:
                _refuse(f"it has an element `{_short(tag)}` in a wrong place")

    def _layer(self, attributes: dict[str, str]) -> None:
        number, name = _number(attributes.get("id")), attributes.get("name", "")
        kind = attributes.get("type", ""), attributes.get("version", "")
        if kind not in self._known:
            _refuse(f"it has a layer of type {_short(kind[0])}, {_short(kind[1]) or 'no version'}")
        if number in self.layers or name in self._names:
            _refuse(f"it has two layers `{_short(name)}`, or two of number {number}")
        if len(self.layers) == MOST_LAYERS:
            _refuse(f"it has more than {MOST_LAYERS} layers")
        self._names.add(name)
        self._last = self.layers[number] = Layer(number, name, kind[0])

    def _port(self, side: str, attributes: dict[str, str]) -> None:
        assert self._last is not None
        ports = self._last.inputs if side == "input" else self._last.outputs
        number = _number(attributes.get("id"))
        if number in ports or len(ports) == _MOST_PORTS:
            _refuse(f"`{_short(self._last.name)}` has a port twice, or too many")
        ports.append(number)

    def _edge(self, attributes: dict[str, str]) -> None:
        names = "to-layer", "to-port", "from-layer", "from-port"
        to, port, source, given = (_number(attributes.get(name)) for name in names)
        if (to, port) in self.edges:
            _refuse(f"two edges lead to one port of layer {to}")
        self.edges[to, port] = source, given


def _constant(layer: Layer, available: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return the type, the shape and the place of a constant among so many bytes."""
    said, name = layer.data, _short(layer.name)
    if said.get("element_type") not in _TYPES:
        _refuse(f"the constant `{name}` is of type {_short(said.get('element_type', 'none'))}")
    dtype = np.dtype(_TYPES[said["element_type"]])
    sides = [side.strip() for side in said.get("shape", "").split(",", _MOST_AXES + 1)]
    shape = tuple(_number(side) for side in sides if side or len(sides) > 1)
    offset, size = _number(said.get("offset")), _number(said.get("size"))
    if math.prod(shape) > _MOST_NUMBERS:
        _refuse(f"the constant `{name}` has more than {_MOST_NUMBERS} numbers")
    if len(shape) > _MOST_AXES or math.prod(shape) * dtype.itemsize != size:
        _refuse(f"the constant `{name}` has another size than its shape")
    if offset + size > available:
        _refuse(f"the constant `{name}` lies behind the end of the weights")
    return dtype, shape, offset


def _number(text: str | None) -> int:
    if text is None or not _NUMBER.fullmatch(text):
        _refuse(f"`{_short(text or '')}` is no number of the kind that stands there")
    return int(text)


def _short(name: str) -> str:
    """A name as a message shows it."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in name[:60])
    return shown if len(name) <= 60 else shown[:59] + "…"
