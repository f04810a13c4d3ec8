"""Any video chat model of Hugging Face as a witness: clips and prompts in, answers out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from .constrained import SchemaConstraint
from .frames import SampledClip
from .generation import DEFAULT_GENERATION, Generation, Reply
from .loading import Place, explained, with_attention
from .source import Source

_PADDED_IN_TIME = ("smolvlm",)


class Annotator:
    """A witness that runs here: Qwen3-VL, Molmo2, SmolVLM2 and their like.

    Args:
        name: a name on the hub, ``name@revision``, or a folder
        device: "cuda", "mps", "cpu"; by default the best that is there
        dtype: "bfloat16", "float16", "float32"; by default bfloat16 on a GPU
        trust_remote_code: whether code that comes with the weights may run here
        revision: a commit, a tag or a branch; None for the known or newest commit

    Attributes:
        name: as given, without the revision
        revision: the commit that was loaded, or a short name of a folder's contents
        attention: how attention is computed

    Raises:
        ModelUnavailable: a sentence that says why, what to install and how large it is
    """

    def __init__(
        self,
        name: str,
        device: str | None = None,
        dtype: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
    ):
        self.place = Place.best(device, dtype)
        with explained(name):
            source = Source.of(name, revision, trust_remote_code)
            self.processor = AutoProcessor.from_pretrained(source.name, **source.keywords)
            self.model, self.attention = with_attention(
                self.place, lambda way: _load(source, self.place, way)
            )
        self.name, self.revision = source.name, source.revision
        self._ends = _end_tokens(self.model, self.processor.tokenizer)
        self._constraints: dict[str, SchemaConstraint] = {}
        template = inspect.signature(self.processor.tokenizer.apply_chat_template).parameters
        self._sanitize = "sanitize_control_tokens" in template

    def annotate(
        self,
        clips: Sequence[SampledClip],
        prompts: str | Sequence[str],
        generation: Generation = DEFAULT_GENERATION,
        schema: dict | None = None,
    ) -> list[Reply]:
        """Asks about each clip, all of them in one batch.

        Args:
            clips: ``n`` clips
            prompts: one prompt for all, or ``n``
            generation: how answers are written
            schema: a JSON schema that answers are held to while they are written, if the
                package llguidance is installed; without it the prompt alone asks for it

        Returns:
            ``n`` replies
        """
        keywords = generation.keywords()
        if schema is not None and not SchemaConstraint.available():
            schema = None

        def write(inputs: Any, rows: int) -> list[Reply]:
            if schema is not None:
                held = self._constraint(schema).processor(rows, self._ends)
                keywords["logits_processor"] = [held]
            if generation.sample:
                torch.manual_seed(generation.seed)
            written = self.model.generate(**inputs, **keywords)
            written = written[:, inputs["input_ids"].shape[1] :].tolist()
            texts = self.processor.tokenizer.batch_decode(written, skip_special_tokens=True)
            return [
                Reply(text.strip(), *self._ending(tokens)) for text, tokens in zip(texts, written)
            ]

        return self._in_groups(clips, prompts, write)

    def option_probabilities(
        self, clips: Sequence[SampledClip], prompts: str | Sequence[str], options: Sequence[str]
    ) -> torch.Tensor:
        """How likely each of some words is to be the first of the answer.

        Args:
            clips: ``n`` clips
            prompts: one question for all, or ``n``
            options: ``m`` words that begin with different tokens, such as Yes and No

        Returns:
            ``n x m`` float32 in 0..1; each row adds up to 1
        """
        first = [self.processor.tokenizer.encode(o, add_special_tokens=False)[0] for o in options]
        if len(set(first)) < len(first):
            raise ValueError(f"The options {list(options)} begin with the same token.")

        def weigh(inputs: Any, rows: int) -> list[torch.Tensor]:
            logits = self.model(**inputs, logits_to_keep=1).logits[:, -1].float()
            return list(logits[:, first].softmax(dim=-1).cpu())

        return torch.stack(self._in_groups(clips, prompts, weigh))

    def _in_groups(
        self, clips: Sequence[SampledClip], prompts: str | Sequence[str], run: Callable
    ) -> list:
        """Runs in one batch, or one a frame count where an architecture pads in time.

        SmolVLM's processor writes the padded number of frames into the prompt, so clips of
        other lengths in the batch would change what is asked about this one.
        """
        prompts = [prompts] * len(clips) if isinstance(prompts, str) else list(prompts)
        by_length = self.model.config.model_type in _PADDED_IN_TIME
        groups: dict[int, list[int]] = {}
        for place, clip in enumerate(clips):
            groups.setdefault(len(clip.frames) if by_length else 0, []).append(place)
        results: list = [None] * len(clips)
        for places in groups.values():
            inputs = self.prepare([clips[p] for p in places], [prompts[p] for p in places])
            with torch.inference_mode():
                for place, result in zip(places, run(inputs, len(places))):
                    results[place] = result
        return results

    def prepare(self, clips: Sequence[SampledClip], prompts: str | Sequence[str]) -> Any:
        """What the network is fed: a left-padded batch on its device."""
        prompts = [prompts] * len(clips) if isinstance(prompts, str) else list(prompts)
        conversations = [
            [{"role": "user", "content": [_video(clip), {"type": "text", "text": prompt}]}]
            for clip, prompt in zip(clips, prompts, strict=True)
        ]
        inputs = self.processor.apply_chat_template(
            conversations,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=True,
            processor_kwargs={
                "do_sample_frames": False,  # they are sampled already
                "video_metadata": [[clip.video_metadata()] for clip in clips],
                "padding": True,
                "padding_side": "left",
            },
            # Words in a prompt can then never pass for the template's own marks
            **({"sanitize_control_tokens": True} if self._sanitize else {}),
        )
        return _to(inputs, self.place)

    def _constraint(self, schema: dict) -> SchemaConstraint:
        key = repr(schema)
        if key not in self._constraints:
            size = self.model.get_output_embeddings().weight.shape[0]
            self._constraints[key] = SchemaConstraint(schema, self.processor.tokenizer, size)
        return self._constraints[key]

    def _ending(self, tokens: list[int]) -> tuple[bool, int]:
        place = next((at for at, token in enumerate(tokens) if token in self._ends), None)
        return place is not None, len(tokens) if place is None else place


def _load(source: Source, place: Place, attention: str) -> Any:
    model = AutoModelForImageTextToText.from_pretrained(
        source.name,
        dtype=place.dtype,
        attn_implementation=attention,
        use_safetensors=True,
        **source.keywords,
    )
    return model.to(place.device).eval()


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    if None in ends:
        # Without one, generation would never stop before max_new_tokens
        ends = [tokenizer.eos_token_id]
        model.generation_config.eos_token_id = ends
    if model.generation_config.pad_token_id is None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id or ends[0]
    return ends


def _video(clip: SampledClip) -> dict:
    frames = torch.from_numpy(clip.frames).permute(0, 3, 1, 2)  # T C H W
    return {"type": "video", "video": frames}


def _to(inputs: Any, place: Place) -> Any:
    # Floating-point pixels follow the weights; token numbers stay whole
    for key, value in inputs.items():
        if isinstance(value, torch.Tensor):
            dtype = place.dtype if value.is_floating_point() else None
            inputs[key] = value.to(place.device, dtype=dtype)
    return inputs
