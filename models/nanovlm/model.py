"""nanoVLM: SigLIP encoder → projection → Llama decoder, on transformers' modules.

After nanoVLM (Wiedmann et al., 2025, Apache-2.0): the image's places stand before the question in the decoder's
sequence. Evidence comes at its own aspect through a convolutional stem (Xiao et al., "Early convolutions help
transformers see better", 2021) in place of the square patch projection.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from transformers import LlamaConfig, LlamaModel, SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipEncoder

from models.nanovlm.config import NanoVLMConfig, keeps
from models.nanovlm.decoding import Decoding
from models.nanovlm.rounded import linear_in_bf16

WEIGHTS = "model.safetensors"


class VisionEncoder(nn.Module):
    """Grey evidence, batch × 1 × height × width in [-1, 1] → batch × columns × hidden."""

    def __init__(self, config: NanoVLMConfig) -> None:
        super().__init__()
        self.stem = nn.Sequential(*(Convolution(*layer) for layer in config.stem))
        self.shuffle = nn.Linear(config.rows * config.stem[-1][1], config.hidden)
        self.position = nn.Parameter(torch.randn(config.columns, config.hidden) * 0.02)
        self.encoder = SiglipEncoder(
            SiglipVisionConfig(
                hidden_size=config.hidden,
                intermediate_size=config.vision_feed_forward,
                num_hidden_layers=config.vision_layers,
                num_attention_heads=config.vision_heads,
                attn_implementation="sdpa",
            )
        )
        self.norm = nn.LayerNorm(config.hidden)

    def forward(self, images: Tensor) -> Tensor:
        places = self.stem(images.to(next(self.stem.parameters()).dtype)).to(self.position.dtype)
        batch, _, _, columns = places.shape
        joined = places.permute(0, 3, 1, 2).reshape(batch, columns, -1)
        seen: Tensor = self.encoder(inputs_embeds=self.shuffle(joined) + self.position).last_hidden_state
        normed: Tensor = self.norm(seen)
        return normed


class NanoVLM(Decoding):
    """The whole model. `characters` is the auxiliary column head: training uses it, reading does not."""

    def __init__(self, config: NanoVLMConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionEncoder(config)
        self.projection = nn.Linear(config.hidden, config.hidden)
        self.characters = nn.Linear(config.hidden, config.characters)
        self.decoder = LlamaModel(
            LlamaConfig(
                vocab_size=config.vocabulary,
                hidden_size=config.hidden,
                intermediate_size=config.decoder_feed_forward,
                num_hidden_layers=config.decoder_layers,
                num_attention_heads=config.decoder_heads,
                num_key_value_heads=config.decoder_heads,
                max_position_embeddings=config.positions,
                attn_implementation="sdpa",
            )
        )
        self.head = nn.Linear(config.hidden, config.vocabulary, bias=False)

    def see(self, images: Tensor) -> Tensor:
        """Evidence → what the decoder is given of it, batch × columns × hidden."""
        seen: Tensor = self.projection(self.vision(images))
        return seen

    def forward(self, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each next token (batch × length × vocabulary) and of each column's character."""
        seen = self.see(images)
        return self.said(seen, tokens), self.characters(seen)

    def said(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Logits of the token after each of `tokens` (batch × length), given what `see` gave."""
        sequence = torch.cat([seen, self.decoder.embed_tokens(tokens)], dim=1)
        hidden = self.decoder(inputs_embeds=sequence, use_cache=False).last_hidden_state
        logits: Tensor = self.head(hidden[:, seen.shape[1] :])
        return logits

    def start(self, seen: Tensor, questions: Tensor) -> tuple[Tensor, Any]:
        """Logits of the first answer token (batch × vocabulary), and the cache to go on from."""
        return self.begin(torch.cat([seen, self.decoder.embed_tokens(questions[:, None])], dim=1))

    def for_reading(self, *, bf16: bool = False) -> Self:
        """A copy that can't be trained and reads faster: normalisation folded into the convolutions, whose channels
        lie side by side in memory. With `bf16` convolutions and linear layers, nearly all there is to compute, are
        done in that."""
        copied = copy.deepcopy(self).eval()
        for layer in copied.vision.stem.children():
            convolution, normalisation = cast(nn.Conv2d, layer.get_submodule("0")), layer.get_submodule("1")
            # It may be such a copy already.
            if isinstance(normalisation, nn.BatchNorm2d):
                layer.add_module("0", fuse_conv_bn_eval(convolution, normalisation))
                layer.add_module("1", nn.Identity())
        copied.vision.stem.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if bf16:
            copied.vision.stem.bfloat16()
            for part in (copied.vision, copied.decoder):
                linear_in_bf16(part)
        return copied.requires_grad_(False)

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Loads `config.json` and `model.safetensors`; half-precision weights are widened."""
        model = cls(NanoVLMConfig.load(folder))
        weights = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in load_file(folder / WEIGHTS).items()
        }
        model.load_state_dict(weights)
        return model.eval()

    def save(self, folder: Path, dtype: torch.dtype = torch.float16) -> None:
        """Writes the folder that `from_folder` reads, safetensors only."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save(folder)
        weights = {
            name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous()
            for name, tensor in self.state_dict().items()
        }
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
        # Workers run as other users than whoever trained.
        (folder / WEIGHTS).chmod(0o644)


class Convolution(nn.Sequential):
    """A 3×3 convolution of the stem, normalised. One that leaves size and channels as they are adds to what it was
    given (He et al., "Deep residual learning for image recognition", CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, down: int, across: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, (down, across), 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.adds = keeps((inputs, outputs, down, across))

    def forward(self, places: Tensor) -> Tensor:
        convolution, normalisation, rectified = self
        found: Tensor = normalisation(convolution(places))
        told: Tensor = rectified(places + found if self.adds else found)
        return told
