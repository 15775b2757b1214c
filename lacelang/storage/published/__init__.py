"""Files of trained networks as their authors publish them: pickles and torch's own formats.

A pickle is a program. Here it is read as data: nothing that it names is imported or called, only
containers and inert records are built, and what is not on the list of allowed names is refused.
Nothing here imports `pickle` or torch.
"""

from lacelang.storage.published.files import read_data, read_published
from lacelang.storage.published.records import Global, Record, RefusedError

__all__ = ["Global", "Record", "RefusedError", "read_data", "read_published"]
