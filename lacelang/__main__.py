"""`python -m lacelang` is `lacelang`."""

import sys

if __name__ == "__main__":
    try:
        from lacelang.cli.main import main
    except KeyboardInterrupt:
        # Ctrl-C before `main` handles signals.
        sys.exit(130)
    sys.exit(main())
