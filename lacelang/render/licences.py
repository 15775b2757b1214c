"""What licences say of the images of models, as far as it is known; docs/weights.md has more."""

from __future__ import annotations

from lacelang.storage.records import GroupRecord

_STYLEGAN = (
    "non-commercial use only: the generator is a derivative of NVIDIA's StyleGAN2, whatever the "
    "package that it came in says"
)
_OF_GENERATORS = {"mobilestylegan": _STYLEGAN, "stylegan2": _STYLEGAN, "stylegan3": _STYLEGAN}
_OF_MODELS = {
    ("digiface", "dcgan"): "MIT (gan-face-generate)",
    ("eyes", "dcgan"): "MIT (omniart-eye-generator)",
    ("digits", "vae"): "Apache-2.0 (lacelang)",
}


def licence_of(group: GroupRecord) -> str:
    """The licence of the weights that made a group's samples, as its card says it."""
    model, generator = (str(group.settings.get(name, "")) for name in ("model", "generator"))
    known = _OF_GENERATORS.get(generator) or _OF_MODELS.get((model, generator))
    said = known or "not known to lacelang; whoever gave you its weights has named one"
    photo = "; the photograph has its own rights, and the person in it theirs"
    return said + (photo if group.of_photo else "")
