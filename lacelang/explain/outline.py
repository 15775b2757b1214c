"""Checked statements as outlines: what each will do, and the tree of its energy.

Nothing here needs weights, nor torch: it is what the checker understood. `measured` fills in what
the terms come to on draws from the prior.
"""

from __future__ import annotations

from collections.abc import Sequence

from lacelang import ir
from lacelang.explain.shape import Fact, Outline, Term, Tree
from lacelang.explain.terms import term_of
from lacelang.semantics import defaults
from lacelang.text.numerals import number_text


def outlines(program: ir.CheckedProgram) -> tuple[Outline, ...]:
    """Return the outline of every statement, in the order in which they run."""
    truncations: dict[str, float] = {}
    result = []
    for statement in program.statements:
        psi = _truncation(statement, truncations)
        result.append(outline(statement, psi))
    return tuple(result)


def outline(statement: ir.Statement, truncation: float = defaults.TRUNCATION) -> Outline:
    """Return the outline of one statement.

    Args:
        statement: checked.
        truncation: of the group that an edit begins from, or that an `expect` looks at.
    """
    match statement:
        case ir.SampleStatement():
            return _sample(statement)
        case ir.EditStatement():
            return _edit(statement, truncation)
        case ir.MeasureStatement():
            return _measure(statement)
        case ir.ExpectStatement():
            return _expect(statement, truncation)


def _truncation(statement: ir.Statement, known: dict[str, float]) -> float:
    """Find a statement's truncation, its own or that of the group that it speaks of."""
    if isinstance(statement, ir.SampleStatement | ir.MeasureStatement):
        psi = statement.truncation
    else:
        psi = known.get(statement.group, defaults.TRUNCATION)
        if isinstance(statement, ir.EditStatement) and statement.saved is not None:
            psi = statement.saved.truncation
    if isinstance(statement, ir.SampleStatement | ir.EditStatement):
        known[statement.name] = psi
    return psi


# Statements


def _sample(statement: ir.SampleStatement) -> Outline:
    count, where = statement.count, statement.where
    psi, seed = statement.truncation, statement.seed
    tree = _tree("energy", statement.model, where, psi, seed, statement.options)
    facts = [
        Fact("count", "", count),
        _model(statement.model),
        _truncation_fact(statement.truncation),
        _seed(statement.seed),
    ]
    title = f"{count} sample{'' if count == 1 else 's'} of {statement.model.name}"
    if where is None:
        title += ", draws from the prior"
    else:
        facts += [_heads((where,)), _sampler(statement.sampler), *_clauses(statement, [tree.root])]
    return Outline("sample", statement.name, title, tuple(facts), (tree,))


def _edit(statement: ir.EditStatement, truncation: float) -> Outline:
    steps = statement.steps
    trees = tuple(
        _tree(
            f"step {number}",
            statement.model,
            step.predicate,
            truncation,
            options=statement.options,
        )
        for number, step in enumerate(steps, start=1)
    )
    held = {"later": "of what later steps speak of", "all": "of all that no step has spoken of"}
    facts = (
        Fact("group", "", statement.group),
        _model(statement.model),
        Fact("stay", number_text(statement.stay), statement.stay),
        Fact("hold", f"{number_text(statement.hold)}, {held[statement.held]}", statement.hold),
        Fact("held", "", statement.held),
        Fact("reweight", "on" if statement.reweight else "off", statement.reweight),
        _layers([step.replaced for step in steps]),
        _heads([step.predicate for step in steps]),
        _sampler(statement.sampler),
        *_clauses(statement, [tree.root for tree in trees]),
    )
    count = len(steps)
    title = f"{count} step{'' if count == 1 else 's'} from {statement.group}"
    return Outline("edit", statement.name, title, facts, trees)


def _measure(statement: ir.MeasureStatement) -> Outline:
    model, psi = statement.model, statement.truncation
    parts = {"what": statement.what, "given": statement.given}
    known = {role: part for role, part in parts.items() if part is not None}
    facts = (
        Fact("text", "", statement.text),
        _model(model),
        _truncation_fact(psi),
        _seed(statement.seed),
        _heads(tuple(known.values())),
    )
    trees = tuple(_tree(role, model, part, psi, statement.seed) for role, part in known.items())
    return Outline("measure", statement.name, f"P({statement.text}) of {model.name}", facts, trees)


