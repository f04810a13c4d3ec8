"""The stages that watch clips, as tests run them: tiny networks, few frames, few words."""

from typing import NamedTuple

FRAMES = {"fps": 5.0, "max_frames": 2, "max_pixels": 48 * 32, "batch_size": 2}


class Watcher(NamedTuple):
    """One stage.

    Attributes:
        architecture: of the checkpoint
        own: its settings
        work: the name under which its status is kept
        counted: what its report calls the clips that came out well
        field: a field that every such clip has
    """

    architecture: str
    own: dict
    work: str
    counted: str
    field: str


_ASKED = {"prefix": "q", "task": "custom", "prompt": "What is it?", "max_new_tokens": 4}
WATCHERS = {
    "embed": Watcher("siglip2", {"embeddings_field": "vec"}, "embed_vec", "embedded", "vec"),
    "caption": Watcher("qwen3_vl", _ASKED, "caption_q_custom", "answered", "q_custom_frames"),
}
