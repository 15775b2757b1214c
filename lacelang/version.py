"""The version of the installed package."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("lacelang")
except PackageNotFoundError:
    # A checkout on sys.path that nobody installed.
    __version__ = "0+unknown"
