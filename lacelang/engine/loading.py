"""A declared model, loaded: its generator, its classifiers, and what their files are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lacelang.classifiers import heads_file
from lacelang.classifiers.classifier import Heads, SeveralHeads
from lacelang.classifiers.identity import IdentityNetwork
from lacelang.energy import ATYPICALITY, Outputs
from lacelang.engine.consent import refuse_foreign
from lacelang.engine.fingerprint import file_digest
from lacelang.errors import ResourceError, WayOut
from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import WITHOUT_FLOAT64, Inverter, choose_device, inverter
from lacelang.generators.generator import Generator, atypicality
from lacelang.ir import ModelSpec
from lacelang.progress import Progress, Silent
from lacelang.rows import on_device, one_by_one, rounds_by_place
from lacelang.semantics.taught import has_classifiers
from lacelang.semantics.weights import beside_classifiers, identity_file, is_imported, weights_of
from lacelang.storage.fetch import WeightsFile
from lacelang.storage.latents import Float32
from lacelang.storage.user_models import file_of
from lacelang.system.threads import forked_after_torch, in_background
from lacelang.system.torch_state import isolated, isolated_steps, plain

# Attributes of a model that hold weights or tensors on its device, or are of this machine alone.
_LOADED = ("generator", "heads", "identity", "_halfway", "_alone", "_results", "_lock")
# A result takes up to 10 MB.
_MOST_RESULTS = 8
Result = TypeVar("Result")
Output = TypeVar("Output", bound=Tensor | Outputs)


class Model:
    """A generator and the classifiers that judge its latents.

    The classifiers are read when they are first needed. It is pickled as its declaration, and an
    unpickled model loads the rest when that is needed. A copy is the model itself.

    Attributes:
        device: where the networks are.
    """

    def __init__(
        self,
        spec: ModelSpec,
        generator: Generator,
        device: torch.device,
        taught: Mapping[str, str] | None = None,
    ) -> None:
        self.name = spec.name
        self.generator = generator
        self.space = spec.space  # what the classifiers read
        self.device = device
        self._spec = spec
        self._taught = dict(taught or {})
        self._begin()

    def _begin(self) -> None:
        self._alone: dict[tuple[str, torch.dtype], bool] = {}
        self._results: dict[Hashable, Any] = {}
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: each for name, each in self.__dict__.items() if name not in _LOADED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()
        # Another machine may lack the device.
        try:
            choose_device(self.device.type)
        except ResourceError:
            self.device = choose_device("auto")

    def __deepcopy__(self, memo: object) -> Model:
        return self

    @cached_property
    def generator(self) -> Generator:
        """Mapping and decoder; may raise a `ResourceError` in an unpickled model."""
        return load(self._spec, self.device.type, Silent()).generator

    @cached_property
    def heads(self) -> Heads | SeveralHeads:
        """Classifiers, (N, inputs) → outputs by attribute, calibrated; read from their files."""
        spec, attributes = self._spec, self._spec.attributes
        files = {name: [a for a in attributes if a.name == name] for name in spec.taught}
        # They outlive the call that first asks for them, and its modes.
        with isolated():
            found = []
            if spec.declared or not spec.taught:
                found.append(heads_file.load(trained_classifiers(spec), spec.declared).heads)
            found += [
                heads_file.load(spec.taught[n], declared).heads for n, declared in files.items()
            ]
            found = [heads.to(self.device) for heads in found]
        return SeveralHeads(found) if len(found) > 1 else found[0]

    @cached_property
    def identity(self) -> IdentityNetwork:
        """The network of who a face is; a ResourceError if the model has none."""
        path = identity_file(self._spec)
        if path is None:
            raise ResourceError(
                f"the model {self.name} has no network of identity", "leave `keep identity` out"
            )
        with isolated():
            return IdentityNetwork.load(path, self.generator).to(self.device)

    def remembered(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what `make` computed for the model under this key, now or among the last few."""
        with self._lock:  # others that ask for the same meanwhile wait for it
            if key not in self._results:
                result = make()
                while len(self._results) >= _MOST_RESULTS:
                    del self._results[next(iter(self._results))]
                self._results[key] = result
            found: Result = self._results[key]
            return found

    @property
    def latents_device(self) -> torch.device:
        """Where samplers compute: on the CPU, if the networks' device has no float64."""
        return torch.device("cpu") if self.device.type in WITHOUT_FLOAT64 else self.device

    @property
    def sigma(self) -> Mapping[str, float]:
        """By continuous attribute, the held-out residual in its units."""
        return self.heads.sigma

    def inverter(self, progress: Progress) -> Inverter:
        """What takes photographs in; the checker refuses models that have none."""
        return self.remembered(
            "inverter",
            lambda: inverter(ARCHITECTURES[self._spec.generator], self.generator, progress),
        )

    def weights(self, conditioned: bool) -> dict[str, str]:
        """What samples depend on, by role: files by their SHA-256, and the kind of device.

        Draws from the prior, which are not `conditioned`, do not depend on classifiers.
        """
        named = {"generator": str(self._spec.sha256), "device": self.device.type}
        if not conditioned:
            return named
        # Where there are only taught attributes, no others are asked for.
        if not self._taught or has_classifiers(self._spec):
            named["classifiers"] = self._classifiers
        return named | {f"taught {name}": digest for name, digest in self._taught.items()}

    @cached_property
    def _classifiers(self) -> str:
        return file_digest(trained_classifiers(self._spec))

    @property
    def identity_digest(self) -> str:
        """SHA-256 of the file of its network of identity, and what its encoder depends on."""
        path = identity_file(self._spec)
        if path is None:
            return "missing"
        return f"{file_digest(path)}-{self.inverter(Silent()).digest}"

    def styles(self, z: Tensor, truncation: float) -> Tensor:
        """Latents z (N, d) → truncated w (N, d'), what the decoder is given."""
        return self.generator.truncate(self._mapped(z), truncation)

    def judge(self, z: Tensor, w: Tensor) -> Outputs:
        """What the classifiers say of latents z (N, d) whose truncated styles are w (N, d')."""
        return self.heads_at(z if self.space == "z" else self._read_of(w))

    def heads_at(self, x: Tensor) -> Outputs:
        """What the classifiers say of rows (N, d) of the space that they look at."""
        return self._of_rows("heads", self.heads, x)

    def judge_styles(self, w: Tensor) -> Outputs:
        """What the classifiers, if they are on w, say of truncated styles (N, d') alone."""
        return self.heads_at(w)

    def unlike(
        self, before: Tensor, after: Tensor, said: Callable[[Tensor], Tensor]
    ) -> Callable[[Tensor], Tensor]:
        """How unlike a face is to itself before an edit, given styles (1, styles, d') at both ends.

        What is `said` of the w (N, d') that the generator's encoder sees in the image is held:
        classifiers of w are wrong about faces whose styles differ.

        Returns:
            A function from styles near those after the edit to a scalar; see `IdentityNetwork`.
        """

        def held(images: Tensor) -> Tensor:
            w = self.generator.colour(reader.seen(images.cpu()).to(self.device))
            return said(w.to(self.latents_device)).to(self.device)

        reader = self.inverter(Silent())
        begun, edited = (
            torch.tensor(image).to(self.device) for image in self.decode(torch.cat([before, after]))
        )
        ends = before.to(self.device), begun, after.to(self.device), edited
        found = self.identity.unlike(*ends, held)
        return lambda styles: found(styles.to(self.device)).to(styles.device)

    def features(self, truncation: float) -> Callable[[Tensor], Outputs]:
        """Return the function from latents z (N, d) to the classifiers' outputs."""
        return partial(self._features, truncation)

    def _features(self, truncation: float, z: Tensor) -> Outputs:
        return self.judge(z, z if self.space == "z" else self.styles(z, truncation))

    def flow_features(self, z: Tensor, truncation: float) -> Outputs:
        """What `features` gives, with how atypical the latent is of the prior beside it, (N,)."""
        w = self._mapped(z)
        outputs = self.judge(z, self.generator.truncate(w, truncation))
        return {**outputs, ATYPICALITY: atypicality(self._whiten(w))}

    def to_edit_coordinates(self, w: Tensor, truncation: float) -> Tensor:
        """Truncated w (N, d) → the coordinates (N, d) that edits move in.

        Halfway between whitened w and w itself: along a principal axis of w with standard
        deviation s under the prior, a unit here is sqrt(s rms(s)) in w. A gradient in whitened w
        goes too far along the few axes on which faces differ most; one in w itself finds axes on
        which only the classifiers see a difference.
        """
        return self._whiten(self.generator.untruncate(w, truncation)) / self._halfway

    def from_edit_coordinates(self, u: Tensor, truncation: float) -> Tensor:
        """Edit coordinates (N, d) → truncated w (N, d)."""
        w = self._of_rows("colour", self.generator.colour, self.whitened(u))
        return self.generator.truncate(w, truncation)

    def whitened(self, u: Tensor) -> Tensor:
        """Edit coordinates (N, d) → whitened ones (N, d), N(0, I) for the prior."""
        return u * self._halfway

    def _read_of(self, w: Tensor) -> Tensor:
        """What classifiers read of truncated w (N, d'): w itself, or its images."""
        if self.space != "image":
            return w
        return self._of_rows("thumbnails", self.generator.thumbnails, w)

    def _mapped(self, z: Tensor) -> Tensor:
        w: Tensor = self._of_rows("mapping", self.generator.mapping, z)
        return w

    def _whiten(self, w: Tensor) -> Tensor:
        return self._of_rows("whiten", self.generator.whiten, w)

    def _of_rows(self, name: str, function: Callable[[Tensor], Output], x: Tensor) -> Output:
        """Apply a network to rows (N, d), one by one if it rounds them by their place."""
        if torch.compiler.is_compiling():
            return function(x)
        if x.device.type != self.device.type:
            there: Any = on_device
            function = partial(there, function, self.device)
        key = name, x.dtype
        if key not in self._alone:
            self._alone[key] = rounds_by_place(function, x)
        alone: Any = one_by_one
        return alone(function, x) if self._alone[key] and len(x) else function(x)

    @cached_property
    def _halfway(self) -> Tensor:
        s = self.generator.deviations
        # Kept, and used with gradients later, wherever it is first asked for.
        with isolated(threads=False):
            return (s / s.square().mean().sqrt()).rsqrt().to(self.latents_device)

    def decode(self, w: Tensor | Float32) -> Iterator[NDArray[np.uint8]]:
        """Decode truncated w (N, d') or w+ (N, styles, d') to uint8 (H, W, 3), in order."""

        def decoded() -> Iterator[NDArray[np.uint8]]:
            x = plain(w) if isinstance(w, Tensor) else torch.from_numpy(np.ascontiguousarray(w))
            yield from self.generator.decode(x.to(self.device))

        return isolated_steps(decoded())

    def prepare(self) -> None:
        """Get the decoder ready in another thread."""

        def prepare() -> None:
            # What goes wrong here goes wrong again in `decode`, which reports it.
            with contextlib.suppress(Exception), isolated():
                self.generator.prepare()

        in_background(prepare, "prepare")


