"""A variational autoencoder of small grey images with a flow as its prior (stdlib/digits.lace)."""

from lacelang.generators.declaration import Architecture, Layout

DIM = 16
LAYOUT = Layout(DIM, DIM, ((0,),))

VAE = Architecture(
    "vae",
    "the decoder of a variational autoencoder, its prior a normalizing flow, 28 x 28, grey",
    "lacelang.generators.vae.generator:load",
    LAYOUT,
    weights="file",
    truncation=1.0,
    pixels=True,
)
DECLARED = (VAE,)
