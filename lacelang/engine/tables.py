"""A group's records as columns, and as tables of pandas and Arrow."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lacelang.errors import ResourceError
from lacelang.storage.records import GroupRecord

EXTRA = "pip install 'lacelang[tables]'"


def columns_of_records(record: GroupRecord) -> dict[str, list[Any]]:
    """Return the columns of a group's table, one entry a sample.

    `sample`, `status`, `energy` (nats; None where not finite), `nfe`, `accepted`, `rejected`, and
    `tries` where annotators judged candidates. For each comparison `C`: `C wanted`, its text,
    `C predicted`, a probability or a value in the attribute's unit, and `C holds`. `drawn A`, the
    value that `each` gave attribute A. `seen A`, what annotators saw of it in the image.
    """
    samples = record.samples
    table: dict[str, list[Any]] = {
        "sample": [s.index for s in samples],
        "status": [s.status for s in samples],
        "energy": [s.energy for s in samples],
        "nfe": [s.nfe for s in samples],
        "accepted": [s.accepted for s in samples],
        "rejected": [s.rejected for s in samples],
    }
    if any(s.tries is not None for s in samples):
        table["tries"] = [s.tries for s in samples]
    for atom in record.atoms:
        kinds = (f"{atom.text} {kind}" for kind in ("wanted", "predicted", "holds"))
        table.update(zip(kinds, atom.columns(samples), strict=True))
    for name in dict.fromkeys(name for s in samples for name in s.drawn):
        table[f"drawn {name}"] = [s.drawn.get(name) for s in samples]
    for name in dict.fromkeys(name for s in samples for name in s.seen or ()):
        table[f"seen {name}"] = [(s.seen or {}).get(name) for s in samples]
    return table


def pandas_table(record: GroupRecord) -> Any:
    """Return the columns as a DataFrame, indexed by `sample`; a ResourceError without pandas."""
    pandas = _library("pandas", "to_pandas")
    return pandas.DataFrame(columns_of_records(record)).set_index("sample")


def arrow_table(record: GroupRecord) -> Any:
    """Return the columns as an Arrow table; a ResourceError without pyarrow."""
    return _library("pyarrow", "to_arrow").table(columns_of_records(record))


def _library(name: str, method: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ResourceError(f"`{method}` needs {name}, which is not installed", EXTRA) from None
