"""`lacelang train`: latent classifiers from a table of labels."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path


def train_model(arguments: Namespace) -> int:
    """Train, write the classifiers and print the card's tables."""
    from lacelang.classifiers import heads_file, labels, latent_jem
    from lacelang.classifiers.card import tables
    from lacelang.classifiers.recipes import recipe_named
    from lacelang.classifiers.training import train
    from lacelang.cli.models import find_model
    from lacelang.engine.loading import labels_of, load
    from lacelang.engine.schema import schema_of
    from lacelang.generators.devices import choose_device
    from lacelang.progress import shown

    spec = find_model(arguments.name)
    out = arguments.out or Path(f"{spec.name}{'.jem' * arguments.latent_jem}.safetensors")
    epochs = latent_jem.EPOCHS if arguments.latent_jem else None
    recipe = recipe_named(arguments.recipe, epochs=arguments.epochs or epochs)
    with shown() as progress:
        table = labels.load(arguments.labels or labels_of(spec))
        model = load(spec, choose_device("cpu").type, progress)
        examples = table.examples(model.generator)
        with progress.stage("training", total=None) as stage:
            trained = train
            if arguments.latent_jem:
                trained = partial(latent_jem.train, generator=model.generator)
            result = trained(
                examples,
                schema_of(spec),
                recipe=recipe,
                heads=arguments.heads,
                seed=arguments.seed or 0,
                progress=lambda done, total: stage.advance(),
            )
    heads_file.save(out, result.heads, result.report)
    print(tables(result.report))
    print(f"{len(examples)} rows, {result.seconds:.0f} s, {out}")
    return 0
