"""What is taught: an attribute of a model, and the draws that its labels are of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from attrs import frozen

from lacelang.classifiers import labelling, labels
from lacelang.classifiers.draws import Draws, at_indices
from lacelang.classifiers.few_labels import Floats, Prior
from lacelang.embedding.values import word_of
from lacelang.engine.loading import labels_of, load
from lacelang.errors import LaceError, ProgramError, UsageError
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute, ModelSpec
from lacelang.progress import Progress
from lacelang.semantics.check import check
from lacelang.semantics.taught import has_classifiers
from lacelang.storage.files import is_folder_name, read_regular
from lacelang.storage.user_models import attributes_dir
from lacelang.text.names import folded

#: Draws that can be labelled by their index, and the highest seed.
MOST_DRAWS = 1_000_000
MOST_SEED = 2**63 - 1
#: Draws of the prior from which its moments are estimated, and from which questions are chosen.
POOL = 4096
#: Bytes of the longest file of labels.
LONGEST = 64 << 20

_SEED = re.compile(r"#\s*seed\s+(\d+)\s*")


@frozen(eq=False, slots=False)
class Subject:
    """An attribute that is being taught.

    Attributes:
        seed: of the draws from the prior that labels name by their index. Their truncations are
            those of labelling (see `draws`).
    """

    spec: ModelSpec
    attribute: Attribute
    generator: Generator
    seed: int

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self.attribute.name

    def place(self, suffix: str) -> Path:
        """The file of the attribute with that suffix, in the folder of the user's models."""
        return attributes_dir(self.spec.name) / f"{self.name}{suffix}"

    def draws(self, indices: Sequence[int]) -> Draws:
        """The draws of some indices."""
        return at_indices(self.seed, indices, self.generator.latent_dim)

    def inputs(self, draws: Draws) -> Floats:
        """What the classifier reads of draws: truncated w, or z (N, d)."""
        read: Floats = draws.z if self.spec.space == "z" else draws.styles(self.generator).numpy()
        return read

    @cached_property
    def pool(self) -> Floats:
        """The classifier's inputs of the first `POOL` draws."""
        return self.inputs(_pool(self.seed, self.generator.latent_dim))

    @cached_property
    def prior(self) -> Prior:
        """Moments of the classifier's input under the prior."""
        return Prior.of(self.pool)


@lru_cache(maxsize=2)
def _pool(seed: int, dim: int) -> Draws:
    return at_indices(seed, range(POOL), dim)


def subject(
    spec: ModelSpec,
    name: str,
    *,
    kind: str | None = None,
    layers: str | None = None,
    seed: int | None = None,
    progress: Progress,
) -> Subject:
    """Return what is to be taught, with the model's generator loaded.

    Args:
        spec: a model of the library.
        name: of the attribute.
        kind, layers: as in a model's declaration; by default those that the model knows, else
            `binary` and all.
        seed: of the draws; by default that of its labels of before, or of the model's table.

    Raises:
        UsageError: the attribute cannot be taught so.
        ResourceError: weights cannot be had.
    """
    name = _checked_name(spec, name)
    known = next((a for a in spec.attributes if a.name == name), None)
    if known is None or not (kind is None and layers is None):
        known = _declared(spec, name, kind or "binary", layers)
    attribute = known
    if spec.space == "image":
        raise UsageError(f"the classifiers of {spec.name} read images; none can be taught yet")
    if seed is None:
        before = seed_of(attributes_dir(spec.name) / f"{name}.csv")
        seed = default_seed(spec) if before is None else before
    if not 0 <= seed <= MOST_SEED:
        raise UsageError("a seed is a whole number from 0 to 2^63 - 1")
    return Subject(spec, attribute, load(spec.using(()), "cpu", progress).generator, seed)


def seed_of(path: Path) -> int | None:
    """Return the seed that a file of labels names; None if it names none, or cannot be read."""
    text = (read_regular(path, LONGEST) or b"").decode("utf-8-sig", "replace")
    seeds = {int(match[1]) for each in text.splitlines() if (match := _SEED.fullmatch(each))}
    if len(seeds) > 1:
        raise UsageError(f"{path} names several seeds: {', '.join(map(str, sorted(seeds)))}")
    return next(iter(seeds), None)


def default_seed(spec: ModelSpec) -> int:
    """The seed of a model's table of labels; that of `lacelang label` where there is none."""
    try:
        return labels.load(labels_of(spec)).prior_seed
    except LaceError:
        return labelling.SEED


def _checked_name(spec: ModelSpec, name: str) -> str:
    name = word_of(name, "the name of an attribute").name
    if not is_folder_name(name):
        raise UsageError(f"no file can be called {name!r} on every system; choose another name")
    for attribute in spec.declared:
        may_be = attribute.name == name and not has_classifiers(spec)
        if folded(attribute.name) == folded(name) and not may_be:
            raise UsageError(
                f"{spec.name} declares `{attribute.name}` itself, and has classifiers; only "
                "attributes that it does not declare are taught: choose another name"
            )
    for other in (*spec.taught, *spec.damaged):
        if other != name and folded(other) == folded(name):
            raise UsageError(f"{spec.name} was taught `{other}`, which has the same file name")
    return name


def _declared(spec: ModelSpec, name: str, kind: str, layers: str | None) -> Attribute:
    """Return the attribute as a declaration of that text has it."""
    behind = f" layers {layers}" if layers is not None else ""
    line = f"attribute {name} : {kind}{behind}"
    if any(sign in f"{kind}{layers or ''}" for sign in "{}#\n\r"):
        raise UsageError(f"`{kind}{behind}` is no kind of an attribute")
    try:
        checked = check(f"model m {{\n generator {spec.generator}\n {line}\n}}\n")
    except ProgramError as error:
        first = error.diagnostics[0]
        hint = f": {first.hint}" if first.hint else ""
        raise UsageError(f"`{kind}{behind}`: {first.message}{hint}") from None
    (attribute,) = checked.models[0].attributes
    last = None if spec.layout is None else spec.layout.layers - 1
    if last is not None and attribute.layers and max(attribute.layers) > last:
        raise UsageError(f"layers are whole numbers from 0 to {last}, in rising order")
    return attribute
