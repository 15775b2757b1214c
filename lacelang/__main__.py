"""`python -m lacelang` is `lacelang`."""

import sys

from lacelang.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
