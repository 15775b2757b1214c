"""`lacelang studio`: a program, sliders and pictures on a live page."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lacelang.errors import WayOut
from lacelang.system.signals import EndedError
from lacelang.text.channels import say

WAYS = {
    WayOut.ALLOW: "start the studio with --allow-fetch to allow it",
    WayOut.IMPORT: "type `lacelang models import FILE --name {}` in a terminal",
}
ELSEWHERE = "start the studio with --root to name another folder"


def open_studio(arguments: Namespace) -> int:
    """Serve the studio until Ctrl-C."""
    from lacelang.web.serving import Serving
    from lacelang.web.studio.application import application
    from lacelang.web.studio.files import opened
    from lacelang.web.studio.studio import MOST_BYTES, Studio

    path = Path(arguments.file) if arguments.file is not None else None
    files = opened(path, arguments.root)
    studio = Studio(files, arguments.allow_fetch, arguments.model, WAYS, ELSEWHERE)
    try:
        serving = Serving(
            application(studio, lambda: serving.ending), arguments.port or 0, MOST_BYTES
        )
        say("The studio is at this address, for browsers of this machine; Ctrl-C ends it:")
        serving.run(lambda: _begin(serving.url, arguments.open))
    except EndedError:
        raise
    except KeyboardInterrupt:
        # How a studio is ended; nothing was cut short.
        say("the studio has ended")
    finally:
        studio.close()
    return 0


def _begin(url: str, browse: bool) -> None:
    print(url, flush=True)
    if browse:
        import threading
        import webbrowser

        # A browser that is slow to come does not hold the page up.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
