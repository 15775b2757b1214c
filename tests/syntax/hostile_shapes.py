"""Texts by which a stranger may try to make the checker work for long: one function a shape.

Each takes the number of characters that its text is to have, about.
"""

from __future__ import annotations

from collections.abc import Callable

Shape = Callable[[int], str]

MODEL = 'generator mobilestylegan from "p==1" classifiers "c.safetensors" on w'


def _lines(line: str, first: str = "", last: str = "") -> Shape:
    """Return the shape of a line repeated; `{i}` in it is its number."""

    def shape(size: int) -> str:
        each = len(line.replace("{i}", str(size // max(len(line), 1))))
        many = max((size - len(first) - len(last)) // each, 1)
        return first + "".join(line.replace("{i}", str(i)) for i in range(many)) + last

    return shape


def _loops(body: str, first: str = "", count: int = 3, values: int = 7) -> Shape:
    """Return the shape of a statement in nested loops; the rest of the text is comments."""
    opening = "".join(
        f"for t{i} in {', '.join(str(v + 1) for v in range(values))} {{ " for i in range(count)
    )

    def shape(size: int) -> str:
        text = f"{first}{opening}{body}{' }' * count}\n"
        return text + "# a comment\n" * max((size - len(text)) // 12, 0)

    return shape


def _doubled(levels: int, first: str = "smile=1", word: str = "and") -> str:
    lets = (f"let d{i + 1} = d{i} {word} d{i}\n" for i in range(levels))
    return f"let d0 = {first}\n" + "".join(lets)


def _filled(before: str, part: str, after: str = "") -> Shape:
    return lambda size: before + part * max((size - len(before + after)) // len(part), 1) + after


def _many_values(size: int) -> str:
    values = ", ".join(f"v{i}" for i in range(size // 18))
    wrong = "".join(f"let d{i} = a=v{i}x\n" for i in range(size // 36))
    return f"model m {{ {MODEL} attribute a : one of {values} }}\n{wrong}sample from m where d1"


def _long_set_in_loops(size: int) -> str:
    values = ", ".join(f"{i % 70}.{i % 99991:05}" for i in range(size // 11))
    numbers = ", ".join(str(i + 1) for i in range(50))
    return f"for t in {numbers} {{ sample from ffhq where age in {{{values}}} seed t }}"


def _long_condition_in_loops(size: int) -> str:
    terms = " and ".join(f"age > t or smile={i % 2}" for i in range(min(size // 25, 4000)))
    numbers = ", ".join(str(i + 1) for i in range(size // 8))
    return f"for t in {numbers} {{ sample from ffhq where {terms} }}"


def _empty_loops(size: int) -> str:
    numbers = ", ".join(f"{i % 10}" for i in range(size // 6))
    return f"for t in {numbers} {{ for u in {numbers} {{ }} }}"


def _chain_of_calls(size: int) -> str:
    lines = ["def f0(a, b) = a and b\n"]
    lines += [f"def f{i}(a, b) = f{i - 1}(b, a)\n" for i in range(1, 70)]
    use = "sample from ffhq where f69(smile=1, glasses=1)\n"
    return "".join(lines) + use * (size // len(use))


def _many_parameters(size: int) -> str:
    names = ", ".join(f"p{i}" for i in range(size // 32))
    body = " and ".join(f"p{i}" for i in range(size // 32))
    given = ", ".join("smile=1" for _ in range(size // 32))
    return f"def f({names}) = {body}\nsample from ffhq where f({given})"


def _nested_calls(size: int) -> str:
    deep = "f(" * 50 + "smile=1" + ")" * 50
    line = f"let x{{i}} = {deep}\n"
    return _lines(line, "def f(a) = a and a\n")(size)


def _many_definitions_and_clashes(size: int) -> str:
    half = size // 2
    lets = _lines("let l{i} = smile=1\n")(half)
    return lets + _lines("sample from ffhq where l{i} and smile=0\n")(half)


def _similar_names(size: int) -> str:
    half = size // 2
    lets = _lines("let abcdef{i} = smile=1\n")(half)
    return lets + _lines("sample from ffhq where abcdef{i}x\n")(half)


def _steps_in_loops(size: int) -> str:
    steps = "smile=1 " * (size // 2 // 8)
    numbers = ", ".join(str(i) for i in range(size // 2 // 8))
    return f'sample from ffhq as g\nfor t in {numbers} {{ edit g {{ {steps} }} as "e{{t}}" }}'


def _clauses_in_loops(size: int) -> str:
    clauses = "seed 1 " * (size // 2 // 7)
    numbers = ", ".join(str(i) for i in range(size // 2 // 8))
    return f"for t in {numbers} {{ sample from ffhq {clauses} }}"


def _options_in_loops(size: int) -> str:
    options = ", ".join("tolerance=1" for _ in range(size // 2 // 13))
    numbers = ", ".join(str(i) for i in range(size // 2 // 8))
    return f"for t in {numbers} {{ sample from ffhq with heun({options}) }}"


def _long_name_in_loops(size: int) -> str:
    numbers = ", ".join(str(i) for i in range(size // 2 // 8))
    name = "x" * (size // 2)
    return f'for t in {numbers} {{ sample from ffhq where {name}=1 as "{{t}}{name}" }}'


def _long_number_in_loops(size: int) -> str:
    numbers = ", ".join(str(i) for i in range(size // 2 // 8))
    named = 'sample from ffhq where age=n as "{n} {t}"'
    return f"for n in 1.{'0' * (size // 2)}1 {{ for t in {numbers} {{ {named} }} }}"


def _deep_conditions(size: int) -> str:
    deep = "(" * 60 + "smile=1" + " and glasses=1) or beard=1)" * 30
    return _lines(f"let x{{i}} = {deep}\n")(size)


def _xors(size: int) -> str:
    terms = " xor ".join(f"age > {i}" for i in range(1, 60))
    return _lines(f"sample from ffhq where {terms}\n")(size)


SHAPES: dict[str, Shape] = {
    # Definitions and loops that expand.
    "doubled lets in loops": _loops("sample from ffhq where d9 seed t0", _doubled(9)),
    "doubled lets, five loops": _loops("sample from ffhq where d9 seed t0", _doubled(9), 5),
    "doubled or, five loops": _loops(
        "sample from ffhq where d9 seed t0", _doubled(9, "age=t0", "or"), 5
    ),
    "doubled with the loop variable": _loops(
        "sample from ffhq where f9(age > t0)",
        "def f0(a) = a and a\n"
        + "".join(f"def f{i}(a) = f{i - 1}(a) and f{i - 1}(a)\n" for i in range(1, 10)),
        5,
    ),
    "doubled with all loop variables": _loops(
        "sample from ffhq where f9(age in t0..t4 or yaw in {t1, t2, t3})",
        "def f0(a) = a and a\n"
        + "".join(f"def f{i}(a) = f{i - 1}(a) and f{i - 1}(a)\n" for i in range(1, 10)),
        5,
    ),
    "doubled xor": _loops("sample from ffhq where d5", _doubled(5, word="xor"), 5),
    "doubled nots": _loops(
        "sample from ffhq where d9 seed t0", _doubled(9, "not smile=1", "and not"), 4
    ),
    "chain of calls": _chain_of_calls,
    "many parameters": _many_parameters,
    "nested calls": _nested_calls,
    "long set in a loop": _long_set_in_loops,
    "long condition in a loop": _long_condition_in_loops,
    "empty loops in loops": _empty_loops,
    "steps in a loop": _steps_in_loops,
    "clauses in a loop": _clauses_in_loops,
    "options in a loop": _options_in_loops,
    "long name in a loop": _long_name_in_loops,
    "long number in a loop": _long_number_in_loops,
    "loops of texts in names": _lines(
        'for t in "a{i}", "b{i}" { sample from ffhq as "{t} and {t} and {t}" }\n'
    ),
    # Long in one place.
    "set of numbers": _filled("sample from ffhq where age in {1", ", 1.5", "}"),
    "set of other numbers": lambda size: (
        "sample from ffhq where age in {"
        + ", ".join(f"{i % 70}.{i}" for i in range(size // 10))
        + "}"
    ),
    "set of classes": _filled("sample from ffhq where haircolor in {gray", ", gray", "}"),
    "chain of and": _filled("sample from ffhq where smile=1", " and smile=1"),
    "chain of other ands": lambda size: (
        "sample from ffhq where " + " and ".join(f"age > {i % 69 + 1}" for i in range(size // 13))
    ),
    "chain of or": _filled("sample from ffhq where smile=1", " or not age=1"),
    "nine thousand ors": lambda size: "".join(
        "sample from ffhq where "
        + " or ".join(f"not age={i % 70}.{i}" for i in range(min(9000, size // 20)))
        + "\n"
        for _ in range(max(size // 180_000, 1))
    ),
    "ands of ors": _lines(
        "sample from ffhq where "
        + " and ".join(f"(age > {i} or yaw < {i % 40})" for i in range(1, 60))
        + "\n"
    ),
    "chain of comparisons": _filled("sample from ffhq where 1 < age", " < 2"),
    "xors": _xors,
    "deep conditions": _deep_conditions,
    "edit of many steps": _filled("sample from ffhq as g edit g {", " smile=1 age=10", "}"),
    "one long text": _filled('sample from ffhq as "', "x", '"'),
    "one long name": _filled("sample from ffhq where ", "x", "=1"),
    "one long number": _filled("sample from ffhq where age=", "1"),
    "one long fraction": _filled("sample from ffhq where age=0.", "0", "1"),
    "one long path": _filled('import "', "a/", 'b"'),
    "for over many values": lambda size: (
        "for t in "
        + ", ".join(f"{i}" for i in range(size // 8))
        + ' { sample from ffhq as "g{t}" }'
    ),
    # Mistakes.
    "curly quotes": _filled("", "“"),
    "strange signs": _filled("", "§ "),
    "open brackets": _filled("", "("),
    "open brackets of all kinds": _filled("sample from ffhq where ", "([{"),
    "closing brackets": _filled("sample from ffhq where smile=1", ")]}"),
    "unclosed in each line": _lines("sample from ffhq where (smile=1 and (age > 3\n"),
    "an error in each token": _filled("sample from ffhq where ", "smile == && @ 3 ! "),
    "words of the language": _filled("", "sample where and in of as "),
    "names only": _filled("", "a "),
    "unknown attributes": _lines("sample from ffhq where smil{i}=1\n"),
    "unknown attributes in one": _filled("sample from ffhq where smil=1", " and smil=1"),
    "unknown models": _lines("sample from ffh{i}\n"),
    "unknown models beside many": lambda size: (
        _lines("model ffh{i} { generator x }\n")(size // 2)
        + _lines("sample from ffh{i}x\n")(size // 2)
    ),
    "unknown names beside many": _similar_names,
    "unknown groups beside many": lambda size: (
        _lines("sample from ffhq as group{i}\n")(size // 2)
        + _lines("expect smile=1 in 5% of grup{i}\n")(size // 2)
    ),
    "unknown values beside many": _many_values,
    "unknown in holes": lambda size: (
        _lines("let abcdef{i} = 1\n")(size // 2)
        + "".join(f'sample from ffhq as "{{abcdef{i}x}}"\n' for i in range(size // 2 // 38))
    ),
    "clashes beside many definitions": _many_definitions_and_clashes,
    "clashes": _lines("sample from ffhq where smile=1 and smile=0\n"),
    "repeated conditions": _lines("sample from ffhq where smile=1 and smile=1\n"),
    "groups of one name": _lines("sample from ffhq as g\n"),
    "clauses twice": _filled("sample from ffhq", " seed 1"),
    "wrong clauses": _filled("sample from ffhq", " hold 1"),
    "definitions of one name": _lines("let a = smile=1\n"),
    "definitions in a circle": _lines("let a{i} = a0 and smile=1\n"),
    "chain of definitions": lambda size: (
        "let a0 = smile=1\n"
        + "".join(f"let a{i} = a{i - 1} and smile=1\n" for i in range(1, size // 32))
        + "sample from ffhq where a0"
    ),
    "unused definitions": _lines("let l{i} = smile=1\n"),
    "imports of one module": _lines("import logic\n"),
    "imports of nothing": _lines('import "no{i}.lace"\n'),
    "unknown modules": _lines("import logi{i}\n"),
    "edits of no file": _lines('edit "a/b{i}" { smile=1 } from ffhq\n'),
    "models": _lines(f"model m{{i}} {{ {MODEL} attribute a : binary }}\n"),
    "model of many attributes": _lines(
        "attribute a{i} : binary layers 0..5\n", f"model m {{ {MODEL}\n", "}"
    ),
    "comparisons of many attributes": lambda size: (
        _lines("attribute a{i} : binary\n", f"model m {{ {MODEL}\n", "}\n")(size // 2)
        + "".join(f"sample from m where a{i}=1\n" for i in range(size // 2 // 30))
    ),
    "layers": _filled(f"model m {{ {MODEL} attribute a : binary layers 0", ", 1..7", "}"),
    "huge layers": _lines("attribute a{i} : binary layers 0..999999999\n", "model m {", "}"),
    # Characters.
    "comments": _lines("# a comment and nothing else\n"),
    "comment in each gap": _filled("sample # a\nfrom # b\nffhq where smile=1", " and # c\nsmile=1"),
    "one long comment": _filled("# ", "x"),
    "line ends": _filled("", "\r\n\r\n\u2028\x0b\n"),
    "spaces": _filled("", " \t"),
    "combining characters": _filled("let x", "\u0301\u0316", " = smile=1"),
    "accents in each name": _lines("let e\u0301{i} = smile=1\n"),
    "joiners": _filled("let x", "\u200d\u200c", " = smile=1"),
    "capitals": _lines("SAMPLE FROM FFHQ WHERE SMILE=1\n"),
    "huge numbers": _lines("sample 1e999999 from ffhq where age=-0 seed 1e308 as g{i}\n"),
    "texts with escapes": _lines('sample from ffhq as "\\n\\"{i}\\\\"\n'),
    "null bytes": _filled("", "\x00"),
    "half characters": _filled("", "\ud800 "),
    "prose": _filled("", "Please generate a picture of a smiling woman with glasses. "),
    "python": _lines("for i in range({i}): print(sample(i))\n"),
    "sql": _lines("SELECT * FROM faces WHERE smile == 1 AND age BETWEEN 1 AND {i};\n"),
    "weights of prompts": _filled("sample from ffhq where ", "(smile:1.2), "),
    # What is usual.
    "ordinary program": _lines(
        "sample 8 from ffhq where (smile=1 [weight 2] or glasses=1) and yaw > 4 deg "
        "truncation 0.7 seed {i} as g{i}\n"
    ),
}
"""By name, texts that once took long, or may."""
