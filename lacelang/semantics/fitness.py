"""What a model's declaration, the annotators or the sampler lack for a statement to run."""

from __future__ import annotations

from lacelang import ir
from lacelang.annotators import ANNOTATORS, seen_attributes
from lacelang.annotators.declaration import YES_OR_NO
from lacelang.generators import ARCHITECTURES
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, did_you_mean
from lacelang.semantics.weights import is_imported
from lacelang.syntax import nodes


def refuse_unfit(read: Clauses, judged: nodes.Node | None) -> None:
    """Report a statement that cannot run on the model as it is declared.

    `judged` is what needs classifiers; None if nothing does.
    """
    model = read.model
    if model is None or read.wrong:
        return  # what is wrong with the statement itself comes first
    name = model.name
    named = read.get("from", nodes.FromClause)
    at: nodes.Node | None = judged if named is None else named.model
    if at is not None:
        _refuse_generator(model, read, at)
    if judged is not None and model.classifiers is None and not model.taught:
        message = f"the model {name} has no classifiers, which conditions need"
        hint = 'declare them: classifiers "file.safetensors" on w'
        read.say("LACE401", message, judged, hint)
    elif at is not None and model.space == "image" and not _gives_pixels(model):
        message = f"the classifiers of {name} judge images, and its decoder is too slow for that"
        read.say("LACE315", message, at, "train classifiers on w, and declare them `on w`")
    elif read.statement == "edit" and at is not None and model.space != "w":
        message = f"edits move in w, and the classifiers of {name} judge {model.space}"
        read.say("LACE315", message, at, "train classifiers on w, and declare them `on w`")


def needs_classifiers(where: ir.Predicate | None) -> bool:
    """Whether a condition, which may be wrong, is about attributes."""
    return where is None or bool(ir.attributes(where)) or not ir.own_terms(where)


def _gives_pixels(model: ir.ModelSpec) -> bool:
    known = ARCHITECTURES.get(model.generator)
    return known is None or known.pixels  # an unknown one is reported elsewhere


# How the weights of a generator are given, and how a model declares that.
_WEIGHTS = {
    "package": ("takes its weights from a package", ' from "package==version" sha256 "…"'),
    "file": ("takes its weights from a file", ' from "weights.safetensors" sha256 "…"'),
    "none": ("has no weights", ""),
}


def _refuse_generator(model: ir.ModelSpec, read: Clauses, at: nodes.Node) -> None:
    """Report a generator that cannot be loaded as it is declared."""
    name, kind = model.name, model.generator
    if kind not in ARCHITECTURES:
        message = f"the model {name} is a `{kind}`, and there is no such generator"
        read.say("LACE407", message, at, did_you_mean(kind, ARCHITECTURES, "there are only:"))
        return
    wanted, code = ARCHITECTURES[kind].weights, "LACE401"
    given = "file" if model.file is not None else "package" if model.package is not None else "none"
    if given not in (wanted, "none"):
        code, message = "LACE406", f"a {kind} {_WEIGHTS[wanted][0]}"
        message = f"{message}, and the model {name} names a {given}"
    elif given != wanted:
        message = f"the model {name} does not say where its weights come from"
    elif wanted != "none" and model.sha256 is None and not is_imported(model):
        message = f"the model {name} does not say the checksum of its weights"
    else:
        return
    read.say(code, message, at, f"declare it: generator {kind}{_WEIGHTS[wanted][1]}")


def refuse_unseen(what: ir.Predicate, at: nodes.Node, frame: Frame) -> bool:
    """Report attributes that no annotator sees in an image, or sees as something else.

    Returns whether there are any.
    """
    known = seen_attributes()
    for term in ir.own_terms(what):
        message = f"`{term}` is a term of latents, which no annotator sees in an image"
        frame.say("LACE312", message, at)
        return True
    found = ir.attributes(what).values()
    refused = [a for a in found if not _is_seen(a, known.get(a.name))]
    for attribute in refused:
        name, classes = attribute.name, known.get(attribute.name)
        message, hint = f"no annotator sees `{name}` in an image", None
        if classes is None:
            broken = map(str, ANNOTATORS.broken.values())
            hint = "; ".join([f"they see: {', '.join(known)}", *broken])
        else:
            seen = f"one of {', '.join(classes)}" if classes else "a number"
            seen = "yes or no" if classes == YES_OR_NO else seen
            message = f"annotators see `{name}` as {seen}, which is not how its model declares it"
        frame.say("LACE312", message, at, hint)
    return bool(refused)


def refuse_unverifiable(read: Clauses, where: ir.Predicate | None) -> None:
    """Report a `verified` without a condition, or with one that no annotator judges."""
    clause = read.get("verified", nodes.VerifiedClause)
    if clause is None:
        return
    if read.get("where", nodes.PredicateClause) is None:
        message = "`verified` needs a condition for the annotators to agree with"
        read.say("LACE318", message, clause, "add one with `where`, or leave it out")
    elif where is not None and refuse_unseen(where, clause, read.frame):
        read.wrong = True


def _is_seen(attribute: ir.Attribute, classes: tuple[str, ...] | None) -> bool:
    # A yes-or-no attribute may be any of two classes, the second of which is yes.
    two = classes is not None and len(classes) == len(YES_OR_NO)
    return attribute.values == classes or (attribute.values == YES_OR_NO and two)


def refuse_negative(where: ir.Predicate, options: ir.ConditionOptions, read: Clauses) -> None:
    """Report a sampler that takes e^-E for a probability, if the energy may go below zero."""
    clause = read.get("with", nodes.WithClause)
    terms = list(ir.walk(where))
    if options.negation[0] == "contrast" and any(
        isinstance(term, ir.Not | ir.Xor) for term in terms
    ):
        why, hint = "`negation contrast(…)`", "leave `negation contrast(…)` out"
    elif options.logit_temp is not None or any(term.logit_temp is not None for term in terms):
        why, hint = "`temp logit(…)`", "write `temp …` without `logit`"
    else:
        return
    assert clause is not None  # the default sampler takes any energy
    message = f"`{clause.sampler.name}` needs energies of at least 0, and {why} makes lower ones"
    read.say("LACE311", message, clause.sampler, f"{hint}, or sample with `smc`")
