"""Definitions in terms of themselves, and the order in which the others build on one another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from operator import ne

from lacelang.semantics.context import Definition, Module, Report
from lacelang.syntax import nodes


def mark_circular(module: Module, report: Report) -> tuple[Definition, ...]:
    """Report every cycle of the module's own definitions; return all, each behind those it uses.

    `graphlib` finds one cycle; here all of them are reported. Imports cannot be circular, so a
    cycle never leaves its module.
    """
    definitions = module.definitions
    done: dict[str, Definition] = {}
    for start in definitions:
        # Depth-first without recursion: a chain of definitions may be as long as the program.
        path = {} if start in done else {start: _used_by(definitions[start])}
        while path:
            name = next(reversed(path))
            used = next((each for each in path[name] if each in definitions), None)
            if used is None:
                done[name] = definitions[name]
                path.popitem()
            elif used in path:
                behind = list(takewhile(partial(ne, used), reversed(path)))
                _report([definitions[each] for each in (used, *reversed(behind))], module, report)
            elif used not in done:
                path[used] = _used_by(definitions[used])
    return tuple(done.values())


def _report(cycle: list[Definition], module: Module, report: Report) -> None:
    for definition in cycle:
        definition.circular = True
    first = cycle[0].node.name
    message = f"`{first.name}` is defined in terms of itself"
    if len(cycle) > 1:
        names = " → ".join(definition.node.name.name for definition in (*cycle, cycle[0]))
        message = f"these definitions form a cycle: {names}"
    report.say("LACE116", message, first, module, "a definition may use others only")


def _used_by(definition: Definition) -> Iterator[str]:
    """Yield the names that a definition's body refers to, its parameters excepted."""
    own = {parameter.name for parameter in definition.parameters}
    stack: list[nodes.Node] = [definition.body]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Reference | nodes.Call):
            name = node.name.name
            if isinstance(node, nodes.Call) or name not in own:
                yield name
        if not isinstance(node, nodes.Atom):  # atoms name attributes only
            stack.extend(node.parts)
