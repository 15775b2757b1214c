"""Strategies: texts of conditions on ffhq and of whole programs, all of which parse and check."""

from __future__ import annotations

from hypothesis import strategies as st

_BINARY = st.sampled_from(["smile", "glasses", "beard"])
_MEASURED = {"yaw": (-45, 45, " deg"), "age": (0, 70, " years"), "light0": (0, 1, "")}


@st.composite
def _measured(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(_MEASURED)))
    low, high, unit = _MEASURED[name]
    unit = draw(st.sampled_from(["", unit]))
    values = st.integers(0, 100).map(lambda i: low + (high - low) * i / 100)
    if draw(st.booleans()):
        a, b = sorted([draw(values), draw(values)])
        return f"{name} in {a}{unit}..{b}{unit}" if a < b else f"{name} = {a}{unit}"
    operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    return f"{name} {operator} {draw(values)}{unit}"


def discrete_comparisons() -> st.SearchStrategy[str]:
    """Comparisons of classes."""
    return st.one_of(
        st.tuples(_BINARY, st.sampled_from(["=1", " = 0", " != 1"])).map("".join),
        st.sampled_from(["gender=male", "haircolor in {gray, blond}", "haircolor != red"]),
    )


_ATOMS = st.one_of(
    discrete_comparisons(),
    _BINARY.map(lambda name: f"{name} ~ 0.6"),
    st.sampled_from(["yaw=left", "age = child", "yaw in {left, right}"]),
    _measured(),
)
_WEIGHTS = st.sampled_from(["", "", " [weight 2]", " [temp 0.5]", " [weight 0.5, temp 2]"])
_TEMPERATURES = st.sampled_from(["", "", " [temp 0.5]"])


def predicates(odds: bool = True, max_leaves: int = 8) -> st.SearchStrategy[str]:
    """Conditions on ffhq without errors; those without `odds` fit `disjunction exact`."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        terms, disjuncts = (
            st.lists(
                st.tuples(inner, settings).map(lambda t: f"({t[0]}){t[1]}"), min_size=2, max_size=4
            )
            for settings in (_WEIGHTS, _WEIGHTS if odds else _TEMPERATURES)
        )
        return st.one_of(
            terms.map(" and ".join),
            disjuncts.map(" or ".join),
            st.tuples(inner, inner).map(lambda t: f"({t[0]}) xor ({t[1]})"),
            st.tuples(inner, inner).map(lambda t: f"({t[0]}) implies ({t[1]})"),
            inner.map(lambda p: f"not ({p})"),
        )

    return st.recursive(_ATOMS, grow, max_leaves=max_leaves)


_CLAUSES = [
    st.sampled_from(["truncation 0.7", "truncation 1"]),
    st.integers(0, 2**40).map(lambda n: f"seed {n}"),
    st.sampled_from(["temp 0.5", "temp 2"]),
    st.sampled_from(
        ["with heun", "with heun(tolerance=1e-2)", "with dopri5", "with langevin(preset=paper)"]
    ),
    st.sampled_from(["negation complement", "negation contrast(0.1)"]),
    st.sampled_from(["disjunction balanced", "disjunction equal"]),
    st.sampled_from(["sigma paper", "sigma residual"]),
]
_LAYERS = st.sampled_from(["", "", " in layers all", " in layers 0..3, 7", " in layers declared"])
_EDIT_CLAUSES = [
    st.sampled_from(["stay 0", "stay 0.1"]),
    st.sampled_from(["hold 0.1", "hold all(0.2)", "hold later(0)"]),
    st.sampled_from(["layers all", "layers declared", "layers 4..5, 10"]),
    st.sampled_from(["reweight on", "reweight off"]),
    st.sampled_from(["keep identity", "keep identity 2", "keep identity 0"]),
    st.sampled_from(["with heun", "with exponential(tolerance=1e-2)"]),
    *_CLAUSES[-3:],
]
_GAPS = st.sampled_from([" ", "\n", "\n  ", "  # a remark\n", "\n# a line of its own\n"])


# Of attributes that no condition of `predicates` is about.
_DRAWN = st.sampled_from(
    ["", "", "pitch = each -10..10 deg and ", "width = each {0.2: 3, 0.8} [weight 2] and "]
)


@st.composite
def samples(draw: st.DrawFn, name: str | None = None) -> str:
    """One `sample` statement without errors."""
    clauses = ["from ffhq"]
    if draw(st.booleans()):
        clauses.append(f"where {draw(_DRAWN)}({draw(predicates())})")
    clauses += [draw(c) for c in _CLAUSES if draw(st.integers(0, 3)) == 0]
    if name is not None:
        clauses.append(f"as {name}")
    clauses = draw(st.permutations(clauses))
    count = draw(st.sampled_from(["", " 8", " 16"]))
    return f"sample{count}" + "".join(draw(_GAPS) + clause for clause in clauses)


@st.composite
def edits(draw: st.DrawFn, group: str, name: str) -> str:
    """One `edit` statement of `group` without errors."""
    tuned = st.tuples(predicates(), _WEIGHTS).map(lambda t: f"({t[0]}){t[1]}")
    line = st.tuples(st.one_of(predicates(), tuned), _LAYERS).map("".join)
    lines = draw(st.lists(line, min_size=1, max_size=3))
    clauses = [draw(c) for c in _EDIT_CLAUSES if draw(st.integers(0, 3)) == 0]
    clauses = draw(st.permutations([*clauses, f"as {name}"]))
    body = "".join(draw(_GAPS) + line for line in lines)
    return f"edit {group} {{{body}\n}}" + "".join(draw(_GAPS) + clause for clause in clauses)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Whole programs without errors."""
    parts = [f"let l{i} = {draw(predicates())}" for i in range(draw(st.integers(0, 2)))]
    lets = len(parts)
    for i in range(draw(st.integers(1, 3))):
        parts.append(draw(samples(f"g{i}")))
        if lets and draw(st.booleans()):
            parts.append(f"sample from ffhq where l0 or not l{lets - 1} seed 1")
        if draw(st.booleans()):
            parts.append(draw(edits(f"g{i}", f"e{i}")))
        if draw(st.booleans()):
            picked = draw(st.sampled_from(["0", "0 .. 3, 5", "7, 2"]))
            parts.append(f"pick {picked} of g{i} as p{i}")
        if draw(st.booleans()):
            parts.append(f"expect {draw(predicates())} in 90% of g{i}")
    if draw(st.booleans()):
        parts.append(f"measure {draw(predicates())} given {draw(_ATOMS)} from ffhq")
    if draw(st.booleans()):
        parts.append('for t in 2, 1 { sample from ffhq where beard=1 temp t as "b {t}" }')
    gaps = [draw(st.sampled_from(["\n", "\n\n", "\n\n\n# between\n"])) for _ in parts]
    return "".join(part + gap for part, gap in zip(parts, gaps, strict=True))
