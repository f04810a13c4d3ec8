"""Makes torchvision importable where only the build for GPUs can be had, for tests alone.

transformers processes videos with torchvision. Beside a CPU's torch, its build for GPUs
stops at its own compiled operators; declaring the two that it looks up is enough to resize,
crop and normalise frames, which is all that processors do with it.
"""

import importlib.util
import sys
from importlib.metadata import version
from pathlib import Path

APART = Path(__file__).resolve().parents[1] / ".local" / "torchvision"
_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept = []  # declarations last as long as somebody holds them


def offer() -> None:
    """Puts the torchvision that was installed apart in reach, and declares what it misses."""
    if importlib.util.find_spec("torchvision") is None:
        if not APART.is_dir():
            return
        sys.path.append(str(APART))
    import torch

    built_for_gpus = sys.platform == "linux" and "+cpu" not in version("torchvision")
    if torch.version.cuda is not None or not built_for_gpus:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}{_NMS}")
    _kept.append(library)
