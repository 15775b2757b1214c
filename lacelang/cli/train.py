"""`lacelang train`: latent classifiers from a table of labels."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.source import path_argument

if TYPE_CHECKING:
    from lacelang.cli.parser import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "train",
        help="train a model's latent classifiers",
        description="Train classifiers on the labels of a model, calibrate them on held-out rows, "
        "and print how well they do there.",
    )
    parser.add_argument("name", metavar="MODEL")
    parser.add_argument(
        "--recipe",
        choices=("regularised", "paper"),
        default="regularised",
        help="default: regularised",
    )
    parser.add_argument(
        "--heads",
        choices=("single", "separate"),
        default="single",
        help="one trunk with a head for each attribute, or a network for each; default: single",
    )
    parser.add_argument(
        "--latent-jem",
        action="store_true",
        help="also raise the likelihood of the prior's latents under the logits: the paper's "
        "baseline Latent-JEM, some minutes; written to MODEL.jem.safetensors",
    )
    parser.add_argument(
        "--labels", type=path_argument, metavar="FILE", help="default: the model's own"
    )
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="default: the recipe's, or 40 with --latent-jem"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--out", type=path_argument, metavar="FILE", help="default: MODEL.safetensors"
    )
    parser.set_defaults(command=train_model)


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
                seed=arguments.seed,
                progress=lambda done, total: stage.advance(),
            )
    heads_file.save(out, result.heads, result.report)
    print(tables(result.report))
    print(f"{len(examples)} rows, {result.seconds:.0f} s, {out}")
    return 0
