"""Two DCGANs (Radford et al. 2016): faces, and painted eyes of a colour that is asked for."""

from lacelang.generators.declaration import Architecture, Layout

Z = 100
EYE_COLORS = ("amber", "blue", "brown", "gray", "grayscale", "green", "hazel", "red")
"""The classes of the eyes, in the order of the one-hot vector."""
FACE_LAYOUT = Layout(Z, Z, ((0,),))
EYE_LAYOUT = Layout(Z + len(EYE_COLORS), Z + len(EYE_COLORS), ((0,),))

FACES = Architecture(
    "dcgan",
    "a DCGAN of faces, 64 x 64, trained on the rendered faces of DigiFace-1M",
    "lacelang.generators.dcgan.generator:load_faces",
    FACE_LAYOUT,
    ready="lacelang.generators.dcgan.store:is_converted",
    truncation=1.0,
    pixels=True,
)
EYES = Architecture(
    "eyedcgan",
    "a class-conditional DCGAN of painted eyes, 128 x 128, cropped from artworks",
    "lacelang.generators.dcgan.generator:load_eyes",
    EYE_LAYOUT,
    ready="lacelang.generators.dcgan.store:is_converted",
    truncation=1.0,
    flow=(("time", 20.0),),
    pixels=True,
)
DECLARED = (FACES, EYES)
