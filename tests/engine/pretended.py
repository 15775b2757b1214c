"""A device that is not there: tensors that say that they are on it, computed on the CPU.

Inside `Pretended`, what is moved to the device `meta`, or made there, has numbers all the same.
As on a real device, an operation on tensors of two devices fails, but for single numbers and
indices; and so does what the device lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")


class There(Tensor):
    """A tensor on the pretended device."""

    here: Tensor
    is_meta = False

    @staticmethod
    def __new__(cls, here: Tensor) -> There:
        made = Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )
        made.here = here
        return made

    def tolist(self) -> Any:
        return self.here.tolist()

    def __getitem__(self, places: Any) -> Any:
        # Torch makes an index of a list without asking a mode.
        parts = places if isinstance(places, tuple) else (places,)
        return super().__getitem__(
            tuple(torch.tensor(part) if isinstance(part, list) else part for part in parts)
        )

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


class Pretended(TorchDispatchMode):
    """Makes the device.

    Args:
        lacks: whether the device lacks an operation, by its name and the types of its tensors.
    """

    def __init__(self, lacks: Callable[[str, set[torch.dtype]], bool] = lambda *_: False) -> None:
        super().__init__()
        self._lacks = lacks
        self.calls = 0

    def __enter__(self) -> Pretended:
        # These make tensors without asking a mode.
        self._patched = pytest.MonkeyPatch()
        for name in ("tensor", "as_tensor"):
            made = getattr(torch, name)

            def moved(data: Any, made: Any = made, device: Any = None, **how: Any) -> Tensor:
                found: Tensor = made(data, **how)
                return found if device is None else found.to(device)

            self._patched.setattr(torch, name, moved)
        return super().__enter__()  # type: ignore[no-any-return]

    def __exit__(self, *error: object) -> None:
        self._patched.undo()
        super().__exit__(*error)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = func._schema.name.removeprefix("aten::")
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        there = any(isinstance(x, There) for x in tensors)
        if any(x.is_meta for x in tensors):
            raise RuntimeError(f"{name}: a tensor without numbers")
        crosses = name in ("_to_copy", "copy_", "index", "index_put", "index_put_")
        alike = all(isinstance(x, There) or not x.ndim for x in tensors)
        if there and not crosses and not alike:
            raise RuntimeError(f"{name}: tensors of two devices")
        if kwargs.get("device") is not None:
            there = torch.device(kwargs["device"]).type == DEVICE.type
            kwargs["device"] = torch.device("cpu")
        args, kwargs = tree_map(_here, args), tree_map(_here, kwargs)
        found = func(*args, **kwargs)
        if name in ("copy_", "index_put_"):
            return tensors[0]
        if not there:
            return found
        self.calls += 1
        results = [x for x in tree_leaves(found) if isinstance(x, Tensor)]
        if self._lacks(name, {x.dtype for x in results}):
            raise RuntimeError(f"{name}: the device lacks it")
        return tree_map(lambda x: There(x) if isinstance(x, Tensor) else x, found)


def _here(x: Any) -> Any:
    return x.here if isinstance(x, There) else x
