"""Muon for kernels, Adam for the rest.

Muon: momentum, then a matrix with the same singular vectors and values near 1 (K. Jordan, 2024), by
five Newton-Schulz steps; its size as in J. Liu and others, arXiv 2502.16982.
"""

from collections.abc import Iterable
from typing import Any

import torch

_STEPS = (3.4445, -4.7750, 2.0315)  # of Newton and Schulz, as in Muon


def orthogonal(matrix: torch.Tensor, kind: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """A matrix with singular values near 1."""
    a, b, c = _STEPS
    x = matrix.to(kind)
    x = x / (x.norm() + 1e-7)
    turned = x.shape[0] > x.shape[1]
    x = x.T if turned else x
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if turned else x).float()


class Muon(torch.optim.Optimizer):
    """For tensors of two axes or more: the first axis against all others."""

    def __init__(self, parameters: Iterable[Any], lr: float = 2e-3, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        del closure
        for group in self.param_groups:
            for tensor in group["params"]:
                if tensor.grad is None:
                    continue
                state = self.state[tensor]
                held = state.setdefault("momentum", torch.zeros_like(tensor))
                held.mul_(group["momentum"]).add_(tensor.grad)
                ahead = tensor.grad + group["momentum"] * held
                flat = ahead.reshape(len(ahead), -1)
                size = 0.2 * max(flat.shape) ** 0.5
                tensor.add_(orthogonal(flat).view_as(tensor), alpha=-group["lr"] * size)
