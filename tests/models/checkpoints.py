"""Tiny random checkpoints of the architectures that the audit uses, saved as published ones are.

Each function writes a folder that ``from_pretrained`` loads by the public path: weights as
safetensors, configuration, tokenizer, processor and chat template. Their words mean
nothing; what is tested is everything around them.
"""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}"
    "{% if part.type == 'video' %}VIDEO{% elif part.type == 'image' %}IMAGE"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CHAT_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tokenizer(special: list[str], **named) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer without merges: any text, and the special tokens given."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, extra_special_tokens=special, **named)


def _save(path, model, *parts) -> str:
    for part in (model, *parts):
        part.save_pretrained(path)
    return str(path)


def qwen3_vl(path, hidden: int = 32) -> str:
    """The architecture of Qwen3-VL and of Qwen3-VL-Embedding."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(_CHAT_TOKENS[1:] + marks, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": hidden,
            "intermediate_size": 2 * hidden,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "max_position_embeddings": 32768,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 1, 1],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 16,
            "out_hidden_size": hidden,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=words.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=words.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    size = {"shortest_edge": 4 * 32 * 32, "longest_edge": 64 * 32 * 32}
    template = CHATML.replace("VIDEO", "<|vision_start|><|video_pad|><|vision_end|>")
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(
            patch_size=16, size={"shortest_edge": 32 * 32, "longest_edge": 16 * 32 * 32}
        ),
        tokenizer=words,
        video_processor=Qwen3VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        chat_template=template.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    torch.manual_seed(51)
    return _save(path, Qwen3VLForConditionalGeneration(config), processor)


def molmo2(path, hidden: int = 32) -> str:
    """The architecture of Molmo2."""
    from transformers import (
        Molmo2Config,
        Molmo2ForConditionalGeneration,
        Molmo2ImageProcessor,
        Molmo2Processor,
        Molmo2VideoProcessor,
    )

    parts = ("start", "end", "patch", "col", "low")
    marks = [f"<im_{part}>" for part in parts] + ["<low_res_im_start>", "<|image|>"]
    marks += ["<frame_start>", "<frame_end>", "<|video|>"]
    words = tokenizer(
        _CHAT_TOKENS[1:] + marks, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )
    base = words.convert_tokens_to_ids("<im_start>")
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    config = Molmo2Config(
        text_config={
            "hidden_size": hidden,
            "num_hidden_layers": 2,
            "intermediate_size": 2 * hidden,
            "vocab_size": base,
            "additional_vocab_size": len(words) - base,
            "max_position_embeddings": 32768,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
            **heads,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "image_size": [42, 42],
            "patch_size": 14,
            **heads,
        },
        adapter_config={
            "vision_feature_layer": [1, 0],
            "hidden_size": 16,
            "intermediate_size": 32,
            "text_hidden_size": hidden,
            **heads,
        },
        image_start_token_id=base,
        image_end_token_id=words.convert_tokens_to_ids("<im_end>"),
        image_patch_id=words.convert_tokens_to_ids("<im_patch>"),
        low_res_image_start_token_id=words.convert_tokens_to_ids("<low_res_im_start>"),
        frame_start_token_id=words.convert_tokens_to_ids("<frame_start>"),
        frame_end_token_id=words.convert_tokens_to_ids("<frame_end>"),
    )
    size = {"height": 42, "width": 42}
    processor = Molmo2Processor(
        image_processor=Molmo2ImageProcessor(size=size, overlap_margins=[1, 1]),
        video_processor=Molmo2VideoProcessor(size=size),
        tokenizer=words,
        chat_template=CHATML.replace("VIDEO", "<|video|>").replace("IMAGE", "<|image|>"),
    )
    torch.manual_seed(51)
    return _save(path, Molmo2ForConditionalGeneration(config), processor)


def smolvlm(path, hidden: int = 32) -> str:
    """The architecture of SmolVLM2."""
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>"]
    words = tokenizer(
        [*_CHAT_TOKENS[1:], *marks, "<video>"],
        eos_token="<end_of_utterance>",
        pad_token="<|endoftext|>",
    )
    config = SmolVLMConfig(
        text_config={
            "model_type": "llama",
            "vocab_size": len(words),
            "hidden_size": hidden,
            "intermediate_size": 2 * hidden,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32768,
            "bos_token_id": words.convert_tokens_to_ids("<|im_start|>"),
            "eos_token_id": words.eos_token_id,
            "pad_token_id": words.pad_token_id,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
        scale_factor=2,
    )
    edge = {"longest_edge": 32}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(size=edge, max_image_size=edge),
        tokenizer=words,
        video_processor=SmolVLMVideoProcessor(
            max_image_size=edge,
            video_sampling={"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 32}},
            size={"longest_edge": 32},
        ),
        image_seq_len=4,
        chat_template=CHATML.replace("VIDEO", "<video>").replace("IMAGE", "<image>"),
    )
    torch.manual_seed(51)
    return _save(path, SmolVLMForConditionalGeneration(config), processor)


def siglip2(path, hidden: int = 32) -> str:
    """The architecture of the fixed-size SigLIP2 checkpoints, which are SigLIP's."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor

    words = tokenizer([], eos_token="<eos>", pad_token="<pad>", model_max_length=64)
    layers = {
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = SiglipConfig(
        text_config={"vocab_size": len(words), "projection_size": hidden, **layers},
        vision_config={"image_size": 32, "patch_size": 8, **layers},
    )
    processor = SiglipProcessor(SiglipImageProcessor(size={"height": 32, "width": 32}), words)
    torch.manual_seed(51)
    return _save(path, SiglipModel(config), processor)


def bert(path, hidden: int = 32) -> str:
    """A BERT sentence encoder as all-MiniLM-L6-v2 is published: transformer, mean, normalise."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    words = tokenizer(
        ["[MASK]"], pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]"
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=512,
    )
    torch.manual_seed(51)
    bare = _save(f"{path}-bare", BertModel(config), words)
    module = Transformer(bare, max_seq_length=256)
    pooling = Pooling(module.get_embedding_dimension())
    SentenceTransformer(modules=[module, pooling, Normalize()], device="cpu").save(str(path))
    return str(path)
