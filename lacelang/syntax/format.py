"""The one layout of programs.

Only white space changes, and the spelling of names, which are written in NFC: the tokens and the
comments of a program stay what they are and where they are, so that formatting can neither change
its meaning nor lose a word. Two choices are the author's: whether a statement stands on one line
(as long as it fits) or each clause on its own, and where a blank line parts two statements.
"""

from __future__ import annotations

from collections.abc import Callable

from lacelang.errors import ProgramError
from lacelang.syntax.formatted_tokens import (
    INDENT,
    WIDTH,
    Piece,
    Writer,
    commented,
    flat,
    gap,
    pieces_of,
)
from lacelang.syntax.grammar import CLAUSES, ITEMS, STATEMENTS
from lacelang.syntax.layout import (
    LOOSEST_FIRST,
    Pieces,
    attribute_parts,
    clings,
    closing_of,
    composed,
    index_of,
    points_text,
    split,
    split_at,
    split_steps,
)
from lacelang.syntax.parser import read

_PASSES = 6


def format_source(source: str, path: str | None = None) -> str:
    """Return `source` in the one layout; formatting the result again changes nothing.

    Args:
        source: the program.
        path: named in complaints.

    Raises:
        ProgramError: the program has syntax errors; it is left alone.
    """
    text = source.removeprefix("\ufeff")
    for _ in range(_PASSES):
        # A comment that had to leave its line may make room for something else there.
        before, text = text, _format_once(text, path)
        if text == before:
            break
    return text


def _format_once(source: str, path: str | None) -> str:
    parsed = read(source, path)
    if parsed.problems:
        raise ProgramError(parsed.problems)
    pieces, rest = pieces_of(parsed.tokens.tokens, parsed.tokens.comments)
    layout = _Layout()
    layout.statements(pieces, 0)
    return layout.writer.finish(rest)


