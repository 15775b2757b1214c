"""Edits: their steps one by one, and the style layers that each of them replaces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang import ir
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame
from lacelang.semantics.fitness import refuse_unfit
from lacelang.semantics.groups import Groups
from lacelang.syntax import nodes
from lacelang.text.names import place_of

if TYPE_CHECKING:
    from lacelang.semantics.check import Statements

Choice: TypeAlias = Literal["declared"] | tuple[int, ...] | None
"""Which layers: those declared for the attributes, these, or all."""

# Files of latents, and those that are asked for in vain.
_FILES = (".safetensors", ".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle")


def check_edit(node: nodes.Edit, frame: Frame, statements: Statements) -> ir.EditStatement | None:
    """Return the checked statement; None if it is wrong, which has been reported.

    `statements` are those before it; its group is added to theirs.
    """
    read = Clauses("edit", node.clauses, frame)
    group, saved = _begun_from(node.group, read, statements)
    block = read.value("layers")
    steps = [step for each in node.steps if (step := _step(each, block, read, statements))]
    if not node.steps:
        message = "this edit has no steps"
        read.say("LACE306", message, node, "like `edit men { smile = 0 } as men_edited`")
    stay, (hold, held) = read.value("stay"), read.value("hold")
    options = read.condition_options([step.predicate for step in steps])
    sampler, reweight = _sampler(read), read.value("reweight") == "on"
    refuse_unfit(read, judged=node.group)
    read.wrong = read.wrong or len(steps) < len(node.steps)
    name, model = statements.groups.add(read), read.model
    if read.wrong or model is None:
        return None
    clauses = (sampler, options, stay, hold, held, reweight)
    return ir.EditStatement(name, group, model, tuple(steps), *clauses, saved, span=node.span)


def _begun_from(
    named: nodes.Word | nodes.Text, read: Clauses, statements: Statements
) -> tuple[str, ir.Saved | None]:
    """Return the group's name, and its file if it has one; the model is noted in `read`."""
    if isinstance(named, nodes.Text) and _names_a_file(named.name, read.frame, statements.groups):
        # What reads runs is imported for those who begin from one.
        from lacelang.semantics.saved import find_saved

        return named.value, find_saved(named, read, statements)
    hint = "leave it out; it is for latents from a file"
    read.refuse("is known of a group of this program", hint)
    name, read.model = statements.groups.model_of(named, read.frame) or ("", None)
    return name, None


def _names_a_file(name: str, frame: Frame, groups: Groups) -> bool:
    """Whether quoted text means a place on disk, and not one of the groups."""
    if name in groups.models:
        return False
    if "/" in name or "\\" in name or name.lower().endswith(_FILES):
        return True
    places = (frame.module.folder or Path(), Path())
    # Files of other kinds are told apart from groups that are not there.
    return "." in name and any(os.path.isfile(place_of(place / name)) for place in places)


def _step(
    node: nodes.Step, block: Choice, read: Clauses, statements: Statements
) -> ir.EditStep | None:
    predicate = statements.resolved(node.predicate, read.model, read.frame)
    choice = block if node.layers is None else read.value("layers", node.layers)
    if predicate is None:
        return None
    return ir.EditStep(predicate, _declared(predicate) if choice == "declared" else choice)


def _declared(predicate: ir.Predicate) -> tuple[int, ...] | None:
    """Return the layers declared for a condition's attributes; None if one of them has all."""
    layers = [atom.attribute.layers for atom in ir.comparisons(predicate)]
    known = [each for each in layers if each is not None]
    return tuple(sorted(set().union(*known))) if len(known) == len(layers) else None


def _sampler(read: Clauses) -> ir.SamplerChoice:
    choice: ir.SamplerChoice = read.value("with") or defaults.sampler()
    clause = read.get("with", nodes.WithClause)
    if not SAMPLERS[choice.name].edits and clause is not None:
        message = f"`{choice.name}` does not follow a flow from where a sample is: it cannot edit"
        known = ", ".join(f"`{name}`" for name, sampler in SAMPLERS.items() if sampler.edits)
        read.say("LACE310", message, clause.sampler, f"these can: {known}")
    return choice
