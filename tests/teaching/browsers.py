"""A browser for the tests of pages: one that is here, or Debian's Chromium, which root installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

VARIABLE = "LACELANG_BROWSER"
_PATIENCE = 180
"""Seconds that a step of the installation may take."""
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
    """Whether there is one, after installing Debian's if there is none and this process may."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if found() is None and root and shutil.which("apt-get") is not None:
        import fcntl

        # Other workers of the tests come here at the same time.
        with (Path(tempfile.gettempdir()) / "lacelang-browser.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if found() is None:
                # Without a network the tests of pages are left out.
                with suppress(subprocess.SubprocessError, OSError):
                    _install()
    return found() is not None


def _install() -> None:
    for command in ("update -q", "install -y -q --no-install-recommends chromium"):
        subprocess.run(
            ["apt-get", *command.split()],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )


@contextmanager
def launched(path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Any, url: str, ready: str, patience: float = 30.0, **how: Any) -> Any:
    """A page on which `ready`, a selector, is there; what its console says is in `said`.

    `patience` is how many seconds a step may take; `how` are options of a context of playwright's.
    """
    page = browser.new_context(**how).new_page()
    page.set_default_timeout(1000 * patience)
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(url)
    page.wait_for_selector(ready)
    return page
