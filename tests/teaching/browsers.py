"""A browser for the tests of pages: one that is here, or Debian's Chromium, which root installs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

VARIABLE = "LACELANG_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def found() -> str | None:
    """The path of a browser of Chromium's kind."""
    named = os.environ.get(VARIABLE)
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


def can_be_had() -> bool:
    """Whether there is one, or this process may install Debian's."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return found() is not None or (root and shutil.which("apt-get") is not None)


def install() -> str:
    """Return a browser, after installing Debian's if there is none."""
    if found() is None:
        for command in ("update -q", "install -y -q --no-install-recommends chromium"):
            subprocess.run(["apt-get", *command.split()], check=True, capture_output=True)
    path = found()
    assert path is not None
    return path


@contextmanager
def launched(path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()