class _Layout:
    def __init__(self) -> None:
        self.writer = Writer()

    # Statements

    def statements(self, pieces: Pieces, indent: int) -> None:
        for statement in split(pieces, STATEMENTS):
            self._begin(statement[0], indent)
            kind = statement[0].kind
            if kind == "MODEL":
                self._block(statement, indent, self._items)
            elif kind == "FOR":
                self._block(statement, indent, self.statements)
            elif kind == "EDIT":
                self._edit(statement, indent)
            elif kind in ("LET", "DEF"):
                self._definition(statement, indent)
            else:
                self._clauses(statement, indent)
            self.writer.newline(indent)

    def _begin(self, first: Piece, indent: int) -> None:
        self.writer.newline(indent)
        if first.parted:
            self.writer.blank()

    def _block(self, pieces: Pieces, indent: int, inside: Callable[[Pieces, int], None]) -> None:
        """A head, a `{`, what is inside on lines of its own, and a `}`."""
        start = index_of(pieces, "LBRACE")
        self._listed(pieces[: start + 1], indent)
        body = pieces[start + 1 : -1]
        self.writer.opened = True
        inside(body, indent + INDENT)
        self._close(pieces[-1], indent, bool(body))

    def _close(self, brace: Piece, indent: int, filled: bool) -> None:
        writer = self.writer
        if brace.above or writer.behind is not None or filled:
            # Comments above the brace belong to what is inside.
            writer.newline(indent + INDENT)
            for comment in brace.above:
                if comment.blank:
                    writer.blank()
                writer.lines.append(" " * writer.indent + comment.text)
                writer.opened = False
            writer.newline(indent)
        writer.put(Piece(brace.kind, brace.text, [], brace.behind), "")

    def _edit(self, pieces: Pieces, indent: int) -> None:
        start, end = index_of(pieces, "LBRACE"), closing_of(pieces, index_of(pieces, "LBRACE"))
        body, brace, clauses = pieces[start + 1 : end], pieces[end], pieces[end + 1 :]
        steps = list(split_steps(body))
        inline = body and not body[0].breaks and not commented(pieces[: end + 1])
        if inline and len(flat(pieces[:end], True)) + 4 + indent <= WIDTH:
            self._run(pieces[: start + 1], "", True)
            for step in steps:
                self._run(step, " ", not composed(step))
            self.writer.put(brace)
        else:
            self._run(pieces[: start + 1], "", True)
            self.writer.opened = True
            for step in steps:
                self._begin(step[0], indent + INDENT)
                if composed(step):
                    self._predicate(step, indent + 2 * INDENT)
                else:
                    self._run(step, "", True)
            self._close(brace, indent, bool(body))
        self._tail(clauses, indent, any(p.breaks for p in clauses if p.kind in CLAUSES))

    def _definition(self, pieces: Pieces, indent: int) -> None:
        """`let name = predicate`, `def name(a, b) = predicate`."""
        equals = index_of(pieces, "EQUAL")
        self._run(pieces[: equals + 1], "", True)
        self._predicate(pieces[equals + 1 :], indent + INDENT)

    def _clauses(self, pieces: Pieces, indent: int) -> None:
        """A statement that is a head followed by clauses."""
        parts = list(split(pieces, CLAUSES))
        first = 2 if len(parts) > 1 and parts[1][0].kind == "FROM" else 1
        head = [piece for part in parts[:first] for piece in part]
        tail = [piece for part in parts[first:] for piece in part]
        apart = any(part[0].breaks for part in parts[first:])
        room = WIDTH - indent - (0 if apart else len(flat(tail)) + 1)
        if not apart and (commented(pieces) or len(flat(head)) > room):
            apart = True
        self._run(head[:1], "")
        self._predicate(head[1:], indent + INDENT)
        self._tail(tail, indent, apart)

    def _tail(self, clauses: Pieces, indent: int, apart: bool) -> None:
        """The clauses, on this line if they fit or each on its own."""
        if not clauses:
            return
        room = WIDTH - self.writer.column - 1
        if not apart and not commented(clauses) and len(flat(clauses)) <= room:
            self._run(clauses, " ")
            return
        for clause in split(clauses, CLAUSES):
            self.writer.newline(indent + INDENT)
            self._run(clause[:1], "")
            self._predicate(clause[1:], indent + 2 * INDENT)

    # Models

    def _items(self, pieces: Pieces, indent: int) -> None:
        items = list(split(pieces, ITEMS))
        parts = [attribute_parts(item) for item in items if item[0].kind == "ATTRIBUTE"]
        names = max((len(p[0][1].text) for p in parts), default=0)
        kinds = max((len(flat(p[1])) for p in parts if p[2] or p[3]), default=0)
        layers = max((len(flat(p[2])) for p in parts if p[2] and p[3]), default=0)
        for item in items:
            self._begin(item[0], indent)
            if item[0].kind == "ATTRIBUTE" and not commented(item):
                self._attribute(item, indent, names, kinds, layers)
            else:
                self._item(item, indent)

    def _item(self, item: Pieces, indent: int) -> None:
        if len(flat(item)) + indent > WIDTH:
            for part in split(item, frozenset({"SHA256", "LAYERS", "LBRACE"})):
                if not self.writer.fresh:
                    self.writer.newline(indent + INDENT)
                self._listed(part, indent + 2 * INDENT)
        else:
            self._listed(item, indent + INDENT)

    def _attribute(self, item: Pieces, indent: int, names: int, kinds: int, layers: int) -> None:
        """One line of the table that the attributes of a model make."""
        head, kind, where, points = attribute_parts(item)
        self._run(head[:2], "")
        self.writer.put(head[2], " " * (names - len(head[1].text) + 1))
        self._listed(kind, indent + INDENT)
        for part, width, before in ((where, kinds, kind), (points, layers, where)):
            if not part:
                continue
            space = " " * (max(width - len(flat(before)), 0) + 2)
            if part is points and not where:
                space = " " * (max(kinds - len(flat(kind)), 0) + 2 + (layers + 2 if layers else 0))
            if self.writer.column + len(space) + len(points_text(part)) > WIDTH:
                self.writer.newline(indent + INDENT)
            if part is points:
                self._braced(part, space)
            else:
                self._run(part, space)

    def _braced(self, points: Pieces, space: str) -> None:
        """`{ left = -25, front = 0 }`, broken behind commas if it is too long."""
        self.writer.put(points[0], space)
        inner = self.writer.column + 1
        for i, piece in enumerate(points[1:-1]):
            if i and points[i].kind == "COMMA":
                until = next(
                    (j for j in range(i + 1, len(points)) if points[j].kind == "COMMA"), -1
                )
                if self.writer.column + len(flat(points[i + 1 : until], True)) + 3 > WIDTH:
                    self.writer.newline(inner)
            self.writer.put(piece, gap(points[i], piece, True))
        self.writer.put(points[-1], " ")

    # Predicates

    def _predicate(self, pieces: Pieces, indent: int) -> None:
        """What follows on the line; broken before its loosest operators if it is too long."""
        if not pieces:
            return
        space = "" if self.writer.fresh else " "
        self._broken(pieces, indent, space, 0)

    def _broken(self, pieces: Pieces, indent: int, space: str, after: int) -> None:
        """Set `pieces`, leaving `after` columns free behind them."""
        writer = self.writer
        if (
            not commented(pieces)
            and writer.column + len(space) + len(flat(pieces)) + after <= WIDTH
        ):
            self._run(pieces, space)
            return
        for operator in LOOSEST_FIRST:
            terms = split_at(pieces, operator)
            if len(terms) > 1:
                for i, term in enumerate(terms):
                    if i:
                        writer.newline(indent)
                    if i or not writer.fresh:
                        writer.indent = indent
                    joint = term[:1] if i else []
                    self._run(joint, "")
                    rest = term[len(joint) :]
                    deeper = indent + INDENT
                    self._broken(
                        rest, deeper, " " if i else space, after if i == len(terms) - 1 else 0
                    )
                return
        brackets = (i for i, p in enumerate(pieces) if p.kind in ("LPAR", "LBRACE", "LSQB"))
        start = next(brackets, None)
        if (
            start is None
            or pieces[start].kind == "LSQB"
            or (end := closing_of(pieces, start)) == start + 1
        ):
            self._listed(pieces, indent, space)
        elif writer.column + len(space) + len(flat(pieces[: start + 1])) > WIDTH:
            # So many a `not` before the bracket that they fill a line by themselves.
            self._listed(pieces[:start], indent, space)
            space = gap(pieces[start - 1], pieces[start])
            self._bracketed(pieces[start:], 0, end - start, indent, space, after)
        else:
            self._bracketed(pieces, start, end, indent, space, after)

    def _bracketed(
        self, pieces: Pieces, start: int, end: int, indent: int, space: str, after: int
    ) -> None:
        """`not (`, what is inside on its own lines, and `)` with what follows."""
        self._run(pieces[: start + 1], space)
        inside = pieces[start + 1 : end]
        lists = list(split_at(inside, "COMMA"))
        for part in lists:
            comma = part[:1] if part is not lists[0] else []
            for piece in comma:
                self.writer.put(piece, "")
            self.writer.newline(indent)
            self._broken(part[len(comma) :], indent + INDENT, "", 1)
        self.writer.newline(max(indent - INDENT, 0))
        self.writer.put(pieces[end], "")
        self._rest(pieces[end + 1 :], indent, after)

    def _rest(self, pieces: Pieces, indent: int, after: int) -> None:
        if pieces:
            self._broken(pieces, indent, " ", after)

    # Runs

    def _run(self, pieces: Pieces, space: str, spaced_equals: bool = False) -> None:
        """Set pieces on one line, as far as comments let them."""
        braces = 0
        for i, piece in enumerate(pieces):
            if i:
                before = pieces[i - 1]
                hugged = before.kind == "LBRACE" or (piece.kind == "RBRACE" and braces)
                space = "" if hugged else gap(before, piece, spaced_equals)
            braces += {"LBRACE": 1, "RBRACE": -1}.get(piece.kind, 0)
            self.writer.put(piece, space, keep_blank=i == 0)

    def _listed(self, pieces: Pieces, indent: int, space: str | None = None) -> None:
        """Set pieces on as few lines as hold them, broken between any two tokens."""
        if space is None:
            space = "" if self.writer.fresh else " "
        for i, piece in enumerate(pieces):
            if i:
                space = gap(pieces[i - 1], piece)
                if pieces[i - 1].kind == "LBRACE":
                    space = ""
            beyond = len(pieces[i + 1].text) if i + 1 < len(pieces) and clings(pieces[i + 1]) else 0
            if (
                not self.writer.fresh
                and self.writer.column + len(space) + len(piece.text) + beyond > WIDTH
            ):
                self.writer.newline(indent)
            self.writer.indent = self.writer.indent if self.writer.fresh else indent
            self.writer.put(piece, space, keep_blank=i == 0)
