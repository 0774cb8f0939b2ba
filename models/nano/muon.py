"""Muon for the layers' matrices, AdamW for the rest: fewer steps than AdamW alone needs."""

import torch
from torch import Tensor


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return matrices [N, rows, columns] with nearly all singular values 1 (Newton-Schulz)."""
    x = matrices.bfloat16()
    flip = x.size(1) > x.size(2)
    if flip:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.mT if flip else x


class Muon:
    """Momentum, orthogonalised: all matrices of one shape are updated together.

    Args:
        parameters: the two-dimensional weights.
        rate: the step's size as a share of a matrix with singular values 1.
        momentum: of the Nesterov momentum.
        decay: weight decay, times the rate.
    """

    def __init__(self, parameters: list, rate: float, momentum: float = 0.95, decay: float = 0.01):
        self.rate, self.momentum, self.decay = rate, momentum, decay
        shapes = sorted({p.shape for p in parameters})
        self.groups = [[p for p in parameters if p.shape == shape] for shape in shapes]
        self.buffers = [torch.zeros(len(g), *g[0].shape, device=g[0].device) for g in self.groups]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Update the weights with the rate times `factor`."""
        rate = self.rate * factor
        for group, buffer in zip(self.groups, self.buffers, strict=True):
            gradient = torch.stack([p.grad for p in group])
            buffer.lerp_(gradient, 1 - self.momentum)
            update = orthogonalize(gradient.lerp(buffer, self.momentum)).float()
            rows, columns = group[0].shape
            update *= max(1.0, rows / columns) ** 0.5
            torch._foreach_mul_(group, 1 - rate * self.decay)
            torch._foreach_add_(group, list(update.unbind()), alpha=-rate)
