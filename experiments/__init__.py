"""The paper's tables on our own generator: each a short spec, judged by `lacelang.evaluate`.

    python -m experiments conditional --faces 64 --out DIR

A spec is a module of `experiments.specs` with a function `study(progress, faces) -> Report`, and
the paper's figures as data. Nothing lists them: a new module is found by its name.
"""
