"""Data sets: samples in shards of a fixed size, with an index, on a disk or at any fsspec URL."""
