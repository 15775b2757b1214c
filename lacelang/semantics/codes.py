"""What each code of a diagnostic means, in a phrase."""

from __future__ import annotations

import tomllib
from pathlib import Path

CODES: dict[str, str] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
"""The meaning of every diagnostic, by its code, in the order of the codes."""
