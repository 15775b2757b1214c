"""The folder of the user's own models: imported generators, and attributes that were taught."""

from __future__ import annotations

import os
from pathlib import Path

#: Environment variable that moves the folder.
MODELS_VARIABLE = "LACELANG_MODELS"


def models_dir() -> Path:
    """The folder of the user's models; not created by asking."""
    named = os.environ.get(MODELS_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("lacelang", appauthor=False) / "models"


def attributes_dir(model: str) -> Path:
    """The folder of the attributes that a model was taught; not created by asking."""
    return models_dir() / f"{model}.attributes"
