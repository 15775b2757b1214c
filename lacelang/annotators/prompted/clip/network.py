"""CLIP networks from files of the user's. Nothing is downloaded, and no pickle is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from lacelang.errors import ResourceError, UsageError
from lacelang.system.torchvision import import_torchvision

#: Beside weights, as the hub has it: what the network is, and what its images are like.
CONFIG = "open_clip_config.json"
_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
_PREFERRED = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@frozen
class Network:
    """A network: its weights, and its name, or its description as JSON.

    Attributes:
        digest: of the weights, the name and the description.
    """

    weights: Path
    name: str
    config: str
    digest: str

    def load(self) -> tuple[Any, Any, Any]:
        """Return the network, what turns a PIL image into its input, and its tokeniser.

        Raises:
            ResourceError: open_clip is not installed, the weights do not fit, or the network needs
                what would have to be downloaded.
        """
        clip = open_clip()
        config = json.loads(self.config)
        model_config, pixels = config["model_cfg"], config.get("preprocess_cfg", {})
        _refuse_downloads(self.name, model_config)
        model_config = {k: v for k, v in model_config.items() if k != "custom_text"}
        kind = clip.CustomTextCLIP if config["model_cfg"].get("custom_text") else clip.CLIP
        try:
            model = kind(**model_config)
            clip.load_checkpoint(model, str(self.weights), strict=True, weights_only=True)
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            raise ResourceError(
                f"{self.weights} cannot be loaded as {self.name}: {lines[0][:200]}",
                "name the network as open_clip calls it, or use its safetensors file",
            ) from error
        model.eval().requires_grad_(False)
        transform = clip.image_transform(
            model.visual.image_size,
            is_train=False,
            mean=tuple(pixels.get("mean", clip.OPENAI_DATASET_MEAN)),
            std=tuple(pixels.get("std", clip.OPENAI_DATASET_STD)),
        )
        length = model_config["text_cfg"].get("context_length", 77)
        return model, transform, clip.SimpleTokenizer(context_length=length)


def found_network(path: Path, name: str | None = None) -> Network:
    """Find the network of a file of weights, or of a folder with some.

    It is what `open_clip_config.json` beside the weights describes, or open_clip's own network with
    the given name, or with one that is in the name of the file or its folder.

    Raises:
        ResourceError: a file is missing or damaged.
        UsageError: it cannot be told which network it is.
    """
    weights = _weights_in(path)
    beside = weights.parent / CONFIG
    if name is None and beside.is_file():
        name, config = weights.parent.name, _read_config(beside)
    else:
        name = name or _name_in(weights)
        own = open_clip().get_model_config(name)
        if own is None:
            raise UsageError(f"open_clip has no network {name!r}; it has, for one, ViT-B-32")
        config = {"model_cfg": own}
    text = json.dumps(config, sort_keys=True)
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(text.encode())
    return Network(weights, name, text, digest.hexdigest())


def _weights_in(path: Path) -> Path:
    path = path.expanduser().absolute()
    if path.is_dir():
        inside = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES)
        preferred = [p for p in inside if p.name in _PREFERRED]
        if not inside:
            raise ResourceError(f"there are no weights in {path}", "name the file itself")
        if len(inside) > 1 and not preferred:
            names = ", ".join(p.name for p in inside[:5])
            raise UsageError(f"{path} has several files of weights: {names}; name one of them")
        return (preferred or inside)[0]
    if not path.is_file():
        raise ResourceError(
            f"there are no weights at {path}",
            "download an open_clip checkpoint yourself; docs/annotators.md names some",
        )
    if path.suffix not in _SUFFIXES:
        raise UsageError(f"{path.name} is none of {', '.join(_SUFFIXES)}")
    return path


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes())
        if {"embed_dim", "vision_cfg", "text_cfg"} <= config["model_cfg"].keys():
            found: dict[str, Any] = config
            return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise ResourceError(
        f"{path} describes no network of open_clip", "restore it, or name a network of open_clip"
    )


def _name_in(weights: Path) -> str:
    names = open_clip().list_models()
    for text in (weights.stem, weights.parent.name):
        inside = [name for name in names if name.lower() in text.lower()]
        if inside:
            return str(max(inside, key=len))
    raise UsageError(
        f"it cannot be told which network {weights.name} is: name it, such as "
        f"ViT-B-32, or put its {CONFIG} beside it"
    )


def _refuse_downloads(name: str, config: Mapping[str, Any]) -> None:
    """Raise a ResourceError for a network that has parts which only the hub has."""
    text, vision = config["text_cfg"], config["vision_cfg"]
    needs = [
        what
        for what, needed in (
            ("a tokeniser", "hf_tokenizer_name" in text or "siglip" in name.lower()),
            ("a text network", "hf_model_name" in text),
            ("an image network", bool(vision.get("timm_model_pretrained"))),
            ("a decoder of captions", "multimodal_cfg" in config),
        )
        if needed
    ]
    if needs:
        raise ResourceError(
            f"{name} needs {' and '.join(needs)} that would have to be downloaded",
            "use a network with CLIP's own tokeniser, such as ViT-B-32 or ViT-L-14",
        )


@cache
def open_clip() -> Any:
    """Import open_clip; a ResourceError if it is not installed, or does not fit torch."""
    try:
        import_torchvision()
        import open_clip
    except ImportError as error:
        raise ResourceError(
            f"the annotator clip needs open_clip, which is not installed: {error}",
            "install it: pip install 'lacelang[clip]'",
        ) from error
    except RuntimeError as error:
        raise ResourceError(
            f"open_clip cannot be imported: {error}",
            "install the torchvision that belongs to your torch",
        ) from error
    return open_clip
