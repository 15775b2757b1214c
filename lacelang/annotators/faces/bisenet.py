"""The face-parsing network: BiSeNet (Yu et al., ECCV 2018) with a ResNet-18 as its spatial path.

Module names follow the published state dict, so that it loads strictly. The two auxiliary outputs
exist in that state dict only for training; they are dropped on loading.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.annotators.faces.parsing import CLASSES, OUTPUT_SIZE

# Mean and standard deviation of the channels, in 0..255.
_MEAN, _STD = (
    255 * torch.tensor(channels).view(1, 3, 1, 1)
    for channels in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)


class _ConvNorm(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        super().__init__(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs), relu=nn.ReLU()))


class _Residual(nn.Module):
    """ResNet's basic block."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_Residual(inputs, outputs, stride), _Residual(outputs, outputs, 1))


class Backbone(nn.Module):
    """ResNet-18 without its classifier: features at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, 1)
        self.layer2 = _stage(64, 128, 2)
        self.layer3 = _stage(128, 256, 2)
        self.layer4 = _stage(256, 512, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images (N, 3, H, W) → the features, (N, 128, …), (N, 256, …) and (N, 512, …)."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class _Refine(nn.Module):
    """Attention refinement: features scaled channel by channel by their own average."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _ConvNorm(inputs, outputs, 3)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))))


class _Context(nn.Module):
    """The context path: stride-32 and stride-16 features refined and carried up to stride 8."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = Backbone()
        self.arm16 = _Refine(256, 128)
        self.arm32 = _Refine(512, 128)
        self.conv_head32 = _ConvNorm(128, 128, 3)
        self.conv_head16 = _ConvNorm(128, 128, 3)
        self.conv_avg = _ConvNorm(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        eighth, sixteenth, last = self.resnet(x)
        coarse = self.arm32(last) + self.conv_avg(last.mean((2, 3), keepdim=True))
        coarse = self.conv_head32(F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.arm16(sixteenth) + coarse
        context: Tensor = self.conv_head16(F.interpolate(fine, scale_factor=2.0, mode="nearest"))
        return eighth, context


class _Fusion(nn.Module):
    """Feature fusion of the spatial and the context path."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = _ConvNorm(256, 256, 1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        x = self.convblk(torch.cat((spatial, context), 1))
        attention = self.conv2(F.relu(self.conv1(x.mean((2, 3), keepdim=True))))
        out: Tensor = x + x * torch.sigmoid(attention)
        return out


class FaceParsing(nn.Module):
    """Map an image to its CelebAMask-HQ classes.

    Input: uint8 (1, 512, 512, 3) RGB. Output: uint8 (1, 256, 256), the class of each pixel.
    """

    #: Names in the published checkpoint that begin so are not of it.
    unused = ("conv_out16.", "conv_out32.")

    def __init__(self) -> None:
        super().__init__()
        self.cp = _Context()
        self.ffm = _Fusion()
        self.conv_out = nn.Sequential(
            OrderedDict(
                conv=_ConvNorm(256, 256, 3), conv_out=nn.Conv2d(256, CLASSES, 1, bias=False)
            )
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return the class of each pixel; see the class for shapes."""
        x = (image.permute(0, 3, 1, 2).float() - _MEAN) / _STD
        scores = F.interpolate(
            self.conv_out(self.ffm(*self.cp(x))),
            (OUTPUT_SIZE, OUTPUT_SIZE),
            mode="bilinear",
            align_corners=True,
        )
        return scores.argmax(1).to(torch.uint8)
