"""`lacelang train`: classifiers trained on a table of labels."""

from __future__ import annotations

from argparse import Namespace
from functools import partial

from attrs import evolve

from lacelang.classifiers import cross_validated, heads_file, labels, latent_jem, self_calibration
from lacelang.classifiers.draws import truncations_around
from lacelang.classifiers.labels import Examples
from lacelang.classifiers.training import Progress, TrainResult, recipe_named, train
from lacelang.cli.models import find_model
from lacelang.engine.loading import labels_of, load
from lacelang.errors import UsageError
from lacelang.generators import ARCHITECTURES
from lacelang.generators.generator import Generator
from lacelang.ir import ModelSpec
from lacelang.progress import shown
from lacelang.render.model_card import tables
from lacelang.semantics.weights import home_of
from lacelang.text.channels import say

_AUTO = "auto"


def train_model(arguments: Namespace) -> int:
    """Train, write the classifiers and print the card's tables."""
    spec = find_model(arguments.name)
    file = f"{spec.name}{'.jem' * arguments.latent_jem}.safetensors"
    out = arguments.out or home_of(spec) / file
    _check(arguments)
    with shown() as progress:
        table = labels.load(arguments.labels or labels_of(spec))
        generator = load(spec, "cpu", progress).generator
        examples, others = table.examples(generator, spec.space), None
        if arguments.few is not None:
            examples, others = cross_validated.few_of(examples, arguments.few, arguments.seed or 0)
        with progress.stage("training", total=None) as stage:
            result = _trained(
                arguments, spec, examples, generator, lambda done, total: stage.advance()
            )
        if others is not None:
            result = cross_validated.scored_elsewhere(result, others)
    heads_file.save(out, result.heads, result.report)
    for warning in result.report.get("warnings", ()):
        say(f"warning: {warning}")
    print(tables(result.report))
    print(f"{len(examples)} rows, {result.seconds:.0f} s, {out}")
    return 0


def _check(arguments: Namespace) -> None:
    """Raise a UsageError for options that do not go together."""
    if arguments.recipe != _AUTO:
        recipe_named("small" if arguments.recipe == cross_validated.LINEAR else arguments.recipe)
    linear = arguments.recipe == cross_validated.LINEAR
    if arguments.latent_jem and (arguments.self_calibrate or linear):
        raise UsageError("--latent-jem trains networks, with a term of its own: leave out the rest")
    if arguments.self_calibrate and linear:
        raise UsageError("--self-calibrate trains networks: use it with another recipe")
    if arguments.epochs is not None and linear:
        raise UsageError("linear classifiers are fitted without epochs: leave out --epochs")
    if arguments.members is not None and (linear or arguments.recipe == "small"):
        raise UsageError("only the other recipes average networks: leave out --members")


def _trained(
    arguments: Namespace,
    spec: ModelSpec,
    examples: Examples,
    generator: Generator,
    progress: Progress,
) -> TrainResult:
    """Train by the recipe that was asked for, or that suits the number of labels."""
    examples.check(spec.declared)
    seed, name, attributes = arguments.seed or 0, arguments.recipe, spec.declared
    scarce = cross_validated.has_few(examples, attributes)
    networks = arguments.self_calibrate or arguments.latent_jem or arguments.members is not None
    if name == cross_validated.LINEAR or (name == _AUTO and scarce and not networks):
        return cross_validated.train(examples, attributes, seed=seed, progress=progress)
    if name == _AUTO:
        small = scarce and arguments.self_calibrate and arguments.members is None
        name = "small" if small else "regularised"
    epochs = latent_jem.EPOCHS if arguments.latent_jem else None
    recipe = recipe_named(name, epochs=arguments.epochs or epochs, members=arguments.members)
    term: cross_validated.MakeTerm | None = None
    if arguments.self_calibrate:
        where = _coordinates(spec, generator, seed)
        term = partial(self_calibration.term, where, seed)
    if name == "small" and not arguments.latent_jem:
        result = cross_validated.train(
            examples, attributes, recipe=recipe, term=term, seed=seed, progress=progress
        )
    else:
        trained = partial(latent_jem.train, generator=generator) if arguments.latent_jem else train
        if term is not None:
            trained = partial(train, term=term())
        result = trained(
            examples,
            attributes,
            recipe=recipe,
            heads=arguments.heads,
            seed=seed,
            progress=progress,
        )
    if term is None:
        return result
    settings = {
        "space": spec.space,
        "weight": self_calibration.WEIGHT,
        "noise": where.noise,
    }
    return evolve(result, report={**result.report, "self_calibration": settings})


def _coordinates(spec: ModelSpec, generator: Generator, seed: int) -> self_calibration.Coordinates:
    """Where the prior's score is known: in z exactly, in w by its draws."""
    if spec.space == "z":
        return self_calibration.in_z(generator.latent_dim, seed)
    truncation = ARCHITECTURES[spec.generator].truncation
    return self_calibration.in_w(generator, seed, truncations=truncations_around(truncation))
