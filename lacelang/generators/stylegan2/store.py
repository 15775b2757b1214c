"""Imported StyleGAN2s on disk."""

from lacelang.generators.imported_weights import Store
from lacelang.generators.stylegan2.config import config_of, shapes_of

STORE = Store("stylegan2", config_of, shapes_of)
layout_of = STORE.layout_of
