"""``transformers serve``, where torchvision may come without its own picture decoder.

Run as a script, with the arguments of ``transformers serve``. The torchvision that goes with
a GPU's torch cannot load its decoder beside a CPU's; Pillow then decodes in its place.
"""

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torchvision_on_cpu  # noqa: E402

torchvision_on_cpu.offer()

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision.io  # noqa: E402
from PIL import Image  # noqa: E402
from torchvision.io import image  # noqa: E402


def decode_image(data, *args, **kwargs):
    with Image.open(io.BytesIO(data.numpy().tobytes())) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)


if __name__ == "__main__":
    try:
        image._assert_has_image_ops()
    except RuntimeError:
        torchvision.io.decode_image = decode_image
    from transformers.cli.transformers import main

    sys.argv = ["transformers", "serve", *sys.argv[1:]]
    main()
