"""Make the weights file that is shipped, and its card, from a run.

python -m training.export RUN --version 1 [--to FOLDER]
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import torch

from napari_medlabel.engines.network.build import WIDTHS, built
from napari_medlabel.engines.network.weights import CARD


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--version", default="1")
    parser.add_argument("--to", type=Path, default=CARD.parent)
    options = parser.parse_args()
    state = torch.load(options.run / "last.pt", weights_only=True)
    network = built()
    network.load_state_dict(state["average"])
    halves = {name: one.half().contiguous() for name, one in network.state_dict().items()}
    options.to.mkdir(parents=True, exist_ok=True)
    path = options.to / f"default-{options.version}.pt"
    torch.save(halves, path)
    with (options.run / "curve.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    card = {
        "format": 1,
        "name": "medlabel-default",
        "version": options.version,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "license": "BSD-3-Clause",
        "widths": list(WIDTHS),
        "units": 2,
        "parameters": sum(one.numel() for one in halves.values()),
        "trained_on": "generated images only: no image of a person, no weights of others",
        "steps": state["steps"],
        "generated_images": int(last["images"]),
    }
    (options.to / "default.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
