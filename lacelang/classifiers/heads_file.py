"""Classifiers on disk: one safetensors file, with its description as JSON in the header.

Weights are stored in half precision, to which training rounds them before it calibrates;
standardisation and calibration stay in single precision.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from safetensors import safe_open
from safetensors.torch import save as to_bytes

from lacelang import ir
from lacelang.classifiers.classifier import HIDDEN, Heads
from lacelang.errors import ResourceError
from lacelang.storage.files import write_atomic
from lacelang.text.names import nfc

FORMAT = "lacelang-heads-1"
_REMEDY = "train the classifiers again with `lacelang train`, or restore the file"


@frozen(eq=False)
class Saved:
    """A loaded file: the heads, frozen, and the report that their training wrote."""

    heads: Heads
    report: Mapping[str, Any]


def save(path: Path, heads: Heads, report: Mapping[str, Any]) -> None:
    """Write the heads and their training report (JSON values only), whole or not at all."""
    write_atomic(path, packed(heads, report))


def packed(heads: Heads, report: Mapping[str, Any]) -> bytes:
    """Return what `save` writes."""
    half = {"weights", "biases"}
    tensors = {
        name: (tensor.half() if name.split(".")[0] in half else tensor).contiguous()
        for name, tensor in heads.state_dict().items()
    }
    header = {
        "attributes": list(map(ir.fields_of, heads.attributes)),
        "arrangement": heads.arrangement,
        "members": heads.members,
        "inputs": heads.inputs,
        "hidden": heads.hidden,
        "sigma": heads.sigma,
        "report": report,
    }
    text = json.dumps(header, allow_nan=False)
    return to_bytes(tensors, metadata={"format": FORMAT, "heads": text})


def load(path: Path, declared: Iterable[ir.Attribute] = ()) -> Saved:
    """Read heads, ready to judge; they must know the attributes that a model declares.

    Raises:
        ResourceError: the file is missing, damaged, of another format, or does not fit.
    """
    with reading(path, "classifiers", FORMAT, _REMEDY, "pt") as (header, tensors):
        saved = _restore(json.loads(header["heads"]), tensors)
    require(saved.heads.attributes, declared)
    return saved


def require(known: Iterable[ir.Attribute], declared: Iterable[ir.Attribute]) -> None:
    """Check that classifiers know every declared attribute, in the same sense, or more than those.

    Raises:
        ResourceError: one is missing, or has another kind, other values or another order of them.
    """
    by_name = {attribute.name: attribute for attribute in known}
    wrong = []
    for wanted in declared:
        name, mine = wanted.name, by_name.get(wanted.name)
        if mine is None:
            wrong.append(f"{name} is missing")
        elif mine.kind != wanted.kind:
            wrong.append(f"{name} is {mine.kind}, declared {wanted.kind}")
        elif mine.values != wanted.values:
            found, asked = ", ".join(mine.values), ", ".join(wanted.values)
            wrong.append(f"{name} is one of {found}; declared {asked}")
    if wrong:
        raise ResourceError(
            "the classifiers do not fit the model's declaration: " + "; ".join(wrong),
            "train them again with `lacelang train`, or correct the declaration",
        )


@contextmanager
def reading(
    path: Path, what: str, format_: str, remedy: str, framework: str
) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Give header and tensors of a safetensors file; `framework` is `pt` or `np`.

    Raises:
        ResourceError: the file is missing, of another format or damaged, as is said of any
            failure within the block.
    """
    if path.exists() and not path.is_file():
        # A pipe may never end, and no signal ends the wait for it.
        raise ResourceError(f"the {what} {path} are no regular file", remedy)
    try:
        with safe_open(path, framework=framework) as file:
            header = file.metadata() or {}
            found = header.get("format", "something else")
            if found != format_:
                raise ResourceError(f"{path} holds {found}, not {format_}", remedy)
            yield header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except ResourceError:
        raise
    except FileNotFoundError as error:
        raise ResourceError(f"there are no {what} at {path}", remedy) from error
    except Exception as error:
        raise ResourceError(f"the {what} {path} are damaged: {error}", remedy) from error


def _restore(header: Mapping[str, Any], tensors: Mapping[str, Any]) -> Saved:
    heads = Heads(
        [ir.attribute_of(**fields) for fields in header["attributes"]],
        arrangement=header["arrangement"],
        members=header["members"],
        inputs=header["inputs"],
        hidden=header.get("hidden", HIDDEN),
    )
    heads.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise ValueError("a weight is not finite")
    if not (heads.std > 0).all():
        raise ValueError("a standard deviation is not positive")
    spreads = {nfc(name): float(spread) for name, spread in header["sigma"].items()}
    heads.sigma = {name: spreads[name] for name in heads.sigma}
    if not all(0 < spread < math.inf for spread in heads.sigma.values()):
        raise ValueError("a sigma is not positive")
    return Saved(heads.freeze(), dict(header["report"]))
