"""Histograms of a group's attributes beside the prior's, where the model is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from lacelang.errors import LaceError, ResourceError
from lacelang.ir import ModelSpec
from lacelang.report.charts import Histogram, of_classes, of_values
from lacelang.semantics.modules import library_models
from lacelang.semantics.weights import weights_of
from lacelang.storage.reading import FoundGroup
from lacelang.storage.records import GroupRecord

if TYPE_CHECKING:
    from lacelang.engine.loading import Model
    from lacelang.generators.declaration import Device

MOST = 1000
"""Of so many samples of a group, the first ones, attributes are predicted."""


@frozen(eq=False)
class Distributions:
    """Histograms of a group.

    Attributes:
        prior: what is shown beside the group; empty without it.
        missing: why it is not; empty where it is, or where nothing is missed.
    """

    charts: tuple[Histogram, ...] = ()
    prior: str = ""
    missing: str = ""


class _MissingError(Exception):
    """Why there are no predictions of a model."""


@frozen(eq=False)
class Predictions:
    """Predictions of groups by models that are on this machine; nothing is fetched.

    Attributes:
        declared: models that a program declares; without it, only models of the standard library
            and of the user are loaded, for a folder may be a stranger's.
        device: where to compute.
    """

    declared: Mapping[str, ModelSpec] = field(factory=dict)
    device: Device = "auto"
    _models: dict[str, tuple[ModelSpec, Model] | str] = field(factory=dict, init=False)

    def distributions(self, group: FoundGroup, compared_only: bool = False) -> Distributions:
        """Return the histograms of a group, of all attributes if its model is at hand.

        Args:
            compared_only: leave out attributes that the group's condition does not compare.
        """
        record = group.record
        if not record.samples:
            return Distributions()
        try:
            charts = self._beside_prior(group, compared_only)
        except _MissingError as missing:
            return Distributions(of_readings(record), missing=str(missing))
        except LaceError as error:
            text = f"Predictions of the prior are missing: {error}."
            return Distributions(of_readings(record), missing=text)
        psi = record.settings.get("truncation")
        return Distributions(charts, f"draws from the prior, truncation {psi}")

    def _beside_prior(self, group: FoundGroup, compared_only: bool) -> tuple[Histogram, ...]:
        from lacelang.engine.predicted import of_prior, of_samples

        record = group.record
        spec, model = self._model(record)
        count = min(len(record.samples), MOST)
        psi = record.settings.get("truncation")
        if len(group.latents) < count or not isinstance(psi, int | float):
            raise _MissingError("The latents of this group are not whole.")
        own = of_samples(model, spec, group.latents.rows(range(count)))
        if own is None:
            raise _MissingError("The classifiers of the model cannot judge these latents alone.")
        prior = of_prior(model, spec, float(psi))
        compared = list(dict.fromkeys(atom.attribute for atom in record.atoms))
        others = [a.name for a in spec.attributes if a.name not in compared]
        names = compared if compared_only and compared else compared + others
        attributes = {a.name: a for a in spec.attributes}
        charts = []
        for name in names:
            attribute = attributes.get(name)
            if attribute is not None and name in own.shares:
                shares = list(own.shares[name]), list(prior.shares[name])
                charts.append(of_classes(name, attribute.values, *shares))
            elif attribute is not None and name in own.values:
                values = own.values[name], prior.values[name]
                unit = getattr(attribute, "unit", None)
                charts.append(of_values(name, *values, unit, attribute.limits))
        return tuple(charts)

    def _model(self, record: GroupRecord) -> tuple[ModelSpec, Model]:
        """The model of a group, which must be the one that its samples are of."""
        name = str(record.settings.get("model"))
        if name not in self._models:
            self._models[name] = self._loaded(name)
        found = self._models[name]
        if isinstance(found, str):
            raise _MissingError(found)
        made_of = record.settings.get("weights")
        now = found[1].weights(conditioned=True)
        same = isinstance(made_of, Mapping) and all(
            made_of.get(role) in (None, digest)
            for role, digest in now.items()
            if role in ("generator", "classifiers")
        )
        if not same:
            raise _MissingError(
                f"The weights of {name} have changed since, so that they cannot tell the "
                "distributions of these samples and of the prior."
            )
        return found

    def _loaded(self, name: str) -> tuple[ModelSpec, Model] | str:
        from lacelang.engine.loading import load
        from lacelang.generators import ARCHITECTURES
        from lacelang.progress import Silent

        spec = self.declared.get(name) or library_models().get(name)
        if spec is None:
            return (
                f"The model {name} is declared by the program; a report that the run itself writes "
                "shows distributions of the prior, too."
            )
        # Taught attributes may lack their files; samples were not judged by them.
        spec = spec.using(())
        known = ARCHITECTURES.get(spec.generator)
        if known is None or not known.is_ready(weights_of(spec)):
            return (
                f"The weights of {name} are not on this machine, so that the prior is not shown; "
                f"`lacelang models fetch {name}` fetches them."
            )
        try:
            model = load(spec, self.device, Silent())
            _ = model.heads
        except ResourceError as error:
            return f"The prior is not shown: {error}."
        return spec, model


def of_readings(record: GroupRecord) -> tuple[Histogram, ...]:
    """Histograms of what the records read, without a model."""
    found: dict[str, Histogram] = {}
    for atom in record.atoms:
        values = [sample.readings.get(atom.text) for sample in record.samples]
        known = np.array([value for value in values if value is not None], float)
        if not len(known):
            continue
        if atom.reading == "probability":
            title = f"P({atom.text})"
            found[title] = of_values(title, known, None, None, (0.0, 1.0))
        else:
            found[atom.attribute] = of_values(atom.attribute, known, None, atom.unit)
    return tuple(found.values())
