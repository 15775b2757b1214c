"""Definitions that refer to themselves, directly or through others."""

from __future__ import annotations

from collections.abc import Iterator

from lacelang.semantics.report import Report
from lacelang.semantics.scope import Definition, Module
from lacelang.syntax import nodes


def mark_circular(module: Module, report: Report) -> tuple[Definition, ...]:
    """Report every circle among the module's own definitions and mark its members.

    Returns:
        The definitions, each behind those that it uses.

    Imports cannot be circular, so a circle never leaves its module.
    """
    uses = {
        name: [used for used in _names_in(d) if used in module.definitions]
        for name, d in module.definitions.items()
    }
    done: dict[str, None] = {}
    for start in uses:
        # Depth-first without recursion: a chain of definitions may be as long as the program.
        path: list[str] = []
        on_path: dict[str, int] = {}
        pending: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            pending.append((start, iter(uses[start])))
            on_path[start] = 0
            path.append(start)
        while pending:
            name, rest = pending[-1]
            following = next(rest, None)
            if following is None:
                pending.pop()
                path.pop()
                del on_path[name]
                done[name] = None
            elif following in on_path:
                _report(path[on_path[following] :], module, report)
            elif following not in done:
                on_path[following] = len(path)
                path.append(following)
                pending.append((following, iter(uses[following])))
    return tuple(module.definitions[name] for name in done)


def _report(circle: list[str], module: Module, report: Report) -> None:
    for name in circle:
        module.definitions[name].circular = True
    first = module.definitions[circle[0]]
    if len(circle) == 1:
        message = f"`{circle[0]}` is defined by itself"
    else:
        message = "these definitions go in a circle: " + " → ".join([*circle, circle[0]])
    report.say("LACE116", message, first.node.name, module, "a definition may use others only")


def _names_in(definition: Definition) -> Iterator[str]:
    """Yield the names that a definition's body refers to, its parameters excepted."""
    own = {parameter.name for parameter in definition.parameters}
    stack: list[nodes.Node] = [definition.body]
    while stack:
        node = stack.pop()
        match node:
            case nodes.Reference():
                if node.name.name not in own:
                    yield node.name.name
            case nodes.Call():
                yield node.name.name
                stack.extend(node.arguments)
            case nodes.And() | nodes.Or() | nodes.Xor() | nodes.Implies():
                stack.extend(node.terms)
            case nodes.Not() | nodes.Tuned():
                stack.append(node.term)
            case nodes.Parenthesis():
                stack.append(node.inner)
