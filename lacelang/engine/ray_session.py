"""Ray: started for one run, or joined where a cluster is there already, and left as it was."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lacelang.errors import ResourceError
from lacelang.system.threads import cores

EXTRA = "pip install 'lacelang[ray]'"

#: Of the memory that processes of this machine share, in bytes.
_STORE = 256 << 20
#: The longest name of a socket below the folder for temporary files, and the bytes that the whole
#: path may have on every system.
_SOCKET = "/rayabcd1234/session_2025-01-31_23-59-59_123456_4194304/sockets/plasma_store"
_LONGEST = 103 - len(_SOCKET)


def imported() -> Any:
    """Import Ray; without it there is a ResourceError."""
    # It would report its use to its authors' server, and ask `uv` how the program was started.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if "RAY_AUTH_MODE" not in os.environ:
        # Only this process and its children; Ray would make one, and keep it in a file.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        # It would tell everybody that there is one, and how to do without.
        logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
    try:
        import ray
    except ImportError:
        raise ResourceError(
            "more than one worker needs Ray, which is not installed", EXTRA
        ) from None
    return ray


@contextmanager
def started(ray: Any, wanted: int | str | None) -> Iterator[int]:
    """Start Ray for so many workers, or join a cluster; gives how many threads each may use.

    Raises:
        ResourceError: it cannot be started, or the cluster cannot be reached.
    """
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(_signals_kept())
        below = None if isinstance(wanted, str) else _short_folder()
        try:
            if isinstance(wanted, str):
                stack.callback(ray.shutdown)
                with warnings.catch_warnings():
                    # What it warns of on its way to an error is in the error.
                    warnings.simplefilter("ignore", UserWarning)
                    ray.init(wanted, **quiet)
                threads = 1
            else:
                assert wanted is not None
                folder = tempfile.mkdtemp(prefix="ray", dir=below)
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                stack.callback(ray.shutdown)
                ray.init(
                    "local",
                    num_cpus=wanted,
                    include_dashboard=False,
                    object_store_memory=_STORE,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=folder,
                    **quiet,
                )
                threads = max(1, cores() // wanted)
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            if isinstance(wanted, str):
                raise ResourceError(
                    f"{wanted} cannot be reached: {said}",
                    "is it the address of Ray's client server, whose port is 10001 by default?",
                ) from error
            raise ResourceError(
                f"Ray cannot be started: {said}", "run it without workers, or look into Ray's logs"
            ) from error
        # Ctrl-C and SIGTERM are the command's again while workers work.
        for number, handler in before.items():
            signal.signal(number, handler)
        yield threads


@contextmanager
def _signals_kept() -> Iterator[dict[int, Any]]:
    """Give the handlers of signals that Ray replaces, and put them back at the end."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [signal.SIGINT, signal.SIGTERM]
        before = {int(number): signal.getsignal(number) for number in numbers}
    try:
        yield before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _short_folder() -> str:
    """The folder for Ray's sockets, whose paths have to be short."""
    folder = tempfile.gettempdir()
    if os.name != "nt" and len(os.fsencode(folder)) > _LONGEST:
        raise ResourceError(
            f"the path of the folder for temporary files is too long for Ray's sockets: {folder}",
            f"set TMPDIR to a folder whose path has at most {_LONGEST} bytes",
        )
    return folder
