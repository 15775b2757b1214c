"""The grammar's parse tables, kept in the user's cache.

Lark takes longer to build its tables than to check a whole program with them. They are kept as
JSON under the user's cache folder: data only, nothing in them is ever executed, named by the
digest of the grammar and of Lark's version, so that an old file is never used for a new grammar.
Whatever is wrong with the cache, the tables are built anew and checking goes on.
"""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from lacelang.storage.cache import cache_dir, whole_file
from lacelang.syntax.build import with_nodes

_FORMAT = "1"
# What a loaded parser is given anew; it is no data.
_LIVE = frozenset({"postlex", "transformer", "lexer_callbacks", "edit_terminals", "_plugins"})


def parser_of(grammar: str) -> Lark:
    """Return a parser of `grammar` that makes nodes, from the cache if it is there."""
    key = sha256(f"{_FORMAT}\n{lark.__version__}\n{grammar}".encode()).hexdigest()
    file = cache_dir() / f"grammar-{key[:32]}.json"
    try:
        parser = _read(file)
    except Exception:
        # A missing, damaged or foreign file costs time, nothing else.
        parser = Lark(grammar, parser="lalr", lexer="basic")
        _write(file, parser)
    return with_nodes(parser)


def _read(file: Path) -> Lark:
    digest, _, payload = file.read_bytes().partition(b"\n")
    if sha256(payload).hexdigest().encode() != digest:
        raise ValueError("damaged")
    stored = json.loads(payload)
    data = stored["data"]
    # JSON has no keys but strings, and states are numbered.
    memo = {int(number): item for number, item in stored["memo"].items()}
    tables = data["parser"]["parser"]
    tables["states"] = {int(number): row for number, row in tables["states"].items()}
    parser: Lark = Lark._load_from_dict(data, memo)  # type: ignore[no-untyped-call]
    return parser


def _write(file: Path, parser: Lark) -> None:
    """Keep the tables if that can be done; whole or not at all."""
    # The cache may be read-only or full, or Lark may store its tables differently.
    with suppress(Exception):
        data, memo = parser.memo_serialize([TerminalDef, Rule])
        data["options"] = {k: v for k, v in data["options"].items() if k not in _LIVE}
        payload = json.dumps({"data": data, "memo": memo}, separators=(",", ":")).encode()
        with whole_file(file) as part:
            part.write_bytes(sha256(payload).hexdigest().encode() + b"\n" + payload)
