"""Networks that a model's description may name: MONAI's, each with the arguments it may have.

A description is plain data. Its words are compared with this list; nothing is imported, called or
made because a file names it. A network is laid out on torch's device "meta" first, which takes no
memory whatever sizes a file asks for, and gets its numbers from the weights.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from napari_medlabel.engines.adapters.weights import aligned, filled
from napari_medlabel.errors import ExtraMissing, InputError
from napari_medlabel.files import shown

__all__ = ["built", "deepedit_network", "vista3d_network"]

_COMMON: Final = frozenset(
    {"spatial_dims", "in_channels", "out_channels", "norm", "act", "dropout"}
)
_ARGUMENTS: Final[Mapping[str, frozenset[str]]] = {
    "UNet": _COMMON | {
        "channels", "strides", "kernel_size", "up_kernel_size", "num_res_units", "bias",
        "adn_ordering",
    },
    "BasicUNet": _COMMON | {"features", "bias", "upsample"},
    "AttentionUnet": _COMMON | {"channels", "strides", "kernel_size", "up_kernel_size"},
    "SegResNet": (_COMMON - {"dropout"}) | {
        "init_filters", "dropout_prob", "norm_name", "num_groups", "use_conv_final",
        "blocks_down", "blocks_up", "upsample_mode",
    },
    "DynUNet": (_COMMON - {"norm", "act"}) | {
        "kernel_size", "strides", "upsample_kernel_size", "filters", "norm_name", "act_name",
        "deep_supervision", "deep_supr_num", "res_block", "trans_bias",
    },
}  # fmt: skip
_HINT: Final = "docs/models.md lists the networks; any other can be brought as ONNX"
_VISTA_EMBEDDING: Final = "class_head.class_embeddings.weight"
_VISTA_INPUT: Final = "image_encoder.encoder.conv_init.weight"


def built(description: Mapping[str, Any], state: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """A network that a description names, with its weights.

    Parameters
    ----------
    description
        Its "name", and arguments as MONAI's class has them.
    state
        From `read_weights`.

    Raises
    ------
    InputError
        If it is not one of those that are known, or the weights do not fit it.
    ExtraMissing
        If MONAI is not installed.
    """
    name = description.get("name")
    allowed = _ARGUMENTS.get(name) if isinstance(name, str) else None
    if allowed is None:
        known = ", ".join(_ARGUMENTS)
        raise InputError(f"the network '{shown(str(name))}' is not known: {known}", _HINT)
    arguments = {key: _plain(value) for key, value in description.items() if key != "name"}
    if unknown := sorted(set(arguments) - allowed):
        raise InputError(f"{name} has no argument '{shown(unknown[0])}' here", _HINT)
    if arguments.setdefault("spatial_dims", 3) != 3:
        raise InputError("a network of slices is not known here: 'spatial_dims' has to be 3", _HINT)
    return filled(_laid_out(str(name), lambda nets: getattr(nets, str(name))(**arguments)), state)


def deepedit_network(
    description: Mapping[str, Any], clicks: int, outputs: int, state: Mapping[str, Any]
) -> Any:  # noqa: ANN401
    """The DynUNet of a DeepEdit model: an image channel and one for the clicks of each label.

    Parameters
    ----------
    description
        Arguments of DynUNet; `filters` are told from the weights where they are missing.
    clicks, outputs
        Channels of clicks and of the output.
    state
        From `read_weights`.

    Raises
    ------
    InputError, ExtraMissing
        As `built` does.
    """
    whole = {**description, "in_channels": clicks + 1, "out_channels": outputs}
    if whole.setdefault("name", "DynUNet") != "DynUNet":
        raise InputError("DeepEdit is known here with the network DynUNet", _HINT)
    whole["deep_supervision"] = False
    if "filters" not in whole and (filters := _filters(state)):
        whole["filters"] = filters
    return built(whole, state)


def vista3d_network(state: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """VISTA3D as published (arXiv 2406.05285), as wide as the weights say.

    Raises
    ------
    InputError, ExtraMissing
        As `built` does.
    """
    state = aligned(state, (_VISTA_EMBEDDING, _VISTA_INPUT))
    for name in (_VISTA_EMBEDDING, _VISTA_INPUT):
        if name not in state:
            raise InputError(f"these are not the weights of VISTA3D: {name} is missing", _HINT)
    width = int(state[_VISTA_EMBEDDING].shape[-1])
    inputs = int(state[_VISTA_INPUT].shape[1])
    return filled(
        _laid_out(
            "VISTA3D", lambda nets: nets.vista3d132(encoder_embed_dim=width, in_channels=inputs)
        ),
        state,
    )


def _laid_out(name: str, make: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """A network without numbers."""
    try:
        import torch
        from monai.networks import nets
    except ImportError as error:
        raise ExtraMissing.named("ai", "a model of one's own") from error

    try:
        with torch.device("meta"):
            return make(nets)
    except Exception as error:  # MONAI fails in many ways on arguments that do not go together
        raise InputError(f"no {name} can be built from this description", _HINT) from error


def _filters(state: Mapping[str, Any]) -> list[int]:
    """Features of each level of a DynUNet, told from its weights."""
    state = aligned(state, ("input_block.conv1.conv.weight",))
    levels = ["input_block"]
    while f"downsamples.{len(levels) - 1}.conv1.conv.weight" in state:
        levels.append(f"downsamples.{len(levels) - 1}")
    names = [f"{level}.conv1.conv.weight" for level in (*levels, "bottleneck")]
    return [int(state[name].shape[0]) for name in names] if all(n in state for n in names) else []


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """Lists as tuples, as MONAI's classes have them."""
    return tuple(_plain(one) for one in value) if isinstance(value, list) else value