class Models:
    """Models by their declaration, each loaded once while it is kept here."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[object, ...], Model] = {}

    def load(self, spec: ModelSpec, device: str, progress: Progress) -> Model:
        """Load a declared model, or return it if it is here.

        Raises:
            ResourceError: weights cannot be had, are damaged, or do not fit the declaration.
        """
        if forked_after_torch():
            # The threads of the parent's pool are missing here, and would be waited for.
            torch.set_num_threads(1)
        where = choose_device(device)
        files = spec.package, spec.version, spec.sha256, spec.file, spec.path, spec.classifiers
        # An attribute may be taught anew while its model is here.
        taught = {name: file_digest(file) for name, file in spec.taught.items()}
        key = (spec.generator, *files, where, *taught.items())
        if key not in self._loaded and taught:
            generator = self.load(spec.using(()), device, progress).generator
            self._loaded[key] = Model(spec, generator, where, taught)
        elif key not in self._loaded:
            with isolated():
                self._loaded[key] = _load(spec, where, progress)
        return self._loaded[key]

    def release(self) -> None:
        """Drop all models, and with each of them what was computed for it."""
        self._loaded.clear()


#: The models of this process; `lacelang.release` drops them.
MODELS = Models()
load = MODELS.load


def classifiers_of(spec: ModelSpec) -> Path:
    """The file of a model's classifiers, in the folder of its declaration; an error if none."""
    if spec.classifiers is None:
        raise ResourceError(
            f"the model {spec.name} has no classifiers",
            'declare them: classifiers "file.safetensors" on w',
        )
    return file_of(spec.path, spec.classifiers)


