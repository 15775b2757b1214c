"""Latent classifiers: labels, training, calibration, and the image annotators that label."""
