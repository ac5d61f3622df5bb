"""The network: MONAI's U-Net, a look at the unstrided image, and a guess how good its answer is."""

from typing import Any, Final

from napari_medlabel.engines.network.encoding import CHANNELS

__all__ = ["WIDTHS", "built", "run"]

WIDTHS: Final = (32, 64, 96, 128, 160)

_SHARP: Final = (0, 1, 6, 7, 8)  # channels that the last layers see without stride
_STEEP: Final = 3.0  # logits that a deviation of the U-Net's answer is
_MOST: Final = 4.0  # logits by which all samples can be shifted
_HIDDEN: Final = 32
_FACTS: Final = 4  # of the answer that the guess is made from


def built(widths: tuple[int, ...] = WIDTHS, units: int = 2) -> Any:  # noqa: ANN401  # a torch Module
    """A network with random weights; every side of its input is a multiple of 2^(widths - 1).

    Parameters
    ----------
    widths
        Features of each level.
    units
        Convolutions of each level.
    """
    from monai.networks.nets.unet import UNet
    from torch import nn

    unet = UNet(
        3, len(CHANNELS), 1, widths, (2,) * (len(widths) - 1), num_res_units=units,
        act=("leakyrelu", {"negative_slope": 0.01, "inplace": False}),
        norm=("instance", {"affine": True}),
    )  # fmt: skip
    sharp = nn.Conv3d(len(_SHARP), 1, 1)
    level = nn.Linear(2 * widths[-1], 1)
    for number in (*sharp.parameters(), *level.parameters()):
        nn.init.zeros_(number)
    guess = nn.Sequential(
        nn.Linear(2 * widths[-1] + _FACTS, _HIDDEN), nn.LeakyReLU(0.01), nn.Linear(_HIDDEN, 1)
    )
    return nn.ModuleDict(
        {
            "unet": unet,
            "even": nn.LayerNorm(2 * widths[-1]),
            "sharp": sharp,
            "level": level,
            "guess": guess,
        }
    )


def run(network: Any, channels: Any) -> tuple[Any, Any]:  # noqa: ANN401  # torch's own
    """Logits of each sample, `[n, s, s, s]`, and the guessed Dice of each answer, `[n]`.

    Parameters
    ----------
    network
        From `built`.
    channels
        `[n, channel, s, s, s]`, a tensor.
    """
    import torch

    features, deep = _through(network["unet"].model, channels)
    deep = deep.float().flatten(2)
    about = network["even"](torch.cat([deep.mean(2), deep.amax(2)], 1))
    # The U-Net's last normalization takes away how much there is of an object: this gives it back.
    shift = _MOST * torch.tanh(network["level"](about).float())[:, :, None, None]
    sharp = network["sharp"](channels[:, list(_SHARP)])[:, 0].float()
    logits = _STEEP * features[:, 0].float() + shift + sharp
    share = torch.sigmoid(logits).detach()
    faces = torch.stack([share[:, 0], share[:, -1], share[:, :, 0], share[:, :, -1],
                         share[:, :, :, 0], share[:, :, :, -1]], 1)  # fmt: skip
    doubt = (share * (1.0 - share)).mean((1, 2, 3))
    size = share.mean((1, 2, 3))
    facts = torch.stack(
        [size.clamp_min(1e-4).log() / 4.0, faces.mean((1, 2, 3)) * 4.0,
         faces.mean((2, 3)).amax(1) * 4.0, doubt / (size + 1e-3) * 4.0], 1,
    )  # fmt: skip
    about = torch.cat([about, facts], 1)
    return logits, torch.sigmoid(network["guess"](about).float()[:, 0])


def _through(block: Any, channels: Any) -> tuple[Any, Any]:  # noqa: ANN401  # torch's own
    """What a level of the U-Net gives, and its deepest features."""
    import torch

    parts = list(block.children()) if type(block) is torch.nn.Sequential else []
    if len(parts) != 3 or not hasattr(parts[1], "submodule"):
        features = block(channels)
        return features, features
    down, skip, up = parts
    own = down(channels)
    below, deep = _through(skip.submodule, own)
    return up(torch.cat([own, below], 1)), deep
