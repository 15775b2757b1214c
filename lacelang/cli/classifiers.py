"""`lacelang label` and `card`: labels of faces, and what they and the classifiers are like."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
from PIL import Image

from lacelang.annotators import Annotator
from lacelang.annotators.given import annotator_named
from lacelang.classifiers import heads_file, labelling, labels
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.measuring import Source
from lacelang.cli.models import find_model
from lacelang.engine.loading import classifiers_of, labels_of, load
from lacelang.errors import UsageError
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute, ModelSpec
from lacelang.progress import shown
from lacelang.render.label_sheets import bands, draw
from lacelang.render.model_card import distribution, tables
from lacelang.render.sheet import write_sheet
from lacelang.semantics.weights import home_of, weights_of
from lacelang.storage.files import make_folder, write_atomic


def label_model(arguments: Namespace) -> int:
    """Label a model's faces and print how each attribute is distributed."""
    spec = find_model(arguments.name)
    out = arguments.out or home_of(spec) / f"{spec.name}.labels.safetensors"
    chosen = {
        "count": arguments.count,
        "rare_share": arguments.rare,
        "seed": arguments.seed,
        "workers": arguments.workers,
    }
    source = vars(arguments)["from"]
    begun = None if source is None else labels.load(source)
    annotator = _annotator(arguments, spec)
    with shown() as progress:
        table = labelling.label(
            load(spec, "cpu", progress).generator,
            Source(spec.generator, weights_of(spec)),
            spec.declared,
            begun=begun,
            annotator=annotator,
            progress=progress,
            **{name: value for name, value in chosen.items() if value is not None},
        )
    labels.save(out, table)
    for name, column in table.columns.items():
        seen = column[np.isfinite(column)]
        mean = f"{seen.mean():8.3f}" if len(seen) else "    none"
        print(f"  {name:<10} mean {mean}   seen in {len(seen)}")
    print(f"{len(table)} labels in {out}")
    return 0


def _annotator(arguments: Namespace, spec: ModelSpec) -> Annotator | None:
    """The annotator that the command line names, or None."""
    if arguments.annotator is None:
        if arguments.prompts or arguments.weights or arguments.clip_model:
            raise UsageError("--prompts and --weights belong to --annotator clip or imagenet")
        return None
    return annotator_named(
        arguments.annotator,
        {attribute.name: attribute.values for attribute in spec.declared},
        prompts=arguments.prompts,
        weights=arguments.weights,
        network=arguments.clip_model,
    )


def write_card(arguments: Namespace) -> int:
    """Write labels.md, classifiers.md and a sheet for every attribute."""
    spec = find_model(arguments.name)
    out = arguments.out or _card_folder(spec)
    make_folder(out)
    table = labels.load(labels_of(spec))
    attributes = spec.declared
    write_atomic(out / "labels.md", distribution(table, attributes).encode())
    report = heads_file.load(classifiers_of(spec)).report
    write_atomic(out / "classifiers.md", tables(report).encode())
    with shown() as progress:
        generator = load(spec, "cpu", progress).generator
        with progress.stage("contact sheets", total=len(attributes)) as stage:
            for attribute in attributes:
                sheet = label_sheet(table, attribute, generator)
                write_sheet(out / f"{attribute.name}.jpg", sheet, quality=82)
                stage.advance()
    print(f"{out}/labels.md, {out}/classifiers.md and {len(attributes)} sheets")
    return 0


def _card_folder(spec: ModelSpec) -> Path:
    users = home_of(spec)
    return users / f"{spec.name}.card" if users != Path() else Path("docs") / spec.name


def label_sheet(table: Labels, attribute: Attribute, generator: Generator) -> Image.Image:
    """Draw faces that were labelled low, in the middle and high, or with each class."""
    draws, column = table.draws(), table.columns[attribute.name]
    chosen = bands(column, attribute.values, attribute.unit)
    rows = np.concatenate([rows for _, rows in chosen])
    w = draws.rows(rows).styles(generator)
    return draw(attribute.name, chosen, column, generator.decode(w))
