"""Checked statements as outlines: what each does, and the tree of its energy.

This needs neither weights nor torch; `measured` adds figures on draws from the prior.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from lacelang import ir
from lacelang.semantics import defaults
from lacelang.text.numerals import number_text, ranges_text

MOST_TERMS = 1000
"""Comparisons of a condition that is shown without `xor`."""


@frozen
class Figures:
    """A term on draws from the prior.

    Mean and standard deviation of its energy in nats, without its weight; its share of the gradient
    (see `measured`), None where that vanishes; for a comparison, the mean probability, or value in
    the attribute's unit, that the classifiers return.
    """

    energy: float
    spread: float
    share: float | None
    reading: float | None = None


@frozen
class Term:
    """One node of a condition under its statement's clauses.

    At most one of the temperatures is set, its own or the statement's. `odds` is its share of an
    `or`'s, None where draws balance them or there are none; `sigma` the spread of a measured
    attribute in its unit, None where it is the residual of classifiers that are not loaded.
    """

    predicate: ir.Predicate
    kind: str
    text: str
    formula: str
    weight: float
    odds: float | None
    temp: float | None
    logit_temp: float | None
    attribute: str | None
    unit: str | None
    sigma: float | None
    via: tuple[str, ...]
    terms: tuple[Term, ...]
    figures: Figures | None = None


@frozen
class Totals:
    """A whole condition on draws from the prior: its energy's mean and standard deviation in nats.

    The prior is left out; `gradient` is the mean norm of the energy's gradient in z.
    """

    draws: int
    seed: int
    energy: float
    spread: float
    gradient: float


@frozen
class Tree:
    """A condition, and what it is for in its statement; no `root` where nothing is asked for."""

    role: str
    root: Term | None
    totals: Totals | None = None


@frozen
class Fact:
    """One thing to know of a statement: for people, and as plain JSON for programs."""

    label: str
    text: str
    value: Any


@frozen
class Outline:
    """One statement: psi of its samples, the seed of its draws, clauses, facts and conditions."""

    statement: ir.Statement
    truncation: float
    seed: int
    options: ir.ConditionOptions
    facts: tuple[Fact, ...]
    trees: tuple[Tree, ...]

    @property
    def name(self) -> str | None:
        """The statement's name, if it has one."""
        return getattr(self.statement, "name", None)


def outlines(program: ir.CheckedProgram) -> tuple[Outline, ...]:
    """Return the outline of every statement, in the order in which they run."""
    truncations: dict[str | None, float] = {}
    result = []
    for statement in program.statements:
        own = getattr(getattr(statement, "saved", None) or statement, "truncation", None)
        psi = own or truncations.get(statement.needs, defaults.truncation(statement.model))
        if statement.makes == "group":
            truncations[statement.name] = psi
        result.append(outline(statement, psi))
    return tuple(result)


