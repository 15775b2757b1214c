"""Edits: their steps one by one, and the style layers that each of them replaces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang import ir
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.fitness import refuse_unfit
from lacelang.semantics.groups import Groups
from lacelang.semantics.scope import Frame
from lacelang.syntax import nodes
from lacelang.text.names import place_of

if TYPE_CHECKING:
    from lacelang.semantics.statements import Statements

Choice: TypeAlias = Literal["declared"] | tuple[int, ...] | None
"""Which layers: those declared for the attributes, these, or all."""

# Files of latents, and those that are asked for in vain.
_FILES = (".safetensors", ".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle")


def check_edit(node: nodes.Edit, frame: Frame, statements: Statements) -> ir.EditStatement | None:
    """Return the checked statement; None if it is wrong, which has been reported.

    Args:
        node: the statement.
        frame: where it stands.
        statements: what comes before it; its group is added.
    """
    read = Clauses("edit", node.clauses, frame, statements.report)
    group, model, saved = _begun_from(node.group, read, statements)
    read.model = model
    block = read.value("layers")
    steps = [_step(step, block, model, read, statements) for step in node.steps]
    if not steps:
        message = "this edit has no steps"
        read.say("LACE306", message, node, "like `edit men { smile = 0 } as men_edited`")
    whole = tuple(step for step in steps if step is not None)
    stay, (hold, held) = read.value("stay"), read.value("hold")
    options = read.condition_options([step.predicate for step in whole])
    sampler, reweight = _sampler(read), read.value("reweight") == "on"
    if model is not None:
        refuse_unfit(model, read, judged=node.group, edited=True)
    name = statements.name(read, "edit", model)
    if read.wrong or model is None or name is None or len(whole) < len(steps):
        statements.groups.forget(name)
        return None
    return ir.EditStatement(
        name=name,
        group=group,
        model=model,
        steps=whole,
        sampler=sampler,
        saved=saved,
        stay=stay,
        hold=hold,
        held=held,
        reweight=reweight,
        options=options,
        span=node.span,
    )


def _begun_from(
    named: nodes.Word | nodes.Text, read: Clauses, statements: Statements
) -> tuple[str, ir.ModelSpec | None, ir.Saved | None]:
    """Return the group's name, its model, None if it is wrong, and its file if it has one."""
    if isinstance(named, nodes.Text) and _names_a_file(named.name, read.frame, statements.groups):
        # What reads runs is imported for those who begin from one.
        from lacelang.semantics.saved import find_saved

        saved, model = find_saved(named, read, statements) or (None, None)
        return named.value, model, saved
    found = statements.groups.model_of(named, read.frame)
    hint = "leave it out; it is for latents from a file"
    read.refuse("is known of a group of this program", hint)
    return (*found, None) if found is not None else ("", None, None)


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
    node: nodes.Step,
    block: Choice,
    model: ir.ModelSpec | None,
    read: Clauses,
    statements: Statements,
) -> ir.EditStep | None:
    predicate = statements.resolved(node.predicate, model, read.frame)
    choice = block if node.layers is None else read.value("layers", node.layers)
    if predicate is None:
        return None
    return ir.EditStep(predicate, _declared(predicate) if choice == "declared" else choice)


def _declared(predicate: ir.Predicate) -> tuple[int, ...] | None:
    """Return the layers declared for a condition's attributes; None if one of them has all."""
    layers: set[int] = set()
    for atom in ir.comparisons(predicate):
        if atom.attribute.layers is None:
            return None
        layers.update(atom.attribute.layers)
    return tuple(sorted(layers))


def _sampler(read: Clauses) -> ir.SamplerChoice:
    choice: ir.SamplerChoice = read.value("with") or defaults.sampler()
    clause = read.get("with", nodes.WithClause)
    if not SAMPLERS[choice.name].edits and clause is not None:
        message = f"`{choice.name}` does not follow a flow from where a sample is: it cannot edit"
        known = ", ".join(f"`{name}`" for name, sampler in SAMPLERS.items() if sampler.edits)
        read.say("LACE310", message, clause.sampler, f"these can: {known}")
    return choice
