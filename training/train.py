"""Train the network of the default engine on a pool of generated images.

python -m training.train RUN POOL --until 20:00 [--samples 48] [--batch 4] [--lr 2e-3]

Goes on from RUN/last.pt where that is; the learning rate falls along a cosine to the hour given.
"""

import argparse
import copy
import csv
import datetime as dt
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from napari_medlabel.engines.network.build import built, run
from napari_medlabel.engines.network.encoding import encoded
from training.episodes import Episode, begun, sight, went_on
from training.optimizer import Muon
from training.pool import Pool

_COLUMNS = (
    "time", "steps", "samples", "batch", "images", "rate", "loss", "guess_error",
    "dice_1", "dice_2", "dice_3", "dice_5", "dice_8",
)  # fmt: skip
_LATE = 12  # clicks that have a column of their own in the curve


def loss_of(
    logits: torch.Tensor, truth: torch.Tensor, inside: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft Dice and cross-entropy, and the shares."""
    share = torch.sigmoid(logits) * inside
    common = (share * truth).sum((1, 2, 3))
    dice = (2 * common + 20.0) / (share.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 20.0)
    cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    cross = (cross * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp_min(1.0)
    return (1.0 - dice + cross).mean(), share.detach()


class Trainer:
    def __init__(self, options: Any) -> None:
        self.options = options
        self.rng = np.random.default_rng(options.seed + int(time.time()) % 100_000)
        self.pool = Pool(options.pool)
        torch.manual_seed(options.seed)
        self.network = built()
        self.average = copy.deepcopy(self.network).requires_grad_(requires_grad=False)
        self.steps = 0
        kernels = [p for p in self.network.parameters() if p.ndim == 5 and min(p.shape[:2]) > 1]
        known = {id(p) for p in kernels}
        rest = [p for p in self.network.parameters() if id(p) not in known]
        self.optimizers = [
            Muon(kernels, lr=options.lr), torch.optim.Adam(rest, lr=options.lr, betas=(0.9, 0.98))
        ]  # fmt: skip
        self.episodes: list[Episode | None] = [None] * options.batch
        self.start = time.time()
        hour, minute = map(int, options.until.split(":"))
        end = dt.datetime.now().replace(hour=hour, minute=minute, second=0)  # noqa: DTZ005
        self.end = end.timestamp() + (86400 if end.timestamp() < self.start else 0)
        self.curve: dict[int, list[float]] = {}
        self.notes: list[tuple[float, float, float]] = []

    def resume(self) -> None:
        path = self.options.run / "last.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.steps = state["steps"]
        for optimizer, held in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(held)

    def save(self) -> None:
        state = {
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "steps": self.steps, "optimizers": [one.state_dict() for one in self.optimizers],
        }  # fmt: skip
        beside = self.options.run / "last.tmp"
        torch.save(state, beside)
        beside.replace(self.options.run / "last.pt")

    def rate(self) -> float:
        done = min((time.time() - self.start) / (self.end - self.start), 1.0)
        warm = min(1.0, (time.time() - self.start) / 60.0)
        return float(self.options.lr * warm * max(0.5 * (1.0 + np.cos(np.pi * done)), 0.01))

    def step(self) -> None:
        options, rng = self.options, self.rng
        for n, episode in enumerate(self.episodes):
            if episode is None:
                self.episodes[n] = begun(rng, self.pool, options.samples)
        live = [episode for episode in self.episodes if episode is not None]
        sights, truths, insides, sizes = zip(*[sight(rng, one) for one in live], strict=True)
        channels = encoded(sights)
        for kind in (1, 2, 3, 7, 8):  # so that a misleading one is survived
            channels[rng.random(len(live)) < 0.08, kind] = 0.0
        seen = torch.from_numpy(channels)
        truth = torch.from_numpy(np.stack(truths))
        inside = torch.from_numpy(np.stack(insides).astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            logits, guess = run(self.network, seen)
        loss, share = loss_of(logits, truth, inside)
        hard, real = (share > 0.5).float(), truth > 0.5
        whole = torch.tensor(sizes, dtype=torch.float32)
        both = (hard.sum((1, 2, 3)) + whole).clamp_min(1.0)
        # A size by coarser samples may be less than what is seen of the object.
        dices = (2 * (hard * real).sum((1, 2, 3)) / both).clamp_max(1.0)
        error = (guess - dices).square().mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        (
            loss + 0.2 * functional.binary_cross_entropy(guess.clamp(1e-4, 1 - 1e-4), dices)
        ).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        rate = self.rate()
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        self.steps += 1
        self._averaged()
        for n, (episode, answer) in enumerate(zip(live, share.numpy(), strict=True)):
            whole_dice = float(dices[n])
            self.curve.setdefault(min(episode.clicks, _LATE), []).append(whole_dice)
            if not went_on(rng, episode, answer):
                self.episodes[n] = None
        self.notes.append((float(loss.detach()), float(error.detach()), rate))

    @torch.no_grad()
    def _averaged(self) -> None:
        keep = min(self.options.keep, (1 + self.steps) / (10 + self.steps))
        for own, other in zip(self.average.parameters(), self.network.parameters(), strict=True):
            own.lerp_(other, 1.0 - keep)

    def note(self) -> None:
        path = self.options.run / "curve.csv"
        new = not path.exists()
        loss, error, rate = np.mean(self.notes, axis=0)
        clicks = [float(np.mean(self.curve.get(n, [np.nan]))) for n in (1, 2, 3, 5, 8)]
        with path.open("a", newline="") as file:
            rows = csv.writer(file)
            if new:
                rows.writerow(_COLUMNS)
            now = dt.datetime.now().strftime("%H:%M:%S")  # noqa: DTZ005
            numbers = [f"{one:.4f}" for one in (rate, loss, error, *clicks)]
            made = int(self.pool.made[0])
            options = self.options
            rows.writerow([now, self.steps, options.samples, options.batch, made, *numbers])
        self.curve.clear()
        self.notes.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--until", default="20:00")
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--keep", type=float, default=0.998)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--steps", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options)
    trainer.resume()
    saved = time.time()
    while time.time() < trainer.end and not 0 < options.steps <= trainer.steps:
        trainer.step()
        if trainer.steps % 100 == 0:
            trainer.note()
        if time.time() - saved > 180.0:
            trainer.save()
            saved = time.time()
    trainer.save()


if __name__ == "__main__":
    main()
