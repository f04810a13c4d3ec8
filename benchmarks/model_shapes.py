"""Models of published shapes with random weights: speed does not depend on the weights' values.

A tiny checkpoint gives tokenizer, processor and configuration; its network is replaced by one
of the published size, made in place on the device, so that nothing is downloaded or saved.
"""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import torch

CHECKPOINTS = Path(__file__).resolve().parents[1] / "tests" / "models" / "checkpoints.py"

_QWEN_VISION = {"num_position_embeddings": 2304, "patch_size": 16}
_MOLMO_VISION = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 25}
_MOLMO_HEADS = {"num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 72}

#: ``{name: (architecture, sizes of each part, sizes of a frame)}``.
PUBLISHED = {
    "Qwen3-VL-8B": (
        "qwen3_vl",
        {
            "text_config": {
                "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
                "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
                "vocab_size": 151936,
            },
            "vision_config": {
                "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16,
                "out_hidden_size": 4096, "deepstack_visual_indexes": [8, 16, 24], **_QWEN_VISION,
            },
        },
        {"shortest_edge": 4096, "longest_edge": 25165824},
    ),
    "Qwen3-VL-Embedding-2B": (
        "qwen3_vl",
        {
            "text_config": {
                "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28,
                "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
                "vocab_size": 151936,
            },
            "vision_config": {
                "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16,
                "out_hidden_size": 2048, "deepstack_visual_indexes": [5, 11, 17], **_QWEN_VISION,
            },
        },
        {"shortest_edge": 4096, "longest_edge": 25165824},
    ),
    "Molmo2-4B": (
        "molmo2",
        {
            "text_config": {
                "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
                "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
                "vocab_size": 151936,
            },
            "vision_config": {"image_size": [378, 378], "num_position_embeddings": 729,
                **_MOLMO_VISION, **_MOLMO_HEADS},
            "adapter_config": {
                "vision_feature_layer": [24, 18], "hidden_size": 1152,
                "intermediate_size": 9728, "text_hidden_size": 2560, **_MOLMO_HEADS,
            },
        },
        {"height": 378, "width": 378},
    ),
}  # fmt: skip


def write_tiny(architecture: str, folder: Path) -> str:
    """Writes the tiny checkpoint of an architecture, as the tests do."""
    spec = importlib.util.spec_from_file_location("second_opinion_checkpoints", CHECKPOINTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, architecture)(folder / architecture)


def enlarge(
    network: Any,
    processor: Any,
    name: str,
    device: str,
    dtype: torch.dtype,
    layers: int | None = None,
) -> Any:
    """A network of a published shape, with random weights, in the place of a tiny one.

    Args:
        network: the tiny network
        processor: its processor, whose frames become as large as published
        name: a name of :data:`PUBLISHED`
        device: where it is made
        dtype: the precision of its weights
        layers: cuts every part to so many layers, to try the run where there is no GPU

    Returns:
        the network, ready to be used
    """
    _, sizes, frame = PUBLISHED[name]
    config = copy.deepcopy(network.config)
    for part, changes in sizes.items():
        for key, value in changes.items():
            setattr(getattr(config, part), key, value)
        getattr(config, part).dtype = dtype
        if layers:
            _cut(getattr(config, part), layers)
    config.dtype = dtype
    config.tie_word_embeddings = name == "Qwen3-VL-Embedding-2B"
    if name.startswith("Qwen"):
        rope = {**config.text_config.rope_parameters, "mrope_section": [24, 20, 20]}
        config.text_config.rope_parameters = rope
    for processing in ("video_processor", "image_processor"):
        getattr(processor, processing).size = frame
    config._attn_implementation = network.config._attn_implementation
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            made = type(network)(config)
    finally:
        torch.set_default_dtype(before)
    made.generation_config = getattr(network, "generation_config", None)
    return made.to(dtype).eval()


def _cut(config: Any, layers: int) -> None:
    for name in ("num_hidden_layers", "depth"):
        if hasattr(config, name):
            setattr(config, name, layers)
    # Which layers' outputs are read must be layers that there still are
    if hasattr(config, "deepstack_visual_indexes"):
        config.deepstack_visual_indexes = [0]
    if hasattr(config, "vision_feature_layer"):
        config.vision_feature_layer = [layers - 1, 0]
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:layers]
