"""`lacelang label`, `train` and `card`: labels of faces, and classifiers trained on them."""

from __future__ import annotations

import io
from argparse import Namespace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lacelang.classifiers import heads_file, labelling, labels, latent_jem
from lacelang.classifiers.card import tables
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.measuring import Source
from lacelang.classifiers.training import recipe_named, train
from lacelang.cli.models import find_model
from lacelang.engine.loading import classifiers_of, labels_of, load, weights_of
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute
from lacelang.progress import shown
from lacelang.render.label_sheets import bands, draw
from lacelang.storage.files import make_folder, write_atomic


def label_model(arguments: Namespace) -> int:
    """Label a model's faces and print how each attribute is distributed."""
    spec = find_model(arguments.name)
    out = arguments.out or Path(f"{spec.name}.labels.safetensors")
    chosen = {
        "count": arguments.count,
        "rare_share": arguments.rare,
        "seed": arguments.seed,
        "workers": arguments.workers,
    }
    with shown() as progress:
        table = labelling.label(
            load(spec, "cpu", progress).generator,
            Source(spec.generator, weights_of(spec)),
            spec.attributes,
            progress=progress,
            **{name: value for name, value in chosen.items() if value is not None},
        )
    labels.save(out, table)
    for name, column in table.columns.items():
        seen = np.isfinite(column).sum()
        print(f"  {name:<10} mean {np.nanmean(column):8.3f}   seen in {seen}")
    print(f"{len(table)} labels in {out}")
    return 0


def train_model(arguments: Namespace) -> int:
    """Train, write the classifiers and print the card's tables."""
    spec = find_model(arguments.name)
    out = arguments.out or Path(f"{spec.name}{'.jem' * arguments.latent_jem}.safetensors")
    epochs = latent_jem.EPOCHS if arguments.latent_jem else None
    recipe = recipe_named(arguments.recipe, epochs=arguments.epochs or epochs)
    with shown() as progress:
        table = labels.load(arguments.labels or labels_of(spec))
        generator = load(spec, "cpu", progress).generator
        examples = table.examples(generator)
        with progress.stage("training", total=None) as stage:
            trained = train
            if arguments.latent_jem:
                trained = partial(latent_jem.train, generator=generator)
            result = trained(
                examples,
                spec.attributes,
                recipe=recipe,
                heads=arguments.heads,
                seed=arguments.seed or 0,
                progress=lambda done, total: stage.advance(),
            )
    heads_file.save(out, result.heads, result.report)
    print(tables(result.report))
    print(f"{len(examples)} rows, {result.seconds:.0f} s, {out}")
    return 0


def write_card(arguments: Namespace) -> int:
    """Write labels.md, classifiers.md and a sheet for every attribute."""
    spec = find_model(arguments.name)
    out = arguments.out or Path("docs") / spec.name
    make_folder(out)
    table = labels.load(labels_of(spec))
    attributes = spec.attributes
    write_atomic(out / "labels.md", distribution(table, attributes).encode())
    report = heads_file.load(classifiers_of(spec)).report
    write_atomic(out / "classifiers.md", tables(report).encode())
    with shown() as progress:
        generator = load(spec, "cpu", progress).generator
        with progress.stage("contact sheets", total=len(attributes)) as stage:
            for attribute in attributes:
                data = io.BytesIO()
                label_sheet(table, attribute, generator).save(data, "JPEG", quality=82)
                write_atomic(out / f"{attribute.name}.jpg", data.getvalue())
                stage.advance()
    print(f"{out}/labels.md, {out}/classifiers.md and {len(attributes)} sheets")
    return 0


def distribution(table: Labels, attributes: tuple[Attribute, ...]) -> str:
    """The labels' distribution in Markdown, prior and conditioned rows apart."""
    parts = slice(0, table.prior_count), slice(table.prior_count, None)
    lines = [
        f"{table.prior_count} prior draws (seed {table.prior_seed}) and "
        f"{len(table.conditioned)} draws conditioned on rare combinations.",
        "",
        "| attribute | prior draws | conditioned draws | not seen |",
        "| --- | --- | --- | --: |",
    ]
    for a in attributes:
        column = table.columns[a.name]
        cells = []
        for part in parts:
            seen = column[part][np.isfinite(column[part])]
            if not len(seen):
                cells.append("")
            elif a.discrete:
                shares = [f"{v} {np.mean(seen == k):.1%}" for k, v in enumerate(a.values)]
                cells.append(", ".join(shares[1:] if a.kind == "binary" else shares))
            else:
                low, middle, high = np.percentile(seen, [2, 50, 98])
                cells.append(f"{low:.3g} … {middle:.3g} … {high:.3g} {a.unit or ''}".rstrip())
        lines.append(f"| {a.name} | {cells[0]} | {cells[1]} | {np.isnan(column).sum()} |")
    lines += ["", "Numbers are the 2nd, 50th and 98th percentile.", ""]
    return "\n".join(lines)


def label_sheet(table: Labels, attribute: Attribute, generator: Generator) -> Image.Image:
    """Draw faces that were labelled low, in the middle and high, or with each class."""
    draws, column = table.draws(), table.columns[attribute.name]
    chosen = bands(column, attribute.values, attribute.unit)
    rows = np.concatenate([rows for _, rows in chosen])
    w = labels.styles(generator, Draws(draws.z[rows], draws.psi[rows]))
    return draw(attribute.name, chosen, column, generator.decode(torch.from_numpy(w)))
