"""Edits: their steps one by one, and the style layers that each of them replaces."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang import ir
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults
from lacelang.semantics.clauses import WORDS, Clauses
from lacelang.semantics.fitness import refuse_unfit
from lacelang.semantics.groups import Groups
from lacelang.semantics.models import layers_of
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.syntax import nodes
from lacelang.text.names import place_of

if TYPE_CHECKING:
    from lacelang.semantics.saved import FindModel

Resolve: TypeAlias = Callable[[nodes.Predicate, ir.ModelSpec | None, Frame], ir.Predicate | None]
Held: TypeAlias = Literal["later", "all"]
Choice: TypeAlias = Literal["declared"] | tuple[int, ...] | None
"""Which layers: those declared for the attributes, these, or all."""

HELD: Held = "all"


# Files of latents, and those that are asked for in vain.
_FILES = (".safetensors", ".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle")


def _names_a_file(name: str, frame: Frame, groups: Groups) -> bool:
    """Whether quoted text means a place on disk, and not one of the groups."""
    if name in groups.models:
        return False
    if "/" in name or "\\" in name or name.lower().endswith(_FILES):
        return True
    places = (frame.module.folder or Path(), Path())
    # Files of other kinds are told apart from groups that are not there.
    return "." in name and any(os.path.isfile(place_of(place / name)) for place in places)


def check_edit(
    node: nodes.Edit,
    frame: Frame,
    groups: Groups,
    resolve: Resolve,
    find_model: FindModel,
    report: Report,
) -> ir.EditStatement | None:
    """Return the checked statement; None if it is wrong, which has been reported.

    Args:
        node: the statement.
        frame: where it stands.
        groups: those made so far; this one is added.
        resolve: turns a condition on a model to a predicate, None if it is wrong.
        find_model: of a name, None if there is none, which has been reported.
        report: where complaints go.
    """
    read = Clauses("edit", node.clauses, frame, report)
    saved: ir.Saved | None = None
    name_or_path = node.group
    if isinstance(name_or_path, nodes.Text) and _names_a_file(name_or_path.name, frame, groups):
        # What reads runs is imported for those who begin from one.
        from lacelang.semantics.saved import find_saved

        on_disk = find_saved(name_or_path, read, find_model)
        found = None if on_disk is None else (name_or_path.value, on_disk[1])
        saved = None if on_disk is None else on_disk[0]
    else:
        found = groups.model_of(name_or_path, frame)
        _known_of_groups(read)
    model = found[1] if found is not None else None
    block = _layers(read.get("layers", nodes.LayersClause), model, read)
    steps = [_step(step, block, model, read, resolve) for step in node.steps]
    if not steps:
        message = "this edit has no steps"
        read.say("LACE306", message, node, "like `edit men { smile = 0 } as men_edited`")
    whole = tuple(step for step in steps if step is not None)
    stay, (hold, held) = read.at_least_zero("stay", defaults.STAY), _hold(read)
    options = read.condition_options([step.predicate for step in whole])
    sampler, reweight = _sampler(read), read.reweight()
    if model is not None:
        refuse_unfit(model, read, judged=node.group, edited=True)
    given = read.get("as", nodes.AsClause)
    name = groups.add(given.name if given else None, "edit", model, frame)
    if read.wrong or found is None or name is None or len(whole) < len(steps):
        groups.forget(name)
        return None
    return ir.EditStatement(
        name=name,
        group=found[0],
        model=found[1],
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


def _known_of_groups(read: Clauses) -> None:
    for keyword in ("from", "truncation"):
        message = f"`{keyword}` is known of a group of this program"
        read.refuse(keyword, message, "leave it out; it is for latents from a file")


def _step(
    node: nodes.Step, block: Choice, model: ir.ModelSpec | None, read: Clauses, resolve: Resolve
) -> ir.EditStep | None:
    predicate = resolve(node.predicate, model, read.frame)
    choice = block if node.layers is None else _layers(node.layers, model, read)
    if predicate is None:
        return None
    return ir.EditStep(predicate, _declared(predicate) if choice == "declared" else choice)


def _layers(clause: nodes.LayersClause | None, model: ir.ModelSpec | None, read: Clauses) -> Choice:
    if clause is None:
        return "declared"
    word = clause.word
    if word is None:
        return layers_of(clause.layers, None if model is None else model.generator, read.say)
    if word.name == "all":
        return None
    if word.name != "declared":
        hint = did_you_mean(word.name, WORDS["layers"])
        hint = hint or "write `all`, `declared` or numbers such as `0..5`"
        read.say("LACE109", f"`layers` does not know `{word.name}`", word, hint)
    return "declared"


def _declared(predicate: ir.Predicate) -> tuple[int, ...] | None:
    """Return the layers declared for a condition's attributes; None if one of them has all."""
    layers: set[int] = set()
    for atom in ir.comparisons(predicate):
        if atom.attribute.layers is None:
            return None
        layers.update(atom.attribute.layers)
    return tuple(sorted(layers))


def _hold(read: Clauses) -> tuple[float, Held]:
    """Return gamma, and whose attributes it holds."""
    clause = read.get("hold", nodes.ValueClause)
    held: Held = HELD
    if clause is not None and clause.form is not None:
        if clause.form.name in WORDS["hold"]:
            held = "all" if clause.form.name == "all" else "later"
        else:
            hint = did_you_mean(clause.form.name, WORDS["hold"])
            hint = hint or "write `hold 0.01`, `hold later(0.01)` or `hold all(0.01)`"
            message = f"`hold` does not know `{clause.form.name}`"
            read.say("LACE109", message, clause.form, hint)
    return read.at_least_zero("hold", defaults.HOLD), held


def _sampler(read: Clauses) -> ir.SamplerChoice:
    choice = read.sampler()
    if choice is None:
        return defaults.sampler()
    clause = read.get("with", nodes.WithClause)
    if not SAMPLERS[choice.name].edits and clause is not None:
        message = f"`{choice.name}` does not follow a flow from where a sample is: it cannot edit"
        known = ", ".join(f"`{name}`" for name, sampler in SAMPLERS.items() if sampler.edits)
        read.say("LACE310", message, clause.sampler, f"these can: {known}")
    return choice
