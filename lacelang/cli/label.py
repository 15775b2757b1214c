"""`lacelang label`: decode a generator's faces, annotate them, write the table of labels."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lacelang.classifiers.labels import Labels


def label_model(arguments: Namespace) -> int:
    """Label a model's faces and print how each attribute is distributed."""
    from lacelang.classifiers import labelling, labels
    from lacelang.classifiers.measuring import Source
    from lacelang.cli.models import find_model
    from lacelang.engine.loading import load, weights_of
    from lacelang.engine.schema import schema_of
    from lacelang.generators.devices import choose_device
    from lacelang.progress import shown

    spec = find_model(arguments.name)
    out = arguments.out or Path(f"{spec.name}.labels.safetensors")
    chosen = {
        "count": arguments.count,
        "rare_share": arguments.rare,
        "seed": arguments.seed,
        "workers": arguments.workers,
    }
    with shown() as progress:
        model = load(spec, choose_device("cpu").type, progress)
        table = labelling.label(
            model.generator,
            Source(spec.generator, weights_of(spec)),
            schema_of(spec),
            progress=progress,
            **{name: value for name, value in chosen.items() if value is not None},
        )
    labels.save(out, table)
    print(_summary(table))
    print(f"{len(table)} labels in {out}")
    return 0


def _summary(table: Labels) -> str:
    import numpy as np

    return "\n".join(
        f"  {name:<10} mean {np.nanmean(column):8.3f}   seen in {np.isfinite(column).sum()}"
        for name, column in table.columns.items()
    )