def outline(statement: ir.Statement, truncation: float) -> Outline:
    """Return the outline of one statement; `truncation` is that of the samples it is about."""
    own: ir.Seed = getattr(statement, "seed", None)
    seed = own if isinstance(own, int) else defaults.SEED
    options: ir.ConditionOptions = getattr(statement, "options", defaults.CONDITION_OPTIONS)
    conditions = dict(statement.conditions)
    if options.disjunction != "exact":  # to a formula, `xor` is a connective like the others
        conditions = {role: _written_out(each) for role, each in conditions.items()}
    asked = [each for each in conditions.values() if each is not None]
    facts = [Fact(name, "", getattr(statement, name)) for name in statement.own]
    facts.append(_model(statement.model))
    if isinstance(statement, ir.EditStatement):
        facts += (*_held(statement), _layers([step.replaced for step in statement.steps]))
        facts.append(_pasted(statement))
    elif isinstance(statement, ir.PhotoStatement):
        facts.append(Fact("photo", statement.shown, statement.shown))
        facts.append(Fact("face", number_text(statement.face), statement.face))
        facts.append(Fact("fast", "yes" if statement.fast else "", statement.fast))
        facts.append(_pasted(statement))
    elif isinstance(statement, ir.PickStatement):
        picked = list(statement.indices)
        facts.append(Fact("samples", ranges_text(picked), picked))
    elif statement.makes is not None and statement.needs is None:
        facts.append(Fact("truncation", number_text(truncation), truncation))
        facts.append(Fact("seed", "random" if own == "random" else str(seed), own))
    verified = getattr(statement, "verified", None)
    if verified is not None:
        facts.append(Fact("verified", f"up to {verified} candidates a sample", verified))
    if asked and statement.makes is not None:
        heads = list(ir.attributes(*asked))
        facts.append(Fact("heads", ", ".join(heads), heads))
    if asked and isinstance(statement, ir.SampleStatement | ir.EditStatement):
        facts += _settings(asked, statement.sampler, options)
    trees = tuple(
        Tree(role, None if each is None else term_of(each, options))
        for role, each in conditions.items()
    )
    return Outline(statement, truncation, seed, options, tuple(facts), trees)


def _written_out(condition: ir.Predicate | None) -> ir.Predicate | None:
    """Return a condition without `xor`, which is an abbreviation; a long one stays."""
    if condition is None or ir.expanded_size(condition) > MOST_TERMS:
        return condition
    return ir.expanded(condition)


# Facts


def _model(spec: ir.ModelSpec) -> Fact:
    shown = f"{spec.generator}{f' from {spec.origin}' if spec.origin else ''}"
    if spec.classifiers is not None:
        shown += f", classifiers {spec.classifiers} on {spec.space}"
    value = {"name": spec.name, "generator": spec.generator, "from": spec.origin}
    return Fact("model", shown, value | {"classifiers": spec.classifiers, "space": spec.space})


def _pasted(statement: ir.PhotoStatement | ir.EditStatement) -> Fact:
    return Fact("paste", "into the photograph" if statement.paste else "", statement.paste)


def _kept(strength: float) -> str:
    return f"identity {number_text(strength)}" if strength else ""


def _held(statement: ir.EditStatement) -> tuple[Fact, ...]:
    held = {"later": "of the attributes of later steps", "all": "of all that no step is about yet"}
    return (
        Fact("stay", number_text(statement.stay), statement.stay),
        Fact("hold", f"{number_text(statement.hold)}, {held[statement.held]}", statement.hold),
        Fact("held", "", statement.held),
        Fact("reweight", "on" if statement.reweight else "off", statement.reweight),
        Fact("keep", _kept(statement.keep), statement.keep),
    )


def _layers(steps: Sequence[tuple[int, ...] | None]) -> Fact:
    """The style layers that each step replaces."""
    shown = "; ".join("all" if layers is None else ranges_text(layers) for layers in steps)
    return Fact("layers", shown, [None if layers is None else list(layers) for layers in steps])


def _settings(
    conditions: Iterable[ir.Predicate], sampler: ir.SamplerChoice, options: ir.ConditionOptions
) -> tuple[Fact, ...]:
    """The sampler, and what the operators mean; clauses that touch nothing are not shown."""
    given = ", ".join(f"{name}={value:.7g}" for name, value in sampler.options.items())
    used = [each for condition in conditions for each in ir.walk(condition)]
    denies, chooses, measures = (
        any(isinstance(each, kind) for each in used)
        for kind in (ir.Not, ir.Or, ir.NumberComparison)
    )
    temp, logit = options.temp, options.logit_temp
    negation, disjunction = options.negation, options.disjunction
    form = negation[0] if len(negation) == 1 else f"contrast({number_text(negation[1])})"
    shown = "" if temp is None else number_text(temp)
    shown = shown if logit is None else f"logit({number_text(logit)})"
    chosen = {"name": sampler.name, "options": dict(sampler.options)}
    return (
        Fact("sampler", f"{sampler.name}({given})" if given else sampler.name, chosen),
        Fact("temp", shown, temp),
        Fact("logit_temp", "", logit),
        Fact("negation", form if denies else "", list(negation)),
        Fact("disjunction", disjunction if chooses or disjunction == "exact" else "", disjunction),
        Fact("sigma", options.sigma if measures else "", options.sigma),
    )


