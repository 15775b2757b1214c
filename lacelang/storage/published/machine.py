"""A reader of pickles that calls nothing: protocols 0 to 5, in bounded time and memory.

The opcodes are those of Python's own documentation, `pickletools`. Opcodes that ask for a call
build a `Record`. Those that no file of weights has are refused: extension codes, instances of old
classes (`INST`, `OBJ`), buffers from elsewhere, and persistent ids other than those of torch's
storages.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from lacelang.storage.published.records import Global, Record, RefusedError, allowed, refuse, shown

MOST_OPCODES = 500_000
"""A generator with its discriminator has some ten thousand."""
MOST_DEPTH = 200
"""Marks that are open at once."""
_LONGEST_LINE = 4096
_LONGEST_TEXT = 256 << 20  # protocols before 3 write the bytes of tensors as texts
_LONGEST_INT = 16  # bytes

Persistent: TypeAlias = Callable[[Any], Any]
"""From a persistent id to what it stands for."""

_KEYS = (str, int, float, bytes, type(None))


class Machine:
    """Reads one pickle after another from `data`.

    Attributes:
        at: where the next one begins.
    """

    def __init__(self, data: memoryview, persistent: Persistent | None = None, at: int = 0) -> None:
        self._data = data
        self._persistent = persistent
        self.at = at
        self._opcodes = 0

    def load(self) -> Any:
        """Return what the pickle holds.

        Raises:
            RefusedError: it is damaged, too large, or asks for what is not on the list.
        """
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        # It ends: every opcode is a byte at least.
        while True:
            opcode = self._byte()
            if opcode == _STOP:
                break
            self._opcodes += 1
            if self._opcodes > MOST_OPCODES:
                refuse(f"it has more than {MOST_OPCODES} opcodes")
            do = _OPCODES[opcode]
            if do is None:
                refuse(_why_not(opcode))
            do(self)
        value = self._pop()
        if self._stack or self._marks:
            refuse("its pickle ends with values that are left over")
        return value

    # Reading

    def _byte(self) -> int:
        if self.at >= len(self._data):
            refuse("its pickle is cut short")
        self.at += 1
        return self._data[self.at - 1]

    def _bytes(self, size: int) -> memoryview:
        if size > len(self._data) - self.at:
            refuse("its pickle is cut short, or announces more than there is")
        self.at += size
        return self._data[self.at - size : self.at]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "little")

    def _line(self) -> str:
        piece = bytes(self._data[self.at : self.at + _LONGEST_LINE])
        end = piece.find(b"\n")
        if end < 0:
            refuse("a line of its pickle is too long, or cut short")
        self.at += end + 1
        return piece[:end].decode("latin-1")

    def _text(self, size: int) -> str:
        if size > _LONGEST_TEXT:
            refuse("it holds a text that is too long")
        return str(self._bytes(size), "utf-8", "surrogatepass")

    # The stack

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            refuse("its pickle takes values that are not there")
        return self._stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self._push(value)
        return value

    def _marked(self) -> list[Any]:
        if not self._marks:
            refuse("its pickle has no mark where one is needed")
        begin = self._marks.pop()
        values = self._stack[begin:]
        del self._stack[begin:]
        return values

    def _mark(self) -> None:
        if len(self._marks) >= MOST_DEPTH:
            refuse(f"its values are nested more than {MOST_DEPTH} deep")
        self._marks.append(len(self._stack))

    def _keep(self, index: int) -> None:
        self._memo[index] = self._top()

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            refuse("its pickle recalls a value that was not kept")
        self._push(self._memo[index])

    # Containers

    def _append(self, values: list[Any]) -> None:
        into = self._top()
        if isinstance(into, Record):
            into = into.elements
        if not isinstance(into, list):
            refuse("its pickle appends to what is no list")
        into.extend(values)

    def _set(self, values: list[Any]) -> None:
        into = self._top()
        if isinstance(into, Record):
            into = into.items
        if not isinstance(into, dict):
            refuse("its pickle puts keys into what is no dictionary")
        into.update(_pairs(values))

    def _add(self) -> None:
        values = _keys(self._marked())
        into = self._top()
        if not isinstance(into, set):
            refuse("its pickle adds to what is no set")
        into.update(values)

    def _tuple(self, size: int) -> None:
        values = [self._pop() for _ in range(size)]
        self._push(tuple(reversed(values)))

    # What would be calls

    def _global(self) -> None:
        module, name = self._line(), self._line()
        self._push(allowed(module, name))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            refuse("it names something by values that are no text")
        self._push(allowed(module, name))

    def _reduce(self, keywords: bool = False) -> None:
        given = self._pop() if keywords else {}
        args, of = self._pop(), self._pop()
        if not isinstance(of, Global):
            refuse("it calls what is no name")
        if not isinstance(args, tuple) or not isinstance(given, dict):
            refuse(f"it calls `{of}` with what are no arguments")
        if given:
            refuse(f"it calls `{of}` with named arguments")
        self._push(Record(of, args))

    def _build(self) -> None:
        state, of = self._pop(), self._top()
        if not isinstance(of, Record):
            refuse("it gives attributes to what is no record")
        if of.state is not None:
            refuse(f"it gives attributes to `{of.of}` twice")
        of.state = state

    def _persistent_id(self, value: Any) -> None:
        if self._persistent is None:
            refuse("it refers to something outside of it by a persistent id")
        self._push(self._persistent(value))

    # Numbers and texts in words

    def _int(self) -> None:
        line = self._line()
        if line in ("00", "01"):
            self._push(line == "01")
            return
        self._push(_int_of(line))

    def _float(self) -> None:
        try:
            self._push(float(self._line()))
        except ValueError:
            refuse("its pickle has a number that is none")

    def _proto(self) -> None:
        version = self._byte()
        if version > 5:
            refuse(f"it is a pickle of protocol {version}, which is not known")

    def _frame(self) -> None:
        if self._number(8) > len(self._data) - self.at:
            refuse("its pickle is cut short, or announces more than there is")

    def _long(self, size: int) -> None:
        if size > _LONGEST_INT:
            refuse("it holds a whole number that is too large")
        self._push(int.from_bytes(self._bytes(size), "little", signed=True))

    def _unicode(self) -> None:
        line = self._line()
        try:
            self._push(line.encode("latin-1").decode("raw-unicode-escape"))
        except UnicodeError:
            refuse("its pickle has a text that is none")


def _int_of(line: str) -> int:
    text = line.removesuffix("L")
    if len(text) > 40 or not text.removeprefix("-").isdecimal():
        refuse("its pickle has a number that is none, or too large")
    return int(text)


def _keys(values: list[Any]) -> list[Any]:
    # The hash of a nested tuple takes as many frames of the processor's stack as it is deep.
    for value in values:
        if not isinstance(value, _KEYS):
            refuse("it has keys that are neither texts nor numbers")
    return values


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        refuse("its pickle has a key without a value")
    return dict(zip(_keys(values[::2]), values[1::2], strict=True))


def _put(value: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    def do(machine: Machine) -> None:
        machine._push(value(machine))

    return do


def _latin(machine: Machine, size: int) -> str:
    if size > _LONGEST_TEXT:
        refuse("it holds a text that is too long")
    return str(machine._bytes(size), "latin-1")


def _frozenset(machine: Machine) -> frozenset[Any]:
    return frozenset(_keys(machine._marked()))


def _two(machine: Machine) -> list[Any]:
    value, key = machine._pop(), machine._pop()
    return [key, value]


def _double(machine: Machine) -> float:
    number: float = struct.unpack(">d", machine._bytes(8))[0]
    return number


_SAID: dict[str, Callable[[Machine], Any]] = {
    # Containers and the stack
    "(": Machine._mark,
    "0": lambda m: m._marks.pop() if m._marks and m._marks[-1] == len(m._stack) else m._pop(),
    "1": Machine._marked,
    "2": _put(Machine._top),
    ")": _put(lambda m: ()),
    "t": _put(lambda m: tuple(m._marked())),
    "\x85": lambda m: m._tuple(1),
    "\x86": lambda m: m._tuple(2),
    "\x87": lambda m: m._tuple(3),
    "]": _put(lambda m: []),
    "l": _put(Machine._marked),
    "a": lambda m: m._append([m._pop()]),
    "e": lambda m: m._append(m._marked()),
    "}": _put(lambda m: {}),
    "d": _put(lambda m: _pairs(m._marked())),
    "s": lambda m: m._set(_two(m)),
    "u": lambda m: m._set(m._marked()),
    "\x8f": _put(lambda m: set()),
    "\x90": Machine._add,
    "\x91": _put(_frozenset),
    # The memo
    "p": lambda m: m._keep(_int_of(m._line())),
    "q": lambda m: m._keep(m._byte()),
    "r": lambda m: m._keep(m._number(4)),
    "\x94": lambda m: m._keep(len(m._memo)),
    "g": lambda m: m._recall(_int_of(m._line())),
    "h": lambda m: m._recall(m._byte()),
    "j": lambda m: m._recall(m._number(4)),
    # Constants
    "N": _put(lambda m: None),
    "\x88": _put(lambda m: True),
    "\x89": _put(lambda m: False),
    "I": Machine._int,
    "L": _put(lambda m: _int_of(m._line())),
    "K": _put(Machine._byte),
    "M": _put(lambda m: m._number(2)),
    "J": _put(lambda m: int.from_bytes(m._bytes(4), "little", signed=True)),
    "\x8a": lambda m: m._long(m._byte()),
    "\x8b": lambda m: m._long(m._number(4)),
    "F": Machine._float,
    "G": _put(_double),
    "V": Machine._unicode,
    "X": _put(lambda m: m._text(m._number(4))),
    "\x8c": _put(lambda m: m._text(m._byte())),
    "\x8d": _put(lambda m: m._text(m._number(8))),
    "T": _put(lambda m: _latin(m, m._number(4))),
    "U": _put(lambda m: _latin(m, m._byte())),
    "B": _put(lambda m: m._bytes(m._number(4))),
    "C": _put(lambda m: m._bytes(m._byte())),
    "\x8e": _put(lambda m: m._bytes(m._number(8))),
    "\x96": _put(lambda m: m._bytes(m._number(8))),
    # What would be calls
    "c": Machine._global,
    "\x93": Machine._stack_global,
    "R": Machine._reduce,
    "\x81": Machine._reduce,
    "\x92": lambda m: m._reduce(keywords=True),
    "b": Machine._build,
    "P": lambda m: m._persistent_id(m._line()),
    "Q": lambda m: m._persistent_id(m._pop()),
    # The file
    "\x80": Machine._proto,
    "\x95": Machine._frame,
}
_OPCODES: list[Callable[[Machine], Any] | None] = [_SAID.get(chr(code)) for code in range(256)]
_STOP = ord(".")
_NEVER = {
    **dict.fromkeys("\x82\x83\x84", "it has an extension code"),
    **dict.fromkeys("io", "it asks for an instance of a class"),
    **dict.fromkeys("\x97\x98", "it refers to a buffer outside of it"),
    "S": "it has a text in quotes, as Python 2 wrote them",
}


def _why_not(opcode: int) -> str:
    known = _NEVER.get(chr(opcode))
    return known or f"it is no pickle, or damaged: there is no opcode {shown(hex(opcode))}"


def unpickled(data: memoryview, persistent: Persistent | None = None) -> Any:
    """Return what the pickle at the start of `data` holds; see `Machine.load`."""
    try:
        return Machine(data, persistent).load()
    except UnicodeError:
        raise RefusedError("its pickle has a text that is not UTF-8") from None
