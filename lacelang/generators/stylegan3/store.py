"""Imported StyleGAN3s on disk."""

from lacelang.generators.imported_weights import Store
from lacelang.generators.stylegan3.config import config_of, shapes_of

STORE = Store("stylegan3", config_of, shapes_of)
layout_of = STORE.layout_of
