"""Small networks of ten makes, each with what is odd in networks of its kind."""

import torch
from torch import nn
from torchvision import models
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator

SIDE = 32  # pixels of the images that they take


class Block(nn.Module):
    """Attention within patches and between them; gives both, as TNT's blocks do."""

    def __init__(self):
        super().__init__()
        self.inner, self.joined, self.outer = nn.Linear(4, 4), nn.Linear(64, 16), nn.Linear(16, 16)

    def forward(self, pixels, patches):
        pixels = pixels + self.inner(pixels)  # (stimulus x patch, pixel, channel)
        patches = patches + self.joined(pixels.flatten(1)).unflatten(0, patches.shape[:2])
        return pixels, patches + self.outer(patches)


class TNT(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(3, 4, 3, 2, 1)
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 5)

    def forward(self, images):
        pixels = self.proj(images).unfold(2, 4, 4).unfold(3, 4, 4)
        pixels = pixels.permute(0, 2, 3, 4, 5, 1).flatten(3, 4).flatten(0, 2)
        patches = pixels.new_zeros(len(images), 16, 16)
        for block in self.blocks:
            pixels, patches = block(pixels, patches)
        return self.head(self.norm(patches).mean(1))


class Clip(nn.Module):
    """A constructor that reads values; its result is a product with a parameter, as open_clip's."""

    def __init__(self):
        super().__init__()
        rates = [rate.item() for rate in torch.linspace(0, 0.2, 2)]
        self.conv = nn.Conv2d(3, 16, 8, 8, bias=False)
        self.blocks = nn.Sequential(*(Residual(16, rate) for rate in rates))
        self.ln_post = nn.LayerNorm(16)
        self.proj = nn.Parameter(torch.randn(16, 7) / self.conv.weight.std().item())

    def forward(self, images):
        values = self.blocks(self.conv(images).flatten(2).transpose(1, 2))
        return self.ln_post(values.mean(1)) @ self.proj


class Residual(nn.Module):
    def __init__(self, width, rate=0.0):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.drop = nn.Dropout(rate)

    def forward(self, values):
        return values + self.drop(self.second(self.first(values).relu()))


class TokensFirst(nn.Module):
    """(token, stimulus, channel) between the layers of torch's own encoder."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        layer = nn.TransformerEncoderLayer(16, 2, 32)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).permute(2, 0, 1)
        return self.head(self.encoder(tokens)[0])


class Noise(nn.Module):
    """Of a neuron, in evaluation mode too, as VOneNet's."""

    def forward(self, values):
        return values + torch.randn_like(values) * values.abs().sqrt()


def noisy():
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, 2), nn.ReLU(), Noise(), nn.Conv2d(4, 4, 3), nn.Flatten(),
        nn.Linear(576, 5),
    )  # fmt: skip


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10),
    )  # fmt: skip


def detector():
    backbone = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, 2, 1)
    )
    backbone.out_channels = 4
    anchors = AnchorGenerator(((8, 16),), ((1.0,),))
    return FasterRCNN(
        backbone, num_classes=3, min_size=SIDE, max_size=SIDE, rpn_anchor_generator=anchors
    )


class Stage(nn.Module):
    """As timm's RegNet has them."""

    def __init__(self, depth):
        super().__init__()
        for number in range(1, depth + 1):
            self.add_module(f"b{number}", Residual(8))

    def forward(self, values):
        for block in self.children():
            values = block(values)
        return values


def regnet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 8, 8), nn.Flatten(2), nn.Linear(16, 8), Stage(2), Stage(3), nn.Flatten(),
        nn.Linear(64, 5),
    )  # fmt: skip


def densenet():
    return models.DenseNet(growth_rate=4, block_config=(2, 3), num_init_features=4, num_classes=5)


class Distilled(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.tokens = nn.Parameter(torch.randn(1, 2, 8))
        self.blocks = nn.Sequential(Residual(8), Residual(8))
        self.norm = nn.LayerNorm(8)
        self.head, self.head_dist = nn.Linear(8, 5), nn.Linear(8, 5)

    def forward(self, images):
        patches = self.patches(images).flatten(2).transpose(1, 2)
        values = torch.cat([self.tokens.expand(len(images), -1, -1), patches], 1)
        values = self.norm(self.blocks(values))
        return (self.head(values[:, 0]) + self.head_dist(values[:, 1])) / 2


class Recurrent(nn.Module):
    """As CORnet-R: in the first steps, higher areas see nothing yet."""

    def __init__(self):
        super().__init__()
        self.v1, self.it = nn.Conv2d(6, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.decoder = nn.Linear(3, 5)

    def forward(self, images):
        low = torch.zeros_like(images)
        for _ in range(2):
            high = self.relu(self.it(low))
            low = self.relu(self.v1(torch.cat([images, low], 1)))
        return self.decoder(high.mean((2, 3)))


class Squeezing(nn.Module):
    """Drops every dimension of one, that of a lone stimulus too."""

    def __init__(self):
        super().__init__()
        self.pool, self.readout = nn.AdaptiveAvgPool2d(1), nn.Linear(3, 5)

    def forward(self, batch):
        return self.readout(self.pool(batch).squeeze())
