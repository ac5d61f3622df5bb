"""A ring of generated images on disk: generators refresh it, the trainer reads it.

python -m training.pool FOLDER --size 2000 --seed 1 [--every SECONDS]
"""

import argparse
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from training.scene import SIDE, TARGETS, sample

FACTS = 10  # of a target: voxels, its deepest point, its box's first and last voxels


class Pool:
    """Images (float16, by their own range), targets (bits of a byte) and facts of these."""

    def __init__(self, folder: Path, size: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        size = size or int(np.load(folder / "size.npy"))
        if not (folder / "size.npy").exists():
            np.save(folder / "size.npy", np.array(size))
        cube = (size, SIDE, SIDE, SIDE)
        self.size = size
        self.images = _mapped(folder / "images.bin", np.float16, cube)
        self.targets = _mapped(folder / "targets.bin", np.uint8, cube)
        self.facts = _mapped(folder / "facts.bin", np.float32, (size, TARGETS, FACTS))
        self.made = _mapped(folder / "made.bin", np.int64, (2,))  # images so far, last seed

    def add(self, seed: int) -> None:
        """Make the image of a seed and put it in place of the oldest."""
        image, found = sample(seed)
        slot = int(self.made[0]) % self.size
        low, high = np.percentile(image, (1, 99))
        scaled = np.clip((image - low) / max(float(high - low), 1e-6), -3.0, 4.0)
        bits = np.zeros(image.shape, np.uint8)
        facts = np.zeros((TARGETS, FACTS), np.float32)
        for n, mask in enumerate(found):
            bits |= mask.astype(np.uint8) << n
            (box,) = ndimage.find_objects(mask.astype(np.uint8))
            depth = ndimage.distance_transform_edt(np.pad(mask[box], 1))[1:-1, 1:-1, 1:-1]
            at = np.unravel_index(int(depth.argmax()), depth.shape)
            low_end, high_end = [s.start for s in box], [s.stop - 1 for s in box]
            facts[n] = [mask.sum(), *np.add(at, low_end), *low_end, *high_end]
        self.facts[slot] = 0
        self.images[slot], self.targets[slot] = scaled, bits
        self.facts[slot] = facts
        self.made[:] = self.made[0] + 1, seed

    @property
    def filled(self) -> int:
        return min(int(self.made[0]), self.size)


def _mapped(path: Path, kind: type, shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    mode = "r+" if path.exists() else "w+"
    return np.memmap(path, kind, mode, shape=shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=0.0)
    options = parser.parse_args()
    pool = Pool(options.folder, options.size)
    seed = max(int(pool.made[1]), options.seed - 1)
    while True:
        start = time.monotonic()
        seed += 1
        pool.add(seed)
        time.sleep(max(0.0, options.every - (time.monotonic() - start)))


if __name__ == "__main__":
    main()
