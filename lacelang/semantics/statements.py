"""Statements: loops unrolled, clauses read, conditions resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, get_args

from attrs import evolve

from lacelang import ir
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults
from lacelang.semantics.begun import Beginnings
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, LostError, Module
from lacelang.semantics.contradictions import follows, never_together
from lacelang.semantics.drawn import loop_values
from lacelang.semantics.fitness import (
    needs_classifiers,
    refuse_negative,
    refuse_unfit,
    refuse_unseen,
    refuse_unverifiable,
)
from lacelang.semantics.groups import Groups
from lacelang.semantics.modules import Library
from lacelang.semantics.picks import picked
from lacelang.semantics.resolver import Resolver
from lacelang.semantics.taught import using
from lacelang.semantics.values import Limits, limited
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS

if TYPE_CHECKING:
    from lacelang.storage.provenance import SavedSamples

MAX_STATEMENTS = 20_000
"""How many statements, and turns of empty loops, a program may have when its loops are unrolled."""

MAX_PARTS = 300_000
"""How many clauses, steps, names and numbers the loops of a program may come to, unrolled, and how
many samples its picks may name."""

MAX_COUNT = 1_000_000

_CONDITIONS = get_args(nodes.Predicate)

DEFINITIONS = nodes.Model | nodes.Import | nodes.Let | nodes.Def
"""The statements that run nothing."""


class Statements:
    """Turns the statements of a program to their checked forms.

    `groups` are those that earlier statements made, where `module` goes on from them; `saved` are
    samples on disk by name, where the disk is not asked.

    Attributes:
        result: the statements without errors, in order.
        models: those that statements are of, by name.
    """

    def __init__(
        self,
        module: Module,
        library: Library,
        groups: Groups | None = None,
        saved: Mapping[str, SavedSamples] | None = None,
    ) -> None:
        self.module = module
        self.library = library
        self.groups = groups if groups is not None else Groups()
        self.groups.reserve(set(_names_written(module.program.statements)))
        self.frame = Frame(module, library.report)
        self._beginnings = Beginnings(self.groups, saved, self.find_model)
        self.result: list[ir.Statement] = []
        self.models: dict[str, ir.ModelSpec] = {}
        self._left = MAX_STATEMENTS
        self._parts_left = MAX_PARTS
        self._stopped = False
        self._resolver = Resolver(module.size)
        self._turns: list[ir.Turn] = []  # of the loops that are being unrolled

    def run(self, model: ir.ModelSpec | None = None) -> None:
        """Check all statements of the program, and the definitions that none of them uses.

        `model` is what those are checked against where no statement has a model.
        """
        try:
            for node in self.module.program.statements:
                if not self._has_stopped:
                    self._statement(node, self.frame)
            used = list(self.models.values())
            if used:
                model = used[0] if len(used) == 1 else None
            # Those that use others come first: what they use is then checked already.
            for definition in reversed(self.module.order):
                if not (definition.seen or self._has_stopped):
                    self._resolver.check_alone(definition, model, self.frame)
        except RecursionError:
            # Limits on nesting keep the stack shallow; a caller deep in its own may still run out.
            message = "there is no room left to check this"
            self.frame.say("LACE307", message, self.module.program)

    @property
    def _has_stopped(self) -> bool:
        """Whether the program is too large, or so wrong that no more of it is shown."""
        return self._stopped or self._resolver.too_large or self.frame.report.full

    def _statement(self, node: nodes.Statement, frame: Frame) -> None:
        self._left -= 1
        with suppress(LostError):
            match node:
                case nodes.For():
                    self._for(node, frame)
                case nodes.Sample():
                    self.result.append(self._sample(node, frame))
                case nodes.Photo():
                    self.result.append(self._photo(node, frame))
                case nodes.Edit():
                    self.result.append(self._edit(node, frame))
                case nodes.Pick():
                    self.result.append(self._pick(node, frame))
                case nodes.Measure():
                    self.result.append(self._measure(node, frame))
                case nodes.Expect():
                    self.result.append(self._expect(node, frame))

    # Loops

    def _for(self, node: nodes.For, frame: Frame) -> None:
        name = node.variable.name
        if name in frame.bindings or self.module.find(name) is not None:
            message = f"the loop variable `{name}` hides another `{name}`"
            frame.say("LACE512", message, node.variable)
        values = loop_values(node.values, MAX_STATEMENTS, frame)
        seen: set[nodes.Value | str] = set()
        for value in values:
            same = value.name if isinstance(value, nodes.Text) else value
            if same in seen:
                frame.say("LACE514", "the loop has this value already", value)
            seen.add(same)
        for inner in node.body:
            if isinstance(inner, DEFINITIONS):
                message = f"`{type(inner).__name__.lower()}` cannot stand inside `for`"
                frame.say("LACE308", message, inner, "put it before the loop")
        sizes = [_size_of(inner) for inner in node.body]
        used = False
        for value in values:
            self._left -= not node.body
            inside = frame.bind(name, value)
            # Not by what the variable settles to, for a name alone is no use of it.
            text = value.name if isinstance(value, nodes.Word | nodes.Text) else _spelled(value)
            self._turns.append(ir.Turn(name, text))
            for inner, size in zip(node.body, sizes, strict=True):
                if not self._fits(node.variable, frame):
                    break
                self._parts_left -= size
                self._statement(inner, inside)
            self._turns.pop()
            used = used or inside.bindings[name].used
            if not self._fits(node.variable, frame):
                break
        if not used and node.body and not self.module.broken:
            frame.say("LACE515", f"nothing in the loop uses `{name}`", node.variable)

    def _fits(self, at: nodes.Node, frame: Frame, hint: str = "loop over fewer values") -> bool:
        """Whether loops and picks are not too large so far; the first that is, is reported."""
        for left, most, what in (
            (self._left, MAX_STATEMENTS, "statements"),
            (self._parts_left, MAX_PARTS, "clauses, steps and values"),
        ):
            if left < 0 and not self._stopped:
                self._stopped = True
                message = f"this is more than {most} {what}, with loops unrolled"
                frame.say("LACE307", message, at, hint)
        return not self._has_stopped

    # Kinds of statements; `LostError` where one is wrong, which has been reported

    def _sample(self, node: nodes.Sample, frame: Frame) -> ir.SampleStatement:
        read = self._clauses("sample", node, frame)
        count = self._count(node, read)
        where = self._condition(read, "where")
        sampler = read.value("with") or defaults.sampler(read.model)
        options = read.condition_options(() if where is None else (where,), sampler)
        truncation, seed = read.value("truncation"), read.value("seed")
        clause = read.get("where", nodes.PredicateClause)
        refuse_unfit(read, judged=clause if needs_classifiers(where) else None)
        if where is not None and SAMPLERS[sampler.name].probability:
            refuse_negative(where, options, read)
        verified = read.value("verified")
        refuse_unverifiable(read, where)
        name, model = self.groups.add(read), using(read.checked_model(), where)
        self.groups.counts[name] = count
        clauses = (options, truncation, seed, sampler, verified)
        return ir.SampleStatement(
            name, count, model, where, *clauses, node.span, tuple(self._turns)
        )

    def _count(self, node: nodes.Sample, read: Clauses) -> int:
        if node.count is None or (_forgotten_from(node) is not None and read.wrong):
            return defaults.COUNT
        try:
            limits = Limits("LACE205", 1, MAX_COUNT, whole=True)
            return int(limited(node.count, "the number of samples", limits, read.frame))
        except LostError:
            read.wrong = True
            return defaults.COUNT

    def _photo(self, node: nodes.Photo, frame: Frame) -> ir.PhotoStatement:
        read = self._clauses("photo", node, frame)
        return self._beginnings.photo(node.file, read, node.span, tuple(self._turns))

    def _edit(self, node: nodes.Edit, frame: Frame) -> ir.EditStatement:
        read = Clauses("edit", node.clauses, frame)
        begun = self._beginnings.of(node.group, read, tuple(self._turns))
        group, saved = begun.group, begun.saved
        if begun.photo is not None:
            self.result.append(begun.photo)
        block = read.value("layers")
        steps: list[ir.EditStep] = []
        for step in node.steps:
            layers = block if step.layers is None else read.value("layers", step.layers)
            predicate = self._resolver.resolved(step.predicate, read.model, frame, "edit")
            if predicate is not None:
                layers = _declared(predicate) if layers == "declared" else layers
                steps.append(ir.EditStep(predicate, layers))
        if not node.steps:
            message = "this edit has no steps"
            read.say("LACE306", message, node, "like `edit men { smile = 0 } as men_edited`")
        stay, (hold, held) = read.value("stay"), read.value("hold")
        sampler = read.value("with") or defaults.sampler()
        options = read.condition_options([step.predicate for step in steps], sampler)
        clause = read.get("with", nodes.WithClause)
        if not SAMPLERS[sampler.name].edits and clause is not None:
            message = f"`{sampler.name}` does not follow a flow from where a sample is"
            known = ", ".join(f"`{name}`" for name, each in SAMPLERS.items() if each.edits)
            read.say("LACE310", f"{message}: it cannot edit", clause.sampler, f"these can: {known}")
        reweight, keep = read.value("reweight") == "on", read.value("keep")
        paste = self._beginnings.pasted(begun, node.group, read)
        refuse_unfit(read, judged=node.group)
        read.wrong = read.wrong or len(steps) < len(node.steps)
        asked = [step.predicate for step in steps]
        name, model = self.groups.add(read), using(read.checked_model(), *asked)
        if saved is None and group in self.groups.counts:
            self.groups.counts[name] = self.groups.counts[group]
        if group in self.groups.photographed:
            self.groups.photographed.add(name)
        clauses = (sampler, options, stay, hold, held, reweight, keep, paste)
        return ir.EditStatement(
            name, group, model, tuple(steps), *clauses, saved, node.span, tuple(self._turns)
        )

    def _pick(self, node: nodes.Pick, frame: Frame) -> ir.PickStatement:
        read = Clauses("pick", node.clauses, frame)
        group, read.model = self.groups.model_of(node.group, frame) or ("", None)
        count = self.groups.counts.get(group)
        indices: tuple[int, ...] = ()
        try:
            values = loop_values(node.indices, self._parts_left, frame)
            self._parts_left -= len(values)
            if self._fits(node.indices[-1], frame, "pick fewer samples"):
                indices = picked(values, group, count, MAX_COUNT, frame)
        except LostError:
            read.wrong = True
        name, model = self.groups.add(read), using(read.checked_model())
        self.groups.counts[name] = len(indices)
        if group in self.groups.photographed:
            self.groups.photographed.add(name)
        return ir.PickStatement(name, group, model, indices, node.span, tuple(self._turns))

    def _measure(self, node: nodes.Measure, frame: Frame) -> ir.MeasureStatement:
        read = self._clauses("measure", node, frame)
        what = self._resolver.resolved(node.what, read.model, frame, "measure")
        given = self._condition(read, "given")
        truncation, seed = read.value("truncation"), read.value("seed")
        read.refuse_beyond_bounds([p for p in (what, given) if p is not None])
        judged = node.what if any(map(needs_classifiers, (what, given or what))) else None
        refuse_unfit(read, judged=judged)
        name, model = self.groups.add(read), using(read.checked_model(), what, given)
        if what is None:
            raise LostError
        text = what.text if given is None else f"{what.text} given {given.text}"
        if given is not None and not (never_together([what]) or never_together([given])):
            # A probability that need not be measured.
            never = never_together([what, given])
            if never or follows(what, given):
                code, how = ("LACE501", "never") if never else ("LACE502", "always")
                frame.say(code, f"`{what.text}` {how} holds given `{given.text}`", node.what)
        return ir.MeasureStatement(
            name, model, what, given, truncation, seed, span=node.span, text=text
        )

    def _expect(self, node: nodes.Expect, frame: Frame) -> ir.ExpectStatement:
        found = self.groups.model_of(node.group, frame)
        model = found[1] if found is not None else None
        what = self._resolver.resolved(node.what, model, frame, "expect")
        share = node.share.number
        Limits("LACE212", 0, 100).check(share, "a share in %", node.share, frame)
        if what is None or refuse_unseen(what, node.what, frame) or found is None:
            raise LostError
        name, model = found
        group = name if isinstance(node.group, nodes.Word) else f'"{name}"'
        text = f"{what.text} in {node.share.text}% of {group}"
        model = using(model, what)
        return ir.ExpectStatement(what, share / 100, name, model, span=node.span, text=text)

    # What several kinds have

    def find_model(self, word: nodes.Word, frame: Frame) -> ir.ModelSpec | None:
        """Return the model that a word names; None if there is none, which has been reported."""
        binding = frame.bindings.get(word.name)
        if binding is not None and isinstance(binding.argument, nodes.Word):
            binding.used = True
            word = nodes.Word(binding.argument.name, span=word.span)
        model = self.library.find_model(word, self.module)
        if model is not None:
            self.models[model.name] = model
        return model

    def _condition(self, read: Clauses, keyword: str) -> ir.Predicate | None:
        clause = read.get(keyword, nodes.PredicateClause)
        if clause is None:
            return None
        draws_none = None if keyword == "where" else read.statement
        predicate = self._resolver.resolved(clause.predicate, read.model, read.frame, draws_none)
        read.wrong = read.wrong or predicate is None
        return predicate

    def _clauses(
        self, statement: str, node: nodes.Sample | nodes.Photo | nodes.Measure, frame: Frame
    ) -> Clauses:
        """Return the clauses of a statement that names its model."""
        read = Clauses(statement, node.clauses, frame)
        clause = read.get("from", nodes.FromClause)
        if clause is not None:
            read.model = self.find_model(clause.model, frame)
        elif not self.module.broken:
            start, forgotten = node.span, _forgotten_from(node)
            end = start.column + len(statement)
            keyword = nodes.Word(statement, span=evolve(start, end_line=start.line, end_column=end))
            hint = "add `from ffhq`" if forgotten is None else f"put `from` before `{forgotten}`"
            read.say("LACE302", f"`{statement}` needs to know its model", keyword, hint)
        return read


def _declared(predicate: ir.Predicate) -> tuple[int, ...] | None:
    """Return the layers declared for a condition's attributes; None if one of them has all."""
    if ir.own_terms(predicate):
        return None
    layers = [attribute.layers for attribute in ir.attributes(predicate).values()]
    known = [each for each in layers if each is not None]
    return tuple(sorted(set().union(*known))) if len(known) == len(layers) else None


def _names_written(statements: Sequence[nodes.Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, nodes.For):
            yield from _names_written(statement.body)
        for clause in getattr(statement, "clauses", ()):
            if isinstance(clause, nodes.AsClause):
                yield clause.name.name


def _forgotten_from(node: nodes.Sample | nodes.Photo | nodes.Measure) -> str | None:
    """Return `ffhq` of `sample 8 ffhq`, where it looks like the unit of 8."""
    count = node.count if isinstance(node, nodes.Sample) else None
    unit = count.unit if isinstance(count, nodes.Quantity) else None
    return unit.name if unit is not None and unit.name not in UNITS else None


def _spelled(value: nodes.Quantity) -> str:
    return value.text if value.unit is None else f"{value.text} {value.unit.name}"


def _size_of(statement: nodes.Statement) -> int:
    """Return how many nodes a statement has; those of its conditions are counted elsewhere.

    Those of a loop's body are, too.
    """
    size = 0
    stack: list[nodes.Node] = [statement]
    while stack:
        node = stack.pop()
        inner = node.values if isinstance(node, nodes.For) else node.parts
        stack += [part for part in inner if not isinstance(part, _CONDITIONS)]
        size += 1
    return size
