"""Labelled latents in; calibrated classifiers of latents, and their files, out."""
