"""From text to tree, with every mistake of a file in one pass.

Lark's LALR automaton is fed token by token. Where it refuses one, `hints` says why in
a reader's words and, where the meaning is plain, how to mend it; then the token is fed again.
Otherwise the automaton goes back to the last place where a statement or a clause could begin and
the text is skipped up to the next one that can begin there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from lark import Token
from lark.parsers.lalr_analysis import Shift

from lacelang.errors import MOST_SHOWN, Diagnostic, ProgramError, Span, with_end
from lacelang.syntax import nodes
from lacelang.syntax.grammar import CLAUSES, CLOSER, CLOSERS, ITEMS, STATEMENTS, loaded
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.tokens import Tokens, tokenize
from lacelang.system.sources import MOST, REMEDY, TOO_LONG
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.syntax.parse_error import ParseError, Repair

_RESUME = STATEMENTS | CLAUSES | ITEMS | {"RBRACE"}
_SHALLOW = 32  # states of a stack that is worth remembering


@frozen
class Parsed:
    """What could be read of a text: all its statements if there are no problems."""

    program: nodes.Program
    problems: tuple[Diagnostic, ...]  # in the order of the text
    tokens: Tokens
    error_spans: tuple[Span, ...] = ()  # where what was read may not be what was meant


def parse(source: str, path: str | None = None) -> nodes.Program:
    """Return the tree of `source`; `path` is named in diagnostics.

    Raises:
        ProgramError: with every syntax error of the text.
    """
    parsed = read(source, path)
    if parsed.problems:
        raise ProgramError(with_end(parsed.problems))
    return parsed.program


def read(source: str, path: str | None = None) -> Parsed:
    """Read as much of `source` as makes sense; never raises."""
    too_long = len(source) > MOST
    taken = tokenize("" if too_long else source)
    program, problems = read_tokens(taken)
    if too_long:
        message = f"this text {TOO_LONG}, and no program is"
        problem = Diagnostic("LACE014", message, Span(1, 1, 1, 2), REMEDY, path=path)
        return Parsed(program, (problem,), taken)
    found = lost = taken.problems + problems
    if found:
        # Programs without mistakes need not load what is said of mistakes.
        from lacelang.syntax.notations.search import reread

        again = reread(
            with_line_feeds(source), program, read_tokens, (problem.span for problem in found)
        )
        if again is not None:
            program, found, lost = again
    found = sorted(found, key=lambda p: (p.span.line, p.span.column))
    located = tuple(evolve(problem, path=path, source=source) for problem in found)
    return Parsed(program, located, taken, tuple(problem.span for problem in lost))


def read_tokens(taken: Tokens) -> tuple[nodes.Program, list[Diagnostic]]:
    """Return what tokens say, and what is wrong with them; some are replaced by what was meant."""
    reader = _Reader(taken)
    reader.advance()
    return reader.finish(), reader.problems


@frozen
class Outlook:
    """What may follow a text that is still being written."""

    tokens: tuple[Token, ...]
    expected: frozenset[str]  # the terminals that may come next
    complete: bool  # nothing is missing: it is a program as it stands, or wrong already


def outlook(source: str) -> Outlook:
    """Say how `source` may go on; never raises."""
    taken = tokenize(source)
    reader = _Reader(taken)
    reader.advance()
    expected = reader.expected()
    wrong = bool(taken.problems or reader.problems)
    return Outlook(tuple(taken.tokens), expected, wrong or "$END" in expected)


class _Reader:
    """The automaton, and what is needed to go back."""

    def __init__(self, taken: Tokens) -> None:
        self.tokens = taken.tokens
        self.complete = taken.complete
        self.gaps = taken.gaps
        self.problems: list[Diagnostic] = []
        self.state = loaded().parse_interactive().parser_state
        self.states = self.state.parse_conf.states
        # Heights of the state stack at which a statement, a clause or an item may begin.
        self.bases = [1]
        # Brackets not yet closed, each with the height of the stack below it.
        self.opened: list[tuple[Token, int]] = []
        self.unmatched = 0  # `{` that were skipped or given up, whose `}` is still to come
        self.begun: Token | None = None  # the keyword that began the statement
        self.known: dict[tuple[Any, ...], bool] = {}  # by kind and shallow stack, whether it fits

    def advance(self, i: int = 0) -> None:
        """Read all tokens from the i-th on."""
        while i < len(self.tokens):
            token = self.tokens[i]
            if self._feed(token):
                i += 1
            elif token.type == "RBRACE" and self.unmatched and not self._closes_open_brace():
                self.unmatched -= 1
                i += 1
            elif len(self.problems) >= MOST_SHOWN:
                break
            elif not self._mend(self._explain(i), i):
                i = self._skip(i)

    def finish(self) -> nodes.Program:
        """End the program."""
        end = _at_end(self.tokens)
        mended = False
        while not self.accepts([end.type]):
            i = len(self.tokens)
            if self.complete and not mended and len(self.problems) < MOST_SHOWN:
                mended = True
                if self._mend(self._explain(i), i):
                    self.advance(i)
                    continue
            self._go_back(end)
        program = self.state.feed_token(end, True)
        assert isinstance(program, nodes.Program)
        return program

    # Feeding

    def _feed(self, token: Token) -> bool:
        """Feed a token and return True, or leave everything as it is if it does not fit."""
        kind = token.type
        stack = self.state.state_stack
        # A token may be refused only after reductions that it set off: those must not be made.
        action = self.states[stack[-1]].get(kind)
        if action is None or (action[0] is not Shift and not self._fits(kind)):
            return False
        self.state.feed_token(token)
        if kind in _RESUME and kind != "RBRACE":
            self._remember(len(stack) - 1)
            if kind not in CLAUSES:
                self.begun = token
        if kind in CLOSER:
            self.opened.append((token, len(stack) - 1))
            if kind == "LBRACE":
                self._remember(len(stack))
        elif kind in CLOSERS and self.opened:
            self.opened.pop()
        return True

    def _fits(self, kind: str) -> bool:
        """Whether a token of this kind could come next; programs repeat themselves."""
        stack = self.state.state_stack
        if len(stack) > _SHALLOW:
            return self.accepts([kind])
        known = self.known.get(key := (kind, *stack))
        if known is None:
            known = self.known[key] = self.accepts([kind])
        return known

    def _remember(self, height: int) -> None:
        while self.bases[-1] > height:
            self.bases.pop()
        if self.bases[-1] != height:
            self.bases.append(height)

    def accepts(self, kinds: Sequence[str], height: int | None = None) -> bool:
        """Whether tokens of these kinds could come next, from the stack cut to `height`."""
        stack = list(self.state.state_stack[:height])
        for kind in kinds:
            while True:
                action = self.states[stack[-1]].get(kind)
                if action is None:
                    return False
                if action[0] is Shift:
                    stack.append(action[1])
                    break
                rule = action[1]
                if rule.expansion:
                    del stack[-len(rule.expansion) :]
                goto = self.states[stack[-1]][rule.origin.name][1]
                stack.append(goto)
                if kind == "$END" and goto == self.state.parse_conf.end_state:
                    break
        return True

    def expected(self) -> frozenset[str]:
        """Return the terminals that may come next."""
        table = self.states[self.state.state_stack[-1]]
        return frozenset(kind for kind in table if kind.isupper() and self.accepts([kind]))

    # Explaining and mending

    def _explain(self, i: int) -> Repair:
        # Programs without mistakes need not load what is said of mistakes.
        from lacelang.syntax.hints import explain
        from lacelang.syntax.parse_error import ParseError

        error = ParseError(
            token=self._at(i),
            tokens=self.tokens,
            index=i,
            expected=self.expected(),
            opened=tuple(token for token, _ in self.opened),
            statement=self.begun,
            accepts=self.accepts,
        )
        said = explain(error)
        if not self._behind_a_gap(error):
            self.problems.append(said.diagnostic)
        return said

    def _at(self, i: int) -> Token:
        return self.tokens[i] if i < len(self.tokens) else _at_end(self.tokens)

    def _behind_a_gap(self, error: ParseError) -> bool:
        """Whether something was left out right before the token, which explains the error."""
        after = (error.before.end_pos or 0) if error.before is not None else 0
        at = bisect_left(self.gaps, after)
        return at < len(self.gaps) and self.gaps[at] <= (error.token.start_pos or 0)

    def _mend(self, said: Repair, i: int) -> bool:
        """Do what is proposed, if the automaton agrees; say whether it was done.

        Every mending takes a refused token away or has it accepted, so that there is an end.
        """
        instead = said.tokens
        if instead is None or not self.accepts([token.type for token in instead]):
            return False
        at = self._at(i)
        self.tokens[i : i + said.count] = [
            Token.new_borrow_pos(token.type, token, at) for token in instead
        ]
        return True

    def _skip(self, i: int) -> int:
        """Skip to the next token that can begin something; return its index."""
        depth = 0
        while i < len(self.tokens):
            kind = self.tokens[i].type
            if kind == "LBRACE":
                depth += 1
            elif kind == "RBRACE" and depth:
                depth -= 1
            elif kind in _RESUME and self._go_back(self.tokens[i]):
                break
            i += 1
        else:
            self._go_back(_at_end(self.tokens))
        self.unmatched += depth
        return i

    def _closes_open_brace(self) -> bool:
        return any(token.type == "LBRACE" for token, _ in self.opened)

    def _go_back(self, token: Token) -> bool:
        """Cut the stack to the last place where `token` could begin something."""
        stack = self.state.state_stack
        for base in (len(stack), *reversed(self.bases)):
            if base <= len(stack) and self.accepts([token.type], base):
                del stack[base:]
                del self.state.value_stack[base - 1 :]
                while self.bases[-1] > base:
                    self.bases.pop()
                while self.opened and self.opened[-1][1] >= base:
                    if self.opened.pop()[0].type == "LBRACE":
                        self.unmatched += 1
                return True
        return False


def _at_end(tokens: list[Token]) -> Token:
    if not tokens:
        return Token("$END", "", 0, 1, 1, 1, 1, 0)
    last = tokens[-1]
    line, column = last.end_line, last.end_column
    return Token("$END", "", last.end_pos, line, column, line, (column or 1) + 1, last.end_pos)


def names_defined(tokens: Sequence[Token]) -> frozenset[str]:
    """Return every name that a text seems to define, its broken statements included."""
    names = set()
    for before, token in pairwise(tokens):
        if before.type in ("LET", "DEF", "MODEL", "AS", "FOR", "IMPORT"):
            names.add(nfc(str(token).strip('"')))
    return frozenset(names)
