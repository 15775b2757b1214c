"""A picture in; what image networks see in it, the twelve attributes and more, out.

They label generated images, to train the latent classifiers, and judge results. What they say
about age and gender is a classifier's guess about a picture of nobody.
"""