def trained_classifiers(spec: ModelSpec) -> Path:
    """The file of a model's classifiers; a ResourceError that says how to get them, if none."""
    path = classifiers_of(spec)
    if not path.exists():
        raise ResourceError(
            f"the model {spec.name} has no classifiers yet, which conditions need: {path}",
            f"run `lacelang label {spec.name}` and `lacelang train {spec.name}`, or teach it "
            f"single attributes with `lacelang teach {spec.name}`",
        )
    return path


def labels_of(spec: ModelSpec) -> Path:
    """The table of labels that a declared model's classifiers were trained on."""
    classifiers_of(spec)  # which has to be declared
    return beside_classifiers(spec, "labels")


def _load(spec: ModelSpec, device: torch.device, progress: Progress) -> Model:
    weights = weights_of(spec)
    if is_imported(spec) and isinstance(weights, WeightsFile) and not weights.path.is_file():
        raise ResourceError(
            f"the generator of {spec.name} is not here: it has to be imported from `{spec.file}` "
            f"of its authors' releases",
            f"download `{spec.file}`, then import the file",
            {WayOut.IMPORT: spec.name},
        )
    refuse_foreign(spec.generator, weights)
    generator = ARCHITECTURES[spec.generator].load(
        weights, device, progress=progress, help_=f"lacelang models fetch {spec.name}"
    )
    return Model(spec, generator, device)
