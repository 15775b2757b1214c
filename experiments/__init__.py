"""The paper's tables on faces: each is a short spec, judged by `lacelang.evaluate`.

    python -m experiments conditional --faces 64 --out DIR

A spec is a module of `experiments.specs` with a function `study(progress, faces) -> Report`, and
the paper's figures as data; `MODEL` names its model, if that is not `ffhq`. Specs are found by
their module names; there is no list.
"""
