"""The thousand classes of ImageNet, which a network with published weights tells apart."""

from lacelang.annotators.prompted import Prompted

IMAGENET = Prompted(
    "imagenet",
    "the class whose ImageNet classes an EfficientNet-Lite2 finds most probable in the image",
    "lacelang.annotators.prompted.imagenet.annotator:make",
)
DECLARED = (IMAGENET,)
