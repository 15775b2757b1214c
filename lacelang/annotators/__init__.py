"""A picture in; what image networks see in it, the twelve attributes and more, out.

They label generated images, to train the latent classifiers, and judge results. What they say
about age and gender is a classifier's guess about a picture of nobody.
"""

from importlib.util import find_spec

from lacelang.errors import ResourceError

if find_spec("cv2") is None:
    raise ResourceError(
        "image annotators need OpenCV, which is not installed",
        "install it: pip install 'lacelang[annotate]'",
    )
