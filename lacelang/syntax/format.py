"""The one layout of programs.

Only white space changes, and the spelling of names, which are written in NFC: the tokens and the
comments of a program stay what they are and where they are, so that formatting can neither change
its meaning nor lose a word. Two choices are the author's: whether a statement stands on one line
(as long as it fits) or each clause on its own, and where a blank line parts two statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lacelang.errors import ProgramError, with_end
from lacelang.syntax import nodes
from lacelang.syntax.documents import (
    GAP,
    SOFT,
    Above,
    Doc,
    FormattedToken,
    Group,
    Line,
    Nest,
    Writer,
    flat,
    formatted_tokens,
)

_INDENT = 2
_PASSES = 6
_BACK = Nest(-_INDENT, Line(""))
_JOINTS = {nodes.And: "and", nodes.Or: "or", nodes.Xor: "xor", nodes.Implies: "implies"}


def format_source(source: str, path: str | None = None) -> str:
    """Return `source` in the one layout; formatting the result again changes nothing.

    Raises:
        ProgramError: the program has syntax errors, in a file called `path`.
    """
    text = source.removeprefix("\ufeff")
    for _ in range(_PASSES):
        # A comment that had to leave its line may make room for something else there.
        before, (text, comments) = text, _format_once(text, path)
        if text == before or not comments:
            break
    return text


def _format_once(source: str, path: str | None) -> tuple[str, bool]:
    """Return the text in the layout, and whether there are comments in it."""
    from lacelang.syntax.parser import read

    parsed = read(source, path)
    if parsed.problems:
        raise ProgramError(with_end(parsed.problems))
    tokens, rest = formatted_tokens(parsed.tokens.tokens, parsed.tokens.comments)
    writer = Writer()
    writer.write(_Documents(tokens).of(parsed.program))
    return writer.finish(rest), bool(parsed.tokens.comments)


def unparse(node: nodes.Node) -> str:
    """Return the text that the parser reads as `node`, on one line but for a sample's clauses.

    Brackets are written where the tree has a `Parenthesis`, and nowhere else.
    """
    documents = _Documents()
    if not isinstance(node, nodes.Sample):
        return flat(documents.of(node))
    lines, _ = documents.apart(documents.head("sample", node.count), node.clauses)
    return "\n ".join(map(flat, lines))


class _Documents:
    """Makes documents of nodes.

    Every token of a node is taken in the order of the text, so that it finds its comments.
    """

    def __init__(self, tokens: Iterable[FormattedToken] | None = None) -> None:
        self._tokens = list(tokens or ())
        self._taken = 0

    def take(self, text: str) -> FormattedToken:
        """Return the next token, which is `text`."""
        if self._taken == len(self._tokens):
            return FormattedToken(text)
        token = self._next()
        assert token is not None
        assert token.text == text
        self._taken += 1
        return token

    def _next(self) -> FormattedToken | None:
        return self._tokens[self._taken] if self._taken < len(self._tokens) else None

    def words(self, *parts: str | nodes.Node | None) -> Doc:
        """Return tokens and nodes with spaces between."""
        docs = [self.take(p) if isinstance(p, str) else self.of(p) for p in parts if p is not None]
        return [doc for part in docs for doc in (GAP, part)][1:]

    def listed(self, parts: Iterable[nodes.Node]) -> Doc:
        """Return nodes with commas between, as many on a line as fit."""
        return list(self._separated(parts, GAP))

    def _separated(self, parts: Iterable[nodes.Node], line: Doc) -> Iterator[Doc]:
        for i, part in enumerate(parts):
            if i:
                yield self.take(",")
                yield line
            yield Nest(_INDENT, self.of(part))

    def bracketed(self, opening: str, parts: Sequence[nodes.Node], closing: str) -> Doc:
        """Return nodes in brackets, each on its own line if they do not fit on one."""
        first = self.take(opening)
        if not parts:
            return [first, self.take(closing)]
        inner = list(self._separated(parts, Line()))
        return Group([first, Line(""), *inner, _BACK, self.take(closing)])

    def of(self, node: nodes.Node) -> Doc:
        """Return the document of a node."""
        match node:
            case nodes.Program(statements):
                return self._lines(statements)
            case nodes.Word(name):
                return self.take(name)
            case nodes.Text(value):
                return self.take(f'"{value}"')
            case nodes.Quantity(text, unit):
                return self.words(text, unit)
            # Predicates
            case nodes.Comparison():
                return self._comparison(node)
            case nodes.InRange(attribute, low, high):
                head = self.words(attribute, "in")
                return [head, GAP, self._range(low, high)]
            case nodes.InSet(attribute, values):
                return [self.words(attribute, "in"), GAP, self.bracketed("{", values, "}")]
            case nodes.DrawnFromSet(attribute, choices):
                head = self.words(attribute, "=", "each")
                return [head, GAP, self.bracketed("{", choices, "}")]
            case nodes.DrawnFromRange(attribute, low, high):
                head = self.words(attribute, "=", "each")
                return [head, GAP, self._range(low, high)]
            case nodes.Choice(value, weight):
                head = self.of(value)
                return head if weight is None else [head, self.take(":"), GAP, self.of(weight)]
            case nodes.Reference(name):
                return self.of(name)
            case nodes.Call(name, arguments):
                return [self.of(name), self.bracketed("(", arguments, ")")]
            case nodes.Parenthesis(inner):
                return self.bracketed("(", [inner], ")")
            case nodes.Tuned(term, settings):
                return self._tuned(self.of(term), settings)
            case nodes.Not(term):
                return self.words("not", term)
            case nodes.And() | nodes.Or() | nodes.Xor() | nodes.Implies():
                return self._joined(_JOINTS[type(node)], node.terms)
            # Clauses
            case nodes.Setting(keyword, value, form) | nodes.ValueClause(keyword, value, form):
                return [self.take(keyword), GAP, self._formed(form, value)]
            case nodes.PredicateClause(keyword, predicate):
                return [self.take(keyword), " ", Nest(_INDENT, self.of(predicate))]
            case nodes.TempClause(setting):
                return self.of(setting)
            case nodes.WordClause(keyword, word, argument):
                return [self.take(keyword), GAP, self._formed(word, argument)]
            case nodes.FromClause(name) | nodes.AsClause(name):
                return self.words(node.keyword, name)
            case nodes.VerifiedClause(tries):
                head = self.take("verified")
                return head if tries is None else [head, self.bracketed("(", [tries], ")")]
            case nodes.FlagClause(keyword):
                return self.take(keyword)
            case nodes.KeepClause(word, strength):
                head = self.words("keep", word)
                return head if strength is None else [head, GAP, self.of(strength)]
            case nodes.WithClause(sampler, options):
                head = self.words("with", sampler)
                following = self._next()
                called = options or (following is not None and following.text == "(")
                return [head, self.bracketed("(", options, ")") if called else ""]
            case nodes.Option(name, value):
                return [self.of(name), self.take("="), SOFT, self.of(value)]
            case nodes.LayersClause(layers, word):
                return [self.take("layers"), GAP, self.of(word) if word else self.listed(layers)]
            case nodes.LoopRange(first, last):
                return self._range(first, last)
            case nodes.Layer(first, last):
                return self.of(first) if last is None else self._range(first, last)
            # Models
            case nodes.Model(name, items):
                return [self.words("model", name), " ", self._items(items)]
            case nodes.Generator(architecture, source, sha256):
                return Group(
                    [
                        self.words("generator", architecture),
                        Nest(_INDENT, [GAP, self.words("from", source)]) if source else "",
                        Nest(_INDENT, [Line(), self.words("sha256", sha256)]) if sha256 else "",
                    ]
                )
            case nodes.Classifiers(file, space):
                head = self.words("classifiers", file)
                return [head, Nest(_INDENT, [GAP, self.words("on", space)]) if space else ""]
            case nodes.WordKind(word):
                return self.of(word)
            case nodes.ChoiceKind(word, values):
                return [self.words(word, "of"), GAP, self.listed(values)]
            case nodes.RangeKind(low, high):
                return self._range(low, high)
            case nodes.Point(name, value):
                return self.words(name, "=", value)
            # Statements
            case nodes.Import(target):
                return self.words("import", target)
            case nodes.Let(name, value):
                return [self.words("let", name, "="), " ", Nest(_INDENT, self.of(value))]
            case nodes.Def(name, parameters, body):
                named = [self.words("def", name), self.take("("), self.listed(parameters)]
                equals: list[Doc] = [self.take(")"), " ", self.take("="), " "]
                return [*named, *equals, Nest(_INDENT, self.of(body))]
            case nodes.Sample(count, clauses):
                return Group(*self.apart(self.head("sample", count), clauses))
            case nodes.Measure(what, clauses):
                return Group(*self.apart(self.head("measure", what), clauses))
            case nodes.Expect(what, share, group):
                head = [self.head("expect", what), GAP, self.words("in", share), self.take("%")]
                return [head, Nest(_INDENT, [GAP, self.words("of", group)])]
            case nodes.Photo(file, clauses):
                return Group(*self.apart(self.words("photo", file), clauses))
            case nodes.Edit(group, steps, clauses):
                head = [self.words("edit", group), " ", self._block(steps, inline=True)]
                return [head, Group(*self.apart("", clauses))]
            case nodes.Pick(indices, group, clauses):
                head = [self.words("pick"), " ", self.listed(indices), GAP, self.words("of", group)]
                return Group(*self.apart(head, clauses))
            case nodes.Step(predicate, layers):
                step = self._step(predicate)
                return [step, GAP, self.words("in", layers)] if layers else step
            case nodes.For(variable, values, body):
                head = [self.words("for", variable, "in"), GAP, self.listed(values)]
                return [head, " ", self._block(body)]
        raise TypeError(f"no layout for {type(node).__name__}")

    # Predicates

    def _comparison(self, node: nodes.Comparison, spaced: bool = False) -> Doc:
        gap = GAP if spaced or node.operator != "=" else SOFT
        attribute, operator = self.of(node.attribute), self.take(node.operator)
        return [attribute, gap, operator, gap, self.of(node.value)]

    def _range(self, low: nodes.Node, high: nodes.Node) -> Doc:
        return [self.of(low), self.take(".."), SOFT, self.of(high)]

    def _tuned(self, term: Doc, settings: Sequence[nodes.Setting]) -> Doc:
        return [term, GAP, self.take("["), self.listed(settings), self.take("]")]

    def _formed(self, word: nodes.Word | None, value: nodes.Node | None) -> Doc:
        """`0.3`, `complement`, `logit(2)`."""
        if word is None or value is None:
            return self.words(word, value)
        return [self.of(word), self.take("("), self.of(value), self.take(")")]

    def _joined(self, joint: str, terms: Sequence[nodes.Node]) -> Doc:
        docs: list[Doc] = [Nest(_INDENT, self.of(terms[0]))]
        for term in terms[1:]:
            docs += [Line(), self.take(joint), " ", Nest(_INDENT, self.of(term))]
        return Group(docs)

    def _step(self, node: nodes.Predicate) -> Doc:
        """One comparison, spaced as in tables, or a condition as elsewhere."""
        match node:
            case nodes.Comparison():
                return self._comparison(node, spaced=True)
            case nodes.Tuned(nodes.Comparison() as term, settings):
                return self._tuned(self._comparison(term, spaced=True), settings)
        return Nest(_INDENT, self.of(node))

    # Clauses

    def head(self, keyword: str, what: nodes.Node | None) -> Doc:
        """Return what a statement begins with."""
        first = self.take(keyword)
        return first if what is None else [first, " ", Nest(_INDENT, self.of(what))]

    def apart(self, head: Doc, clauses: Sequence[nodes.Clause]) -> tuple[list[Doc], bool]:
        """Return the head, with the model if that comes first, and lines for the other clauses.

        Also whether one of them begins a line in the source.
        """
        if head and clauses and isinstance(clauses[0], nodes.FromClause):
            head = [head, Nest(_INDENT, [GAP, self.of(clauses[0])])]
            clauses = clauses[1:]
        docs: list[Doc] = [head]
        broken = False
        for clause in clauses:
            first = self._next()
            broken |= first is not None and first.breaks
            docs.append(Nest(_INDENT, [Line(), self.of(clause)]))
        return docs, broken

    # Blocks

    def _lines(self, parts: Sequence[nodes.Node], between: str | None = None) -> list[Doc]:
        return [doc for part in parts for doc in (Line(between, self._next()), self.of(part))]

    def _open(self) -> FormattedToken:
        opening = self.take("{")
        opening.opens = True
        return opening

    def _block(self, parts: Sequence[nodes.Node], inline: bool = False) -> Doc:
        """What stands in braces, each part on its own line; `inline`: or all on one if they fit."""
        opening, first = self._open(), self._next()
        docs = self._lines(parts, " " if inline else None)
        return self._closed(opening, docs, inline and first is not None and first.breaks)

    def _closed(self, opening: FormattedToken, docs: Sequence[Doc], broken: bool = False) -> Doc:
        closing = self.take("}")
        if not docs and not closing.above:
            return [opening, closing]
        # Comments above the brace belong to what is inside.
        inside = [*docs, Above(closing.above)] if closing.above else docs
        closing.above = []
        return Group([opening, Nest(_INDENT, inside), Line(), closing], broken)

    # Models

    def _items(self, items: Sequence[nodes.Node]) -> Doc:
        """The items of a model; the attributes without comments make a table."""
        opening = self._open()
        lines: list[Doc] = []
        rows: list[list[Doc]] = []
        for item in items:
            lines.append(Line(None, self._next()))
            if isinstance(item, nodes.Attribute):
                rows.append([])
                lines.append(rows[-1])
                rows[-1] += self._row(item)
            else:
                lines.append(self.of(item))
        _align(rows)
        return self._closed(opening, lines)

    def _row(self, item: nodes.Attribute) -> list[Doc]:
        """Return an attribute's name, colon, kind, layers and points; the last two may be empty."""
        row = [self.words("attribute", item.name), self.take(":"), self.of(item.kind), "", ""]
        if item.layers:
            row[3] = [self.take("layers"), GAP, self.listed(item.layers)]
        if item.points:
            braces = self.take("{"), self.listed(item.points), self.take("}")
            row[4] = [braces[0], " ", Nest(_INDENT, braces[1]), " ", braces[2]]
        return row


def _align(rows: Sequence[list[Doc]]) -> None:
    """Put spaces between the columns of a table of attributes."""
    texts = [list(map(flat, row)) for row in rows]
    names = max((len(name) for name, *_ in texts), default=0)
    kinds = max((len(kind) for _, _, kind, *rest in texts if any(rest)), default=0)
    layers = max((len(where) for *_, where, points in texts if where and points), default=0)
    for row, (name, _, kind, where, points) in zip(rows, texts, strict=True):
        row.insert(1, " " * (names - len(name) + 1))
        row.insert(3, " ")
        pads = [" " * (kinds - len(kind) + 2), " " * (layers - len(where) + 2 * bool(layers))]
        if where:
            row[5] = Group(Nest(_INDENT, [Line(pads[0]), row[5]]))
        if points:
            pad = " " * (max(layers - len(where), 0) + 2) if where else "".join(pads)
            row[6] = Group(Nest(_INDENT, [Line(pad), row[6]]))