def _expect(statement: ir.ExpectStatement, truncation: float) -> Outline:
    facts = (
        Fact("group", "", statement.group),
        Fact("share", "", statement.share),
        _model(statement.model),
    )
    tree = _tree("what", statement.model, statement.what, truncation)
    return Outline("expect", None, statement.text, facts, (tree,))


# Facts


def _model(spec: ir.ModelSpec) -> Fact:
    origin = f"{spec.package}=={spec.version}" if spec.package is not None else spec.file
    shown = f"{spec.generator}{f' from {origin}' if origin else ''}"
    if spec.classifiers is not None:
        shown += f", classifiers {spec.classifiers} on {spec.space}"
    value = {"name": spec.name, "generator": spec.generator, "from": origin}
    value |= {"classifiers": spec.classifiers, "space": spec.space}
    return Fact("model", shown, value)


def _truncation_fact(psi: float) -> Fact:
    return Fact("truncation", number_text(psi), psi)


def _seed(seed: int | None) -> Fact:
    shown = str(defaults.SEED) if seed is None else str(seed)
    return Fact("seed", shown, seed)


def _heads(conditions: Sequence[ir.Predicate]) -> Fact:
    """The classifiers that are asked, each once, in the order in which they are."""
    heads = dict.fromkeys(a.attribute.name for c in conditions for a in ir.comparisons(c))
    return Fact("heads", ", ".join(heads), list(heads))


def _layers(steps: Sequence[tuple[int, ...] | None]) -> Fact:
    """The style layers that each step replaces."""
    shown = "; ".join(_ranges(layers) for layers in steps)
    return Fact("layers", shown, [None if layers is None else list(layers) for layers in steps])


def _ranges(layers: tuple[int, ...] | None) -> str:
    if layers is None:
        return "all"
    parts: list[tuple[int, int]] = []
    for layer in layers:
        follows = parts and parts[-1][1] == layer - 1
        parts[-1:] = [(parts[-1][0], layer)] if follows else [*parts[-1:], (layer, layer)]
    return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in parts)


def _sampler(choice: ir.SamplerChoice) -> Fact:
    options = ", ".join(f"{name}={value:.7g}" for name, value in choice.options.items())
    shown = f"{choice.name}({options})" if options else choice.name
    return Fact("sampler", shown, {"name": choice.name, "options": dict(choice.options)})


def _clauses(
    statement: ir.SampleStatement | ir.EditStatement, roots: Sequence[Term | None]
) -> list[Fact]:
    """The clauses that say what the operators mean; those that touch nothing are not shown."""
    options = statement.options
    temp, logit = options.temp, options.logit_temp
    negation, disjunction = options.negation, options.disjunction
    form = negation[0] if len(negation) == 1 else f"contrast({number_text(negation[1])})"
    shown = "" if temp is None else number_text(temp)
    shown = shown if logit is None else f"logit({number_text(logit)})"
    numbers = _have(roots, "equals", "at_least", "at_most", "between")
    return [
        Fact("temp", shown, temp),
        Fact("logit_temp", "", logit),
        Fact("negation", form if _have(roots, "not") else "", list(negation)),
        Fact("disjunction", disjunction if _have(roots, "or") else "", disjunction),
        Fact("sigma", options.sigma if numbers else "", options.sigma),
    ]


def _tree(
    role: str,
    model: ir.ModelSpec,
    where: ir.Predicate | None,
    truncation: float,
    seed: int | None = None,
    options: ir.ConditionOptions = defaults.CONDITION_OPTIONS,
) -> Tree:
    root = None if where is None else term_of(where, options)
    return Tree(role, model, where, options, truncation, seed, root)


def _have(terms: Sequence[Term | None], *kinds: str) -> bool:
    return any(t is not None and (t.kind in kinds or _have(t.terms, *kinds)) for t in terms)
