"""Programs from Python values: a syntax tree that is checked as it is, and its text beside it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from lacelang import arguments
from lacelang.embedding.algebra import Attr, Condition, condition
from lacelang.embedding.terms import named
from lacelang.embedding.values import is_name, number_of, value_of, word_of
from lacelang.errors import ProgramError, UsageError
from lacelang.ir import CheckedProgram, OwnTerm
from lacelang.syntax import nodes
from lacelang.syntax.format import unparse
from lacelang.text.names import nfc

Definition: TypeAlias = Condition | float | str
"""What a name may stand for: a condition, as such or as text, or a number."""

# Categories of Unicode that no quoted text holds: what ends lines, is not seen, or is no character.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def with_definitions(
    source: str,
    path: Path | None,
    definitions: Mapping[str, Definition],
    root: Path | None = None,
) -> CheckedProgram:
    """Check a program with definitions below it, as if its author had written them there.

    They stand at the end, so that the lines of `source` keep their numbers; the order of
    definitions does not matter to a program.
    """
    from lacelang.syntax.parser import parse

    terms: dict[str, OwnTerm] = {}
    lets, laid_out = [], []
    for name, meaning in definitions.items():
        word = word_of(name, "the name of a definition in `definitions`")
        term = named(meaning, word.name) if isinstance(meaning, Condition) else None
        if term is not None:
            _add(terms, [term])
            laid_out.append(f"# {term.name}: a term of {term.on}, version {term.version}\n")
            continue
        if isinstance(meaning, Condition):
            _add(terms, meaning.terms)
        lets.append(_let(name, meaning))
        laid_out.append(_laid_out(f"{unparse(lets[-1])}\n"))
    text = "\n".join([source.removesuffix("\n"), "", "# Defined in Python.", *laid_out])
    try:
        tree = parse(source.removeprefix("\ufeff"))
    except ProgramError:
        return _checked(None, text, path, root, terms)
    both = nodes.Program((*tree.statements, *lets), span=tree.span)
    return _checked(both, text, path, root, terms)


def _add(known: dict[str, OwnTerm], terms: Iterable[OwnTerm]) -> None:
    for term in terms:
        before = known.setdefault(term.name, term)
        if before.function is not term.function or before != term:
            raise UsageError(
                f"two terms are called `{term.name}`; give each a name: term(…, name=…)"
            )


def _let(name: str, meaning: Definition) -> nodes.Let:
    word = word_of(name, "the name of a definition in `definitions`")
    argument = f"definitions[{word.name!r}]"
    if isinstance(arguments.item(meaning), Condition | Attr | str):
        return nodes.Let(word, _condition(meaning, argument))
    return nodes.Let(word, number_of(meaning, argument))


def sample_program(
    imports: object,
    path: Path | None,
    model: object,
    count: object,
    clauses: Mapping[str, object],
    options: Mapping[str, object],
) -> CheckedProgram:
    """Check a program of one `sample` statement, below the modules that it imports.

    The arguments are those of `lacelang.sampling`, clauses by their names there; those that are
    None are left out.
    """
    if isinstance(arguments.item(imports), str | PathLike):
        imports = [imports]
    given = arguments.several(imports, "imports", "several names of modules or files")
    statements: list[nodes.Import | nodes.Sample] = []
    # Who calls names these files, wherever they are; the text of a program may not.
    folder = path.parent if path is not None else Path()
    folders = [folder.absolute()]
    for each in given:
        file = arguments.path(each, "imports", "a file or the name of a module")
        module = _named(str(file), "a module or a file in `imports`")
        statements.append(nodes.Import(module))
        if isinstance(module, nodes.Text):
            folders.append((folder / file).resolve().parent)
    said = [
        nodes.FromClause(word_of(model, "the name of a model")),
        *(_clause(name, v, options) for name, v in clauses.items() if v is not None),
    ]
    number = None if count is None else number_of(count, "count")
    statements.append(nodes.Sample(number, tuple(said)))
    text = _laid_out("".join(f"{unparse(statement)}\n" for statement in statements))
    root = Path(os.path.commonpath(folders))
    terms: dict[str, OwnTerm] = {}
    where = clauses.get("where")
    if isinstance(where, Condition):
        _add(terms, where.terms)
    return _checked(nodes.Program(tuple(statements)), text, path, root, terms)


def _clause(name: str, value: object, options: Mapping[str, object]) -> nodes.Clause:
    match name:
        case "where":
            return nodes.PredicateClause(name, _condition(value, name))
        case "name":
            group = arguments.text(value, name, "the name of a group")
            return nodes.AsClause(_named(group, "the name of a group"))
        case "sampler":
            given = tuple(
                nodes.Option(
                    word_of(option, "the name of an option in `options`"),
                    value_of(each, f"options[{option!r}]"),
                )
                for option, each in options.items()
            )
            return nodes.WithClause(word_of(value, "the name of a sampler"), given)
        case "disjunction" | "sigma":
            return nodes.WordClause(name, word_of(value, f"what `{name}` says"))
        case "temp" | "logit_temp":
            form = None if name == "temp" else nodes.Word("logit")
            setting = nodes.Setting("temp", number_of(value, name), form)
            return nodes.TempClause(setting)
        case "verified":
            return nodes.VerifiedClause(None if value is True else number_of(value, name))
        case "contrast":
            word = nodes.Word("contrast")
            return nodes.WordClause("negation", word, number_of(value, name))
    return nodes.ValueClause(name, number_of(value, name))


def _checked(
    tree: nodes.Program | None,
    text: str,
    path: Path | None,
    root: Path | None,
    terms: Mapping[str, OwnTerm],
) -> CheckedProgram:
    """Check a tree; what there is to say of it is shown in its text, read for that alone."""
    from lacelang.semantics.check import check

    try:
        program = None if tree is None else check(text, path, tree=tree, root=root, terms=terms)
    except ProgramError:
        program = None
    if program is None or program.warnings:
        return check(text, path, root=root, terms=terms)
    return program


def _condition(where: object, name: str) -> nodes.Predicate:
    """Return the tree of a condition, given as such or as text; `name` is the argument's."""
    if isinstance(where, Condition):
        return where.node
    if isinstance(where, Attr):
        arguments.refuse(where, name, f"is a condition, like `{where!r} == 1`")
    text = arguments.text(where, name, "a condition or the text of a condition")
    try:
        return condition(text).node
    except UsageError as error:
        raise UsageError(f"`{name}`: {error}") from None


def _named(text: str, what: str) -> nodes.Word | nodes.Text:
    if is_name(text):
        return nodes.Word(nfc(text))
    if '"' in text or any(unicodedata.category(letter) in _UNSEEN for letter in text):
        raise UsageError(f"{arguments.shown(text)} cannot be {what}")
    return nodes.Text(text)


def _laid_out(text: str) -> str:
    """Lines that are too long are broken by the formatter."""
    from lacelang.syntax.documents import WIDTH

    if max(map(len, text.splitlines())) <= WIDTH:
        return text
    from lacelang.syntax.format import format_source

    return format_source(text)
