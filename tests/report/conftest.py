from __future__ import annotations

from pathlib import Path

import pytest
from report_texts import HOSTILE
from tiny import AGE_40, GLASSES_1, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.engine import plan

SOURCE = """# a comment </pre><script>alert(2)</script>
sample 5 from tiny where glasses=1 as kids
"""


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a small model: two groups of conditions, one of draws and an edited one."""
    out = tmp_path_factory.mktemp("report") / "run"
    hostile = ir.Discrete(GLASSES_1.attribute, frozenset({1}), text=f'glasses = "{HOSTILE}"')
    statements = (
        statement("kids", 5, where=ir.And((GLASSES_1, AGE_40), text="glasses=1 and age=40")),
        statement("few steps", 3, sampler=ir.SamplerChoice("heun", {**HEUN, "max_steps": 1})),
        statement("draws & <b>bold</b>", 2, where=None),
        statement("hostile", 2, where=hostile),
        edit("kids", "edited"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "load", lambda spec, device, progress: TinyModel())
        program(*statements, source=SOURCE).run(out=out)
    return out


HEUN = {"tolerance": 1e-3, "time": 5.0, "max_steps": 1000}
