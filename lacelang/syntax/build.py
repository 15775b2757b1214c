"""From the parser's reductions to nodes: one method for each rule of `grammars/lace.lark`.

Lark calls these while it parses, bottom-up, so that no intermediate tree is made and no depth of
nesting can exhaust the stack. Each receives the children of its rule, tokens included.
"""

from __future__ import annotations

from typing import Any

from lark import Token

from lacelang.errors import Span
from lacelang.syntax import nodes

Children = list[Any]


def span_of(item: Token | nodes.Node) -> Span:
    """Return where a token or a node stands."""
    if isinstance(item, Token):
        return Span(item.line or 1, item.column or 1, item.end_line or 1, item.end_column or 1)
    return item.span


def between(first: Token | nodes.Node, last: Token | nodes.Node) -> Span:
    """Return the stretch from the start of `first` to the end of `last`."""
    start, end = span_of(first), span_of(last)
    return Span(start.line, start.column, end.end_line, end.end_column)


def _word(token: Token) -> nodes.Word:
    return nodes.Word(str(token), span=span_of(token))


def _name(token: Token) -> nodes.Word | nodes.Text:
    if token.type == "STRING":
        return nodes.Text(str(token)[1:-1], span=span_of(token))
    return _word(token)


def _value(item: Any) -> Any:
    """Turn a bare token in the place of a value to a node; nodes stay."""
    return _name(item) if isinstance(item, Token) else item


def _quantity(token: Token) -> nodes.Quantity:
    return nodes.Quantity(str(token), span=span_of(token))


def _words(children: Children) -> tuple[nodes.Word, ...]:
    return tuple(_word(c) for c in children if c is not None and c.type == "NAME")


def _kept(children: Children) -> tuple[Any, ...]:
    """Return the nodes among the children, without tokens and gaps."""
    return tuple(c for c in children if isinstance(c, nodes.Node))


def _last(children: Children) -> Any:
    """Return the last child that stands for text, going into lists of them."""
    for child in reversed(children):
        if isinstance(child, list):
            if child:
                return child[-1]
        elif child is not None:
            return child
    raise AssertionError("a rule without text")


def _whole(children: Children) -> Span:
    return between(children[0], _last(children))


