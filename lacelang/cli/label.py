"""`lacelang label`: paint a generator's faces, measure them, write the table of labels."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import path_argument

if TYPE_CHECKING:
    from lacelang.classifiers.labels import Labels
    from lacelang.cli.parser import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "label",
        help="decode and annotate faces to train classifiers on",
        description="Draw latents, paint them, annotate the pictures, write a table of labels. "
        "What is measured stays in the cache: a killed run goes on where it stopped.",
    )
    parser.add_argument("name", metavar="MODEL")
    parser.add_argument("--count", type=_positive, metavar="N", help="faces; default: 12000")
    parser.add_argument(
        "--rare",
        type=_share,
        metavar="SHARE",
        help="share drawn from rare combinations of attributes; default: a third",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the draws; default: 6862")
    parser.add_argument("--workers", type=_positive, metavar="N", help="default: one per core")
    parser.add_argument(
        "--out", type=path_argument, metavar="FILE", help="default: MODEL.labels.safetensors"
    )
    parser.set_defaults(command=label_model)


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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError("must be 1 or more")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ArgumentTypeError("must be at least 0 and below 1")
    return value
