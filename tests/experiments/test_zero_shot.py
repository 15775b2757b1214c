"""Combinations that the shipped labels hardly hold."""

from __future__ import annotations

from experiments.specs.zero_shot import COUNT, KIND, rare_combinations, statements
from experiments.statements import named
from lacelang import ir
from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.engine.loading import labels_of
from lacelang.engine.truth import truth


def test_combinations_are_rare_among_the_labels_and_can_be_asked_for() -> None:
    spec = compile("sample 1 from ffhq").samples[0].model
    rare = rare_combinations(spec)
    program = compile(named(statements(rare, 2)))
    columns = labels.load(labels_of(spec)).columns
    assert len(rare) == len(program.samples) == COUNT
    for one, statement in zip(rare, program.samples, strict=True):
        assert max(one.labelled, one.prior) < 2 * KIND.rare
        assert one.labelled < KIND.rare
        assert isinstance(statement.where, ir.And)
        assert len(statement.where.terms) == 4
        # The judge allows half as much again of a number as the rule does.
        assert truth(statement.where, columns).mean() >= one.labelled
