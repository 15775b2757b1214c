"""What people write out of habit in statements: their options, names, loops and imports.

More rules like those of `lacelang.syntax.hints`, which looks at conditions.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token

from lacelang.syntax.build import between
from lacelang.syntax.grammar import CLAUSES
from lacelang.syntax.parse_error import OPERATORS, Complaint, Trouble, complain, named
from lacelang.syntax.vocabulary import SYNONYMS


def _options(t: Trouble) -> Complaint | None:
    """`contrast 0.1`, `with euler step 0.1`, `with euler [step=0.1]`, `with smile=1`."""
    if t.previous == "WITH" and t.before is not None and t.kind in CLAUSES:
        message = f"`{t.token}` is a clause of its own"
        return complain("LACE003", message, t.before, "leave `with` out")
    if t.kind_at(-2) == "WITH" and t.before is not None:
        meant = SYNONYMS.get(str(t.before).lower(), "")
        if t.kind == "NUMBER" and meant.upper() in CLAUSES:
            message = f"`{meant}` is a clause of its own"
            return complain("LACE003", message, t.before, f"write `{meant} {t.token}`", instead=[])
        compares = t.kind in OPERATORS and t.value_at(1) > 0
        if t.previous == "NAME" and (compares or t.kind in ("AND", "OR", "IN")):
            at = between(t.before, t.token)
            message = "`with` names a sampler; a condition stands behind `where`"
            hint = f"write `where {t.text(-1, 1 + t.value_at(1))}`" if compares else None
            return complain("LACE003", message, at, hint or "write `where …`")
    if t.kind == "NAME" and str(t.token) == "without" and "WHERE" in t.expected:
        message = "`without` is not a word that can stand here"
        hint = "write `where not …`"
        return complain("LACE010", message, t.token, hint, instead=["WHERE", "NOT"])
    if t.kind == "NUMBER" and t.previous in ("LPAR", "COMMA") and t.expected <= {"NAME", "RPAR"}:
        if t.statement is not None and t.statement.type == "DEF":
            return None
        message = "an option has a name"
        return complain("LACE003", message, t.token, "like `tolerance=1e-3`", instead=[])
    if t.previous != "NAME" or "LPAR" not in t.expected:
        return None
    if t.kind == "NUMBER" and t.accepts(["LPAR", "NUMBER", "RPAR"]) and "EQUAL" not in t.expected:
        message = f"the number of `{t.before}` stands in round brackets"
        hint = f"write `{t.before}({t.token})`"
        instead: list[str | Token] = ["LPAR", t.token, "RPAR"]
        return complain("LACE003", message, t.token, hint, instead=instead)
    if t.kind_at(-2) != "WITH":
        return None
    message = "options stand in round brackets"
    assigned = int(t.kind_at(1) == "EQUAL")
    end = 1 + assigned + t.value_at(1 + assigned)
    if t.kind == "NAME" and end > 1 + assigned:
        value = t.run(1 + assigned, end)
        hint = f"write `{t.before}({t.token}={t.text(1 + assigned, end)})`"
        instead = ["LPAR", t.token, "EQUAL", *value, "RPAR"]
        return complain("LACE003", message, t.token, hint, instead=instead, count=end)
    if t.kind in ("LSQB", "LBRACE"):
        close = t.closing_at(0)
        if close is not None:
            hint = f"write `{t.before}(…)`"
            instead = ["LPAR", *t.run(1, close), "RPAR"]
            return complain("LACE003", message, t.token, hint, instead=instead, count=close + 1)
    return None


def _count_of_samples(t: Trouble) -> Complaint | None:
    """`10 samples from ffhq`, `sample from ffhq 10`, `sample n=8`."""
    sampling = t.statement is not None and t.statement.type == "SAMPLE"
    if t.kind == "NUMBER" and sampling and t.kind_at(-2) == "FROM" and "WHERE" in t.expected:
        message = "the number of samples stands right after `sample`"
        hint = f"write `sample {t.token} from {t.before}`"
        return complain("LACE003", message, t.token, hint, instead=[])
    if t.kind == "NUMBER" and "SAMPLE" in t.expected:
        named_ = int(t.kind_at(1) in ("NAME", "UNIT"))
        if t.kind_at(1 + named_) in CLAUSES:
            message = "a statement begins with its word"
            hint = f"write `sample {t.token}`"
            instead: list[str | Token] = ["SAMPLE", t.token]
            return complain("LACE003", message, t.token, hint, instead=instead, count=1 + named_)
    if t.kind == "EQUAL" and t.kind_at(-2) == "SAMPLE" and t.before is not None and t.value_at(1):
        end = 1 + t.value_at(1)
        at = between(t.before, t.at(end - 1) or t.token)
        message = "the number of samples stands alone"
        hint = f"write `sample {t.text(1, end)}`"
        return complain("LACE003", message, at, hint, instead=[], count=end)
    return None


def _definition(t: Trouble) -> Complaint | None:
    """`x = smile=1`, `f(a) = not a`, `def f(a=1) = a`, `def f() = 3`."""
    if t.kind == "NAME" and "LET" in t.expected:
        close = t.closing_at(1) if t.kind_at(1) == "LPAR" else None
        if close is not None and t.kind_at(close + 1) == "EQUAL":
            message = "a definition begins with `def`"
            hint = f"write `def {t.text(0, close + 1)} = …`"
            return complain("LACE003", message, t.token, hint, instead=["DEF", t.token])
        condition = t.kind_at(2) in ("NOT", "LPAR") or t.kind_at(3) in OPERATORS | {"IN"}
        if t.kind_at(1) == "EQUAL" and (condition or not t.accepts(["AND", "NAME"])):
            message = "a definition begins with `let`"
            hint = f"write `let {t.token} = …`"
            return complain("LACE003", message, t.token, hint, instead=["LET", t.token])
    if t.statement is None or t.statement.type != "DEF":
        return None
    if t.kind == "EQUAL" and t.opened and t.opened[-1].type == "LPAR" and t.value_at(1):
        message = "a parameter has no value of its own"
        end = 1 + t.value_at(1)
        while t.kind_at(end) in OPERATORS and t.value_at(end + 1):
            end += 1 + t.value_at(end + 1)
        at = between(t.token, t.at(end - 1) or t.token)
        return complain("LACE003", message, at, "leave it out", instead=[], count=end)
    if t.kind == "NUMBER" and t.previous == "EQUAL" and not t.opened:
        message = "`def` names a condition"
        return complain("LACE003", message, t.token, "a number is named by `let`, `let limit = 60`")
    return None


def _loop(t: Trouble) -> Complaint | None:
    """`for i in 1..3`, `for i in range(3)`, `for (i in 1, 2)`, `for i = 1, 2`, `for i in 1: {`."""
    if t.statement is None or t.statement.type != "FOR":
        return None
    example = "like `for t in 1, 2, 3 { … }`"
    if t.kind == "LPAR" and t.previous == "FOR":
        message = "the head of a loop stands without brackets"
        return complain("LACE003", message, t.token, example, instead=[])
    if t.kind == "EQUAL" and "IN" in t.expected:
        message = "a loop goes through its values with `in`"
        return complain("LACE003", message, t.token, example, instead=["IN"])
    if "LBRACE" not in t.expected:
        return None
    if t.kind == "RANGE":
        message = "a loop lists its values, one by one"
        return complain("LACE003", message, t.token, example, instead=["COMMA"])
    if t.kind == "LPAR" and t.before is not None and t.closing_at(0) is not None:
        close = t.closing_at(0) or 0
        message = "a loop lists its values, one by one"
        at = between(t.before, t.at(close) or t.token)
        return complain("LACE003", message, at, example, instead=[], count=close + 1)
    if t.kind == "COLON":
        message = "what a loop repeats stands in braces"
        if t.kind_at(1) == "LBRACE":
            return complain("LACE003", message, t.token, example, instead=[])
        return complain("LACE003", message, t.token, example)
    return None


def _imports(t: Trouble) -> Complaint | None:
    """`import faces as f`, `import faces, logic`, `from faces import child`."""
    if t.kind == "FROM" and t.kind_at(1) == "NAME" and t.kind_at(2) == "IMPORT":
        end = 3
        while t.kind_at(end) in ("NAME", "COMMA"):
            end += 1
        message = "an import brings in everything of a module"
        module = t.at(1) or t.token
        hint = f"write `import {module}`"
        return complain("LACE003", message, t.token, hint, instead=["IMPORT", module], count=end)
    if t.kind_at(-2) != "IMPORT":
        return None
    if t.kind == "AS" and t.kind_at(1) == "NAME":
        message = "a module goes by its own name"
        hint = f"leave `{t.text(0, 2)}` out"
        return complain("LACE003", message, t.token, hint, instead=[], count=2)
    following = t.after
    if t.kind == "COMMA" and following is not None and following.type in ("NAME", "STRING"):
        message = "one `import` brings in one module"
        hint = f"write `import {following}` on a line of its own"
        return complain("LACE003", message, t.token, hint, instead=["IMPORT", following], count=2)
    return None


def _other_signs(t: Trouble) -> Complaint | None:
    """`let x: smile=1`, `{ child: 10 }`, `attribute smile = binary`, `95% from kids`."""
    if t.kind == "COLON" and t.accepts(["EQUAL"]):
        message = "an equals sign is written here, not a colon"
        return complain("LACE003", message, t.token, "write `=`", instead=["EQUAL"])
    if t.kind == "EQUAL" and t.accepts(["COLON"]):
        message = "a colon is written here, not an equals sign"
        return complain("LACE003", message, t.token, "write `:`", instead=["COLON"])
    if t.kind == "FROM" and t.previous == "PERCENT":
        message = "a share is `of` a group"
        return complain("LACE003", message, t.token, "write `of`", instead=["OF"])
    return None


def _choices(t: Trouble) -> Complaint | None:
    """`attribute hair: black, red`."""
    before = t.before
    if t.kind != "COMMA" or t.kind_at(-2) != "COLON" or before is None or before.type != "NAME":
        return None
    end = 0
    while t.kind_at(end) == "COMMA" and t.kind_at(end + 1) == "NAME":
        end += 2
    at = between(before, t.at(end - 1) or t.token)
    hint = f"write `one of {t.text(-1, end)}`"
    message = "`one of` is missing before the choices"
    return complain("LACE013", message, at, hint, instead=[], count=max(end, 1))


def several_words(t: Trouble) -> Complaint | None:
    """`as my kids`, `let old man = …`, `as 3d`."""
    named_by = t.kind_at(-2)
    if t.kind == "NAME" and t.previous == "NAME" and named_by in _NAMING and t.before is not None:
        end = 1
        while t.kind_at(end) == "NAME" and t.kind_at(end + 1) not in OPERATORS:
            end += 1
        if named_by == "EDIT" and t.kind_at(end) != "LBRACE":
            return None
        words = t.text(-1, end)
        at = between(t.before, t.at(end - 1) or t.token)
        message, hint = "a name is one word", f"write `{words.replace(' ', '_')}`"
        if named_by in ("AS", "EDIT"):
            message, hint = "a name of several words stands in quotes", f'write `"{words}"`'
        return complain("LACE003", message, at, hint, instead=[], count=end)
    if t.kind == "NUMBER" and t.previous in _NAMING:
        rest = t.after
        touches = rest is not None and rest.start_pos == t.token.end_pos
        count = 2 if touches and t.kind_at(1) in ("NAME", "UNIT") else 1
        written = "".join(str(t.at(i)) for i in range(count))
        at = between(t.token, t.at(count - 1) or t.token)
        message, hint = "a name does not begin with a digit", f"write `_{written}`"
        instead = [named(f"_{written}")]
        if t.previous in ("AS", "EDIT"):
            message = "a name that begins with a digit stands in quotes"
            hint, instead = f'write `"{written}"`', [Token("STRING", f'"{written}"')]
        return complain("LACE003", message, at, hint, instead=instead, count=count)
    return None


_NAMING = frozenset({"AS", "EDIT", "LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})


STATEMENT_HABITS: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _options,
    _count_of_samples,
    _definition,
    _loop,
    _imports,
    _other_signs,
    _choices,
)
"""The rules, those first that know their shape best."""