class Builder:
    """The callbacks, by name of rule or alias."""

    def start(self, c: Children) -> nodes.Program:
        """statement*"""
        span = _whole(c) if c else Span(1, 1, 1, 1)
        return nodes.Program(tuple(c), span=span)

    # Models

    def model(self, c: Children) -> nodes.Model:
        """model NAME { item* }"""
        return nodes.Model(_word(c[1]), _kept(c[3:]), span=_whole(c))

    def generator(self, c: Children) -> nodes.Generator:
        """generator NAME [from STRING] [sha256 STRING]"""
        source, digest = (_name(t) if t is not None else None for t in (c[3], c[5]))
        return nodes.Generator(_word(c[1]), source, digest, span=_whole(c))  # type: ignore[arg-type]

    def classifiers(self, c: Children) -> nodes.Classifiers:
        """classifiers STRING [on NAME]"""
        space = _word(c[3]) if c[3] is not None else None
        return nodes.Classifiers(_name(c[1]), space, span=_whole(c))  # type: ignore[arg-type]

    def attribute(self, c: Children) -> nodes.Attribute:
        """attribute NAME : kind [layers] [points]"""
        layers, points = _kept(c[4] or []), _kept(c[5] or [])
        return nodes.Attribute(_word(c[1]), c[3], layers, points, span=_whole(c))

    def word_kind(self, c: Children) -> nodes.WordKind:
        """NAME"""
        return nodes.WordKind(_word(c[0]), span=span_of(c[0]))

    def choice_kind(self, c: Children) -> nodes.ChoiceKind:
        """NAME of NAME (, NAME)*"""
        return nodes.ChoiceKind(_word(c[0]), _words(c[2:]), span=_whole(c))

    def range_kind(self, c: Children) -> nodes.RangeKind:
        """quantity .. quantity"""
        return nodes.RangeKind(c[0], c[2], span=_whole(c))

    def layers(self, c: Children) -> Children:
        """layers layer (, layer)*"""
        return c

    def layer(self, c: Children) -> nodes.Layer:
        """NUMBER [.. NUMBER]"""
        last = _quantity(c[2]) if c[2] is not None else None
        return nodes.Layer(_quantity(c[0]), last, span=_whole(c))

    def points(self, c: Children) -> Children:
        """{ point (, point)* }"""
        return c

    def point(self, c: Children) -> nodes.Point:
        """NAME = quantity"""
        return nodes.Point(_word(c[0]), c[2], span=_whole(c))

    # Names

    def import_(self, c: Children) -> nodes.Import:
        """import (NAME | STRING)"""
        return nodes.Import(_name(c[1]), span=_whole(c))

    def let(self, c: Children) -> nodes.Let:
        """let NAME = (predicate | quantity)"""
        return nodes.Let(_word(c[1]), c[3], span=_whole(c))

    def def_(self, c: Children) -> nodes.Def:
        """def NAME ( [NAME (, NAME)*] ) = predicate"""
        return nodes.Def(_word(c[1]), _words(c[2:-2]), c[-1], span=_whole(c))

    # Statements

    def sample(self, c: Children) -> nodes.Sample:
        """sample [value] clause*"""
        return nodes.Sample(_value(c[1]), tuple(c[2:]), span=_whole(c))

    def edit(self, c: Children) -> nodes.Edit:
        """edit group { step* } clause*"""
        close = next(i for i, x in enumerate(c) if isinstance(x, Token) and x.type == "RBRACE")
        return nodes.Edit(c[1], tuple(c[3:close]), tuple(c[close + 1 :]), span=_whole(c))

    def for_(self, c: Children) -> nodes.For:
        """for NAME in value (, value)* { statement* }"""
        brace = next(i for i, x in enumerate(c) if isinstance(x, Token) and x.type == "LBRACE")
        values = tuple(_value(c[i]) for i in range(3, brace, 2))
        return nodes.For(_word(c[1]), values, tuple(c[brace + 1 : -1]), span=_whole(c))

    def measure(self, c: Children) -> nodes.Measure:
        """measure predicate clause*"""
        return nodes.Measure(c[1], tuple(c[2:]), span=_whole(c))

    def expect(self, c: Children) -> nodes.Expect:
        """expect predicate in NUMBER % of group"""
        share = nodes.Quantity(str(c[3]), span=between(c[3], c[4]))
        return nodes.Expect(c[1], share, c[6], span=_whole(c))

    def step(self, c: Children) -> nodes.Step:
        """predicate [in layers_clause]"""
        return nodes.Step(c[0], c[2], span=_whole(c))

    def group(self, c: Children) -> nodes.Word | nodes.Text:
        """NAME | STRING"""
        return _name(c[0])

    # Clauses

    def predicate_clause(self, c: Children) -> nodes.PredicateClause:
        """(where | given) predicate"""
        return nodes.PredicateClause(str(c[0]), c[1], span=_whole(c))

    def value_clause(self, c: Children) -> nodes.ValueClause:
        """(truncation | seed | stay | hold) value | hold NAME ( value )"""
        if len(c) == 2:
            return nodes.ValueClause(str(c[0]), _value(c[1]), span=_whole(c))
        return nodes.ValueClause(str(c[0]), _value(c[3]), _word(c[1]), span=_whole(c))

    def temp_clause(self, c: Children) -> nodes.TempClause:
        """temp"""
        return nodes.TempClause(c[0], span=c[0].span)

    def word_clause(self, c: Children) -> nodes.WordClause:
        """(negation | disjunction | sigma) NAME [( value )] | reweight (NAME | on)"""
        argument = _value(c[3]) if len(c) > 2 else None
        return nodes.WordClause(str(c[0]), _word(c[1]), argument, span=_whole(c))

    def layers_clause(self, c: Children) -> nodes.LayersClause:
        """layers (NAME | layer (, layer)*)"""
        word = _word(c[1]) if isinstance(c[1], Token) else None
        return nodes.LayersClause(_kept(c[1:]), word, span=_whole(c))

    def from_clause(self, c: Children) -> nodes.FromClause:
        """from NAME"""
        return nodes.FromClause(_word(c[1]), span=_whole(c))

    def as_clause(self, c: Children) -> nodes.AsClause:
        """as group"""
        return nodes.AsClause(c[1], span=_whole(c))

    def with_clause(self, c: Children) -> nodes.WithClause:
        """with NAME [( [option (, option)*] )]"""
        return nodes.WithClause(_word(c[1]), _kept(c[2:]), span=_whole(c))

    def option(self, c: Children) -> nodes.Option:
        """NAME = value"""
        return nodes.Option(_word(c[0]), _value(c[2]), span=_whole(c))

    def temp(self, c: Children) -> nodes.Setting:
        """temp value | temp NAME ( value )"""
        if len(c) == 2:
            return nodes.Setting("temp", _value(c[1]), span=_whole(c))
        return nodes.Setting("temp", _value(c[3]), _word(c[1]), span=_whole(c))

    # Predicates

    def implication(self, c: Children) -> nodes.Implies:
        """disjunction (implies disjunction)+"""
        return nodes.Implies(tuple(c), span=_whole(c))

    def disjunction(self, c: Children) -> nodes.Or:
        """exclusion (or exclusion)+"""
        return nodes.Or(tuple(c), span=_whole(c))

    def exclusion(self, c: Children) -> nodes.Xor:
        """conjunction (xor conjunction)+"""
        return nodes.Xor(tuple(c), span=_whole(c))

    def conjunction(self, c: Children) -> nodes.And:
        """unary (and unary)+"""
        return nodes.And(tuple(c), span=_whole(c))

    def negation(self, c: Children) -> nodes.Not:
        """not unary"""
        return nodes.Not(c[1], span=_whole(c))

    def tuned(self, c: Children) -> nodes.Tuned:
        """atom settings"""
        return nodes.Tuned(c[0], _kept(c[1]), span=_whole(c))

    def parenthesis(self, c: Children) -> nodes.Parenthesis:
        """( predicate )"""
        return nodes.Parenthesis(c[1], span=_whole(c))

    def reference(self, c: Children) -> nodes.Reference:
        """NAME"""
        return nodes.Reference(_word(c[0]), span=span_of(c[0]))

    def call(self, c: Children) -> nodes.Call:
        """NAME ( [argument (, argument)*] )"""
        return nodes.Call(_word(c[0]), _kept(c[1:]), span=_whole(c))

    def comparison(self, c: Children) -> nodes.Comparison:
        """NAME operator value"""
        return nodes.Comparison(_word(c[0]), str(c[1]), _value(c[2]), span=_whole(c))

    def range_comparison(self, c: Children) -> nodes.InRange:
        """NAME in value .. value"""
        return nodes.InRange(_word(c[0]), _value(c[2]), _value(c[4]), span=_whole(c))

    def set_comparison(self, c: Children) -> nodes.InSet:
        """NAME in { value (, value)* }"""
        values = tuple(_value(c[i]) for i in range(3, len(c) - 1, 2))
        return nodes.InSet(_word(c[0]), values, span=_whole(c))

    def settings(self, c: Children) -> Children:
        """[ setting (, setting)* ]"""
        return c

    def weight(self, c: Children) -> nodes.Setting:
        """weight value"""
        return nodes.Setting("weight", _value(c[1]), span=_whole(c))

    def temp_setting(self, c: Children) -> nodes.Setting:
        """temp"""
        return c[0]  # type: ignore[no-any-return]

    def quantity(self, c: Children) -> nodes.Quantity:
        """NUMBER [UNIT]"""
        unit = _word(c[1]) if c[1] is not None else None
        return nodes.Quantity(str(c[0]), unit, span=_whole(c))
