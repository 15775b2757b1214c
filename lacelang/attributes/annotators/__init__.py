"""Image annotators: networks and geometry that measure the twelve attributes of a face picture.

They label generated images, to train the latent classifiers, and judge results. What they say
about age and gender is a classifier's guess about a picture of nobody.
"""