# Terms


def term_of(
    predicate: ir.Predicate, options: ir.ConditionOptions, odds: float | None = None
) -> Term:
    """Return the tree of a condition under its statement's clauses."""
    shares: list[float | None] = [None] * len(predicate.children)
    if isinstance(predicate, ir.Or) and options.disjunction == "equal":
        weights = [sum(disjunct_weights(term)) for term in predicate.terms]
        total = sum(weights)
        shares = [weight / total for weight in weights]
    attribute = predicate.attribute if isinstance(predicate, ir.Comparison) else None
    paper = attribute is not None and options.sigma == "paper"
    terms = zip(predicate.children, shares, strict=True)
    return Term(
        predicate,
        predicate.kind,
        " ".join(predicate.bare_text.split()),
        formula(predicate, options),
        predicate.weight,
        odds,
        *ir.temperatures(predicate, options),
        attribute=None if attribute is None else attribute.name,
        unit=None if attribute is None else attribute.unit,
        sigma=attribute.paper_sigma if attribute is not None and paper else None,
        via=predicate.via,
        terms=tuple(term_of(child, options, share) for child, share in terms),
    )


def disjunct_weights(term: ir.Predicate) -> list[float]:
    """Return the weight of a term of an `or`, or, if it comes to an `or` itself, its disjuncts'.

    `not not (b or c)` is `b or c`, and so is `(b or c) and d [weight 0]`.
    """
    simple = ir.simplified(term)
    merged = isinstance(simple, ir.Or) and simple.is_plain
    return [each.weight for each in (simple.children if merged else (term,))]


def formula(predicate: ir.Predicate, options: ir.ConditionOptions) -> str:
    """Return the energy of a condition under its statement's clauses, its own weight left out.

    p is the classifiers' probability, f what they read, E a term's energy, w its weight, π the odds
    of a disjunct, P the probability of a Boolean formula; `docs/energies.md` has the same forms.
    """
    temp, logit = ir.temperatures(predicate, options)
    if isinstance(predicate, ir.Comparison) and predicate.logits and logit is not None:
        return f"−{predicate.logits} / {number_text(logit)} + log Σ e^f"
    temp = logit if temp is None else temp
    match predicate:
        case ir.Comparison():
            plain = predicate.formula
        case ir.OwnTerm():
            plain = f"E({predicate.on})"
        case _ if options.disjunction == "exact":
            plain = "−log P"
        case ir.Or():
            plain = "−log Σ π e^(−E)"
        case ir.And(terms=terms):
            plain = "Σ E" if all(term.weight == 1 for term in terms) else "Σ w E"
        case ir.Not(term=term):
            plain = _denied(term, options)
        case ir.Xor():
            plain = "E of (a or b) and not (a and b), from left to right"
    if temp is None or temp == 1:
        return plain
    bracketed = isinstance(predicate, ir.And | ir.Not) and options.disjunction != "exact"
    return f"{f'({plain})' if bracketed else plain} / {number_text(temp)}"


def _denied(term: ir.Predicate, options: ir.ConditionOptions) -> str:
    """Of `not`: a complement moves inwards, so that it never denies a finished sum."""
    tempered = term.temp not in (None, 1.0)
    if isinstance(term, ir.Not) and not tempered:
        return "E denied twice"
    if options.negation[0] == "contrast":
        return f"−{number_text(options.negation[1])} E"
    if isinstance(term, ir.Or) and not tempered:
        return "−Σ log(1 − e^(−E))"
    return "−log(1 − e^(−E))"
