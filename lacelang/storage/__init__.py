"""What a run leaves on disk, and reads again: plain values and arrays in, files out."""
