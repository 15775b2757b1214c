"""CLIP networks, run by open_clip with weights of the user's."""

from lacelang.annotators.prompted import Prompted

CLIP = Prompted(
    "clip",
    "the class whose prompts a CLIP network finds most similar to the image",
    "lacelang.annotators.prompted.clip.annotator:make",
    weights=True,
)
DECLARED = (CLIP,)
