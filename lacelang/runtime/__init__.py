"""Running a checked program: models loaded, groups sampled, faces painted."""
