"""The published architecture: SigLIP → pixel shuffle and a linear layer → SmolLM2, on transformers' modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaModel, SiglipVisionConfig, SiglipVisionModel

from models.nanovlm.decoding import Decoding
from models.nanovlm.int8 import in_int8
from models.nanovlm.model import WEIGHTS
from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.keys import EMBEDDING, HEAD, from_published, to_published
from models.precision import Precision


class PublishedNanoVLM(Decoding):
    """The whole model. `image_token` is the number of the token that stands for a place of an image, which only the
    second generation has."""

    def __init__(self, config: PublishedConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = SiglipVisionModel(
            SiglipVisionConfig(
                hidden_size=config.vit_hidden_dim,
                intermediate_size=config.vit_inter_dim,
                num_hidden_layers=config.vit_n_blocks,
                num_attention_heads=config.vit_n_heads,
                image_size=config.vit_img_size,
                patch_size=config.vit_patch_size,
                layer_norm_eps=config.vit_ln_eps,
                hidden_act="gelu_pytorch_tanh",
                vision_use_head=False,
                attn_implementation="sdpa",
            )
        )
        joined = config.vit_hidden_dim * config.mp_pixel_shuffle_factor**2
        self.projection = nn.Linear(joined, config.lm_hidden_dim, bias=False)
        self.decoder = LlamaModel(
            LlamaConfig(
                vocab_size=config.lm_vocab_size,
                hidden_size=config.lm_hidden_dim,
                intermediate_size=config.lm_inter_dim,
                num_hidden_layers=config.lm_n_blocks,
                num_attention_heads=config.lm_n_heads,
                num_key_value_heads=config.lm_n_kv_heads,
                rms_norm_eps=config.lm_rms_eps,
                max_position_embeddings=config.lm_max_position_embeddings,
                rope_parameters={"rope_type": "default", "rope_theta": float(config.lm_re_base)},
                attn_implementation="sdpa",
            )
        )
        self.decoder.rotary_emb.attention_scaling = config.lm_attn_scaling
        self.head = nn.Linear(config.lm_hidden_dim, config.lm_vocab_size, bias=False)
        if config.lm_tie_weights:
            self.head.weight = self.decoder.embed_tokens.weight

    def see(self, views: Tensor) -> Tensor:
        """Square RGB images (n × 3 × side × side, in [0, 1]) → what the decoder is given of them (n × places ×
        hidden)."""
        seen: Tensor = self.projection(shuffled(self.vision(views).last_hidden_state, self.config))
        return seen

    def joined(self, seen: Tensor, tokens: Tensor, image_token: int | None = None) -> Tensor:
        """The decoder's sequence: what is seen, and the text (batch × length).

        First generation: each text's one image stands before it. Second generation: images take the places of their
        tokens, in order. Raises ValueError where places and images don't fit, or the sequence is too long.
        """
        text = self.decoder.embed_tokens(tokens)
        if self.config.generation == 1:
            sequence = torch.cat([seen, text], dim=1)
        else:
            places = tokens.eq(-1 if image_token is None else image_token)
            if int(places.sum()) != seen.shape[0] * seen.shape[1]:
                raise ValueError(f"{int(places.sum())} image tokens, but {seen.shape[0] * seen.shape[1]} places seen")
            sequence = text.masked_scatter(places[:, :, None], seen.to(text.dtype))
        if sequence.shape[1] > self.config.lm_max_position_embeddings:
            # The published code would stretch its rotary frequencies here, differently with and without a cache.
            raise ValueError(
                f"{sequence.shape[1]} places, but the model was made for {self.config.lm_max_position_embeddings}"
            )
        return sequence

    def forward(self, views: Tensor, tokens: Tensor, image_token: int | None = None) -> Tensor:
        """Logits of the token after each of `tokens` (batch × length × vocabulary)."""
        sequence = self.joined(self.see(views), tokens, image_token)
        hidden = self.decoder(inputs_embeds=sequence, use_cache=False).last_hidden_state
        logits: Tensor = self.head(hidden[:, -tokens.shape[1] :])
        return logits

    def start(self, seen: Tensor, tokens: Tensor, image_token: int | None = None) -> tuple[Tensor, Any]:
        """Logits of the first answer token (batch × vocabulary), and the cache to go on from."""
        return self.begin(self.joined(seen, tokens, image_token))

    def computing_in(self, precision: Precision, device: str = "cpu") -> Self:
        """This model, put on the device in these numbers; in int8 it can't be trained, and what joins its two halves
        and what gives the chances of tokens is in bf16. Raises ValueError for int8 on a GPU, which gains nothing."""
        if precision != "int8":
            return self.to(device, torch.float32 if precision == "fp32" else torch.bfloat16)
        if device != "cpu":
            raise ValueError("int8 is for processors; on a GPU use bf16")
        for part in (self.vision, self.decoder):
            in_int8(part)
        for layer in (self.projection, self.head):
            layer.to(torch.bfloat16)
        return self

    @torch.inference_mode()
    def generate(
        self, views: Tensor, tokens: Tensor, longest: int, *, stop: int | None = None, image_token: int | None = None
    ) -> Tensor:
        """The likeliest next tokens (batch × at most `longest`), one after another; after `stop` only `stop`."""
        logits, cache = self.start(self.see(views), tokens, image_token)
        written: list[Tensor] = []
        done = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        while len(written) < longest and not bool(done.all()):
            if written:
                logits, cache = self.step(written[-1], cache)
            best = logits.argmax(-1)
            if stop is not None:
                best = best.masked_fill(done, stop)
                done |= best == stop
            written.append(best)
        return torch.stack(written, 1) if written else tokens[:, :0]

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Loads `config.json` and `model.safetensors`. Raises ValueError where the two don't fit."""
        model = cls(PublishedConfig.load(folder))
        weights = from_published({name: one.float() for name, one in load_file(folder / WEIGHTS).items()}, model.config)
        sizes = model.state_dict()
        wrong = [name for name, one in weights.items() if one.shape != sizes[name].shape]
        if wrong:
            raise ValueError(
                f"{folder / WEIGHTS} is not of the sizes in config.json: {len(wrong)} differ ({wrong[0]}, …)"
            )
        model.load_state_dict(weights)
        return model.eval()

    def save(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        """Writes the folder that `from_folder` and the published code read."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save(folder)
        weights = {
            name: one.to(dtype).contiguous() for name, one in to_published(self.state_dict(), self.config).items()
        }
        tied = {EMBEDDING: HEAD} if self.config.lm_tie_weights else {}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt", **tied})
        # Workers run as other users than whoever trained.
        (folder / WEIGHTS).chmod(0o644)


def shuffled(patches: Tensor, config: PublishedConfig) -> Tensor:
    """Joins squares of neighbouring patches (pixel shuffle): n × patches × hidden → n × places × joined hidden."""
    factor, side = config.mp_pixel_shuffle_factor, config.vit_img_size // config.vit_patch_size
    squares = patches.reshape(len(patches), side // factor, factor, side // factor, factor, -1)
    return squares.transpose(2, 3).flatten(3).flatten(1, 2)
