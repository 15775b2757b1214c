"""What a pickle is read into besides containers, and the names that one may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Never

from attrs import define, field, frozen


class RefusedError(Exception):
    """A file is not read; the message says why, as the end of a sentence that names the file."""


def refuse(why: str) -> Never:
    """Refuse the file that is read."""
    raise RefusedError(why)


@frozen
class Global:
    """A name of the file's, which is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@define(eq=False, repr=False)
class Record:
    """What the file asks to be made by a call, which is not made: the arguments are kept.

    Attributes:
        of: what would be called.
        args: the arguments.
        state: what the object would be given afterwards, as a rule its attributes.
        items: what would be put under keys, of a subclass of dict.
        elements: what would be appended, of a subclass of list.
    """

    of: Global
    args: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(factory=dict)
    elements: list[Any] = field(factory=list)


_BUILTINS = (
    *("set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "bool"),
    *("str", "bytes", "bytearray", "object"),
)
_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")

ALLOWED: Mapping[str, frozenset[str]] = {
    module: frozenset(names)
    for module, names in {
        "_codecs": ("encode",),
        "argparse": ("Namespace",),
        "builtins": _BUILTINS,
        "__builtin__": _BUILTINS,
        "collections": ("OrderedDict", "defaultdict"),
        "copyreg": ("_reconstructor",),
        "copy_reg": ("_reconstructor",),
        "dnnlib": ("EasyDict",),
        "dnnlib.util": ("EasyDict",),
        "dnnlib.tflib.network": ("Network",),
        "numpy": ("dtype", "ndarray", "float32", "float64", "int64", "int32", "bool_"),
        "numpy.core.multiarray": ("_reconstruct", "scalar"),
        "numpy._core.multiarray": ("_reconstruct", "scalar"),
        "numpy.core.numeric": ("_frombuffer",),
        "numpy._core.numeric": ("_frombuffer",),
        "torch": (
            *(f"{kind}Storage" for kind in _STORAGES),
            *(*_DTYPES, "bool", "Size", "device", "Tensor"),
        ),
        "torch._utils": (
            *("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"),
            "_rebuild_parameter_with_state",
        ),
        "torch.nn.parameter": ("Parameter", "Buffer"),
        "torch.storage": ("_load_from_bytes", "TypedStorage", "UntypedStorage", "_TypedStorage"),
        "torch_utils.persistence": ("_reconstruct_persistent_obj",),
    }.items()
}
"""By module, the names that files of weights have; none is imported or called."""

_MODULES = re.compile(r"torch\.nn\.modules\.[a-z]+")
_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def allowed(module: str, name: str) -> Global:
    """Return a name, unless no file of weights needs it."""
    known = name in ALLOWED.get(module, ())
    if not known and not (_MODULES.fullmatch(module) and _CLASS.fullmatch(name)):
        refuse(f"it names `{shown(f'{module}.{name}')}`, which no file of weights needs")
    return Global(module, name)


def shown(text: str) -> str:
    """Return a text of the file's as a message has it: short, and on one line."""
    flat = "".join(each if each.isprintable() else "?" for each in text[:81])
    return flat if len(flat) <= 80 else flat[:79] + "…"
