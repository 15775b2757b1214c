"""`lacelang card`: what a model's labels and classifiers are like, as tables and pictures."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from lacelang.classifiers.labels import Labels
    from lacelang.classifiers.schema import Attribute
    from lacelang.generators.generator import Generator


def write_card(arguments: Namespace) -> int:
    """Write labels.md, classifiers.md and a sheet for every attribute."""
    from lacelang.classifiers import heads_file, labels
    from lacelang.classifiers.card import tables
    from lacelang.cli.models import find_model
    from lacelang.engine.loading import classifiers_of, labels_of, load
    from lacelang.engine.schema import schema_of
    from lacelang.generators.devices import choose_device
    from lacelang.progress import shown
    from lacelang.storage.files import make_folder, write_atomic

    spec = find_model(arguments.name)
    out = arguments.out or Path("docs") / spec.name
    make_folder(out)
    table = labels.load(labels_of(spec))
    attributes = schema_of(spec)
    write_atomic(out / "labels.md", distribution(table, attributes).encode())
    report = heads_file.load(classifiers_of(spec)).report
    write_atomic(out / "classifiers.md", tables(report).encode())
    with shown() as progress:
        model = load(spec, choose_device("cpu").type, progress)
        with progress.stage("contact sheets", total=len(attributes)) as stage:
            for attribute in attributes:
                sheet = label_sheet(table, attribute, model.generator)
                data = io.BytesIO()
                sheet.save(data, "JPEG", quality=82)
                write_atomic(out / f"{attribute.name}.jpg", data.getvalue())
                stage.advance()
    print(f"{out}/labels.md, {out}/classifiers.md and {len(attributes)} sheets")
    return 0


def distribution(table: Labels, attributes: tuple[Attribute, ...]) -> str:
    """The labels' distribution in Markdown, prior and conditioned rows apart."""
    import numpy as np

    prior = slice(0, table.prior_count)
    rare = slice(table.prior_count, None)
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
        for part in (column[prior], column[rare]):
            seen = part[np.isfinite(part)]
            if not len(seen):
                cells.append("")
            elif a.discrete:
                shares = [f"{v} {np.mean(seen == k):.1%}" for k, v in enumerate(a.values)]
                cells.append(", ".join(shares[1:] if a.kind == "binary" else shares))
            else:
                low, middle, high = np.percentile(seen, [2, 50, 98])
                cells.append(f"{low:.3g} … {middle:.3g} … {high:.3g} {a.unit or ''}".rstrip())
        unseen = int(np.isnan(column).sum())
        lines.append(f"| {a.name} | {cells[0]} | {cells[1]} | {unseen} |")
    lines += ["", "Numbers are the 2nd, 50th and 98th percentile.", ""]
    return "\n".join(lines)


def label_sheet(table: Labels, attribute: Attribute, generator: Generator) -> Image.Image:
    """Draw faces that were labelled low, in the middle and high, or with each class."""
    import numpy as np
    import torch

    from lacelang.classifiers.draws import Draws
    from lacelang.classifiers.labels import styles
    from lacelang.render.label_sheets import bands, draw

    draws, column = table.draws(), table.columns[attribute.name]
    chosen = bands(column, attribute.values, attribute.unit)
    rows = np.concatenate([band.rows for band in chosen])
    w = styles(generator, Draws(draws.z[rows], draws.psi[rows]))
    return draw(attribute.name, chosen, column, generator.decode(torch.from_numpy(w)))
