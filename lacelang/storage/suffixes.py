"""What the names of files end in, for those who only ask what a file is meant to be."""

from __future__ import annotations

#: Of photographs.
PHOTOS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".heic", ".heif", ".avif", ".jp2", ".ppm", ".mpo"),
)
