"""What differs between how an image was made and how it is made again, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lacelang.storage.provenance import Provenance
from lacelang.text.hidden import in_line


def differences(said: Provenance, made: Provenance, prints: Mapping[str, str]) -> Iterator[str]:
    """Yield what is not as `said`: versions, then settings if fingerprints differ.

    Args:
        said: what the image says.
        made: what its replay says.
        prints: the fingerprints of the groups that were made again, by name.
    """
    for name in dict.fromkeys((*said.versions, *made.versions)):
        then, now = said.versions.get(name), made.versions.get(name)
        if then != now:
            yield f"{name}: {_word(then)} made it, and here is {_word(now)}"
    before = {each.name: each.fingerprint for each in said.came_from}
    before[said.group] = said.fingerprint
    changed = [name for name, fingerprint in prints.items() if fingerprint != before[name]]
    if not changed:
        return
    found = list(_of_settings("", said.settings or {}, made.settings or {}))
    yield from found
    if not found and said.versions.get("lacelang") == made.versions.get("lacelang"):
        yield f"{changed[0]}: its statement means something else here"


def _of_settings(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*then, *now)):
        before, after = then.get(name), now.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _of_settings(f"{where}{in_line(name)[:100]}: ", before, after)
        elif before != after:
            name = in_line(name)[:100]
            yield f"{where}{name}: it was {_word(before)}, and is {_word(after)} here"


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    text = in_line(str(value))
    return text if len(text) <= 80 else f"{text[:79]}…"
