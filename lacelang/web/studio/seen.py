"""What the classifiers of a model read of one sample of a run: where its sliders begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lacelang import ir
from lacelang.errors import UsageError
from lacelang.storage.latents import Shards
from lacelang.storage.records import read_index


def read_sample(
    folder: Path, group: str, index: int, statements: Sequence[ir.Statement]
) -> Mapping[str, float | str]:
    """Return by attribute the likeliest class or the value of a sample, clipped to its range.

    Args:
        folder: of the run.
        group, index: the sample.
        statements: of the program of the run, one of which made the group.

    Raises:
        UsageError: there is no such sample.
        ResourceError: the classifiers of the model cannot be had.
    """
    run = read_index(folder)
    record = next((g for g in run.groups if g.name == group), None) if run is not None else None
    made = [s for s in statements if s.makes == "group" and getattr(s, "name", None) == group]
    if record is None or not made:
        raise UsageError(f"there is no group {group!r} in this run")
    shards = Shards.open(folder / record.folder, record.fingerprint)
    if not 0 <= index < len(shards):
        raise UsageError(f"there is no sample {index} of {group!r} in this run")
    latents = shards.rows([index])

    import torch

    from lacelang.engine.loading import load
    from lacelang.progress import Silent
    from lacelang.system.torch_state import isolated

    with isolated(), torch.no_grad():
        model = load(made[0].model, "auto", Silent())
        w = latents.w if latents.edit_path is None else latents.edit_path.w[:, -1]
        styles = torch.tensor(w).to(model.latents_device)
        if latents.z is None:
            outputs = model.judge_styles(styles)
        else:
            z = torch.tensor(latents.z).to(model.latents_device)
            outputs = model.judge(z, styles)
        found: dict[str, float | str] = {}
        for attribute in made[0].model.attributes:
            output = outputs[attribute.name].reshape(-1)
            if attribute.discrete:
                found[attribute.name] = attribute.values[int(output.argmax())]
            else:
                low, high = attribute.limits
                found[attribute.name] = min(high, max(low, float(output[0])))
    return found
