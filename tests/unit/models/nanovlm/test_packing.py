"""Packed prompts: the numbers of each prompt alone, whatever stands beside it."""

from __future__ import annotations

import pytest
import torch

from models.nanovlm.packing import Pack, Rows, common
from models.nanovlm.published.config import PublishedConfig
from models.nanovlm.published.model import PublishedNanoVLM
from tests.unit.models.nanovlm.test_published import FIRST

SHARED = 7


@pytest.fixture(scope="module")
def model() -> PublishedNanoVLM:
    torch.manual_seed(3)
    model = PublishedNanoVLM(PublishedConfig.of(FIRST)).eval()
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    return model


def embedded(length: int, seed: int) -> torch.Tensor:
    return torch.randn(length, FIRST["lm_hidden_dim"], generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def packs() -> list[Pack]:
    """Three pictures, with three questions, one and two, of unlike lengths."""
    lengths = ([4, 1, 6], [3], [2, 5])
    return [
        Pack(embedded(SHARED, seed), [embedded(length, 10 * seed + n) for n, length in enumerate(each)])
        for seed, each in enumerate(lengths, start=1)
    ]


@torch.inference_mode()
def test_each_prompt_gets_the_logits_it_would_get_alone(model: PublishedNanoVLM, packs: list[Pack]) -> None:
    rows = Rows.begun(model, packs)
    alone = [model.begin(torch.cat([pack.shared, end])[None]) for pack in packs for end in pack.ends]
    torch.testing.assert_close(rows.logits, torch.cat([logits for logits, _ in alone]), atol=1e-4, rtol=0)
    # The answers go on, and some end earlier than others.
    said = list(range(1, len(alone) + 1))
    rows.say(said)
    after = [model.step(torch.tensor([word]), cache) for word, (_, cache) in zip(said, alone, strict=True)]
    torch.testing.assert_close(rows.logits, torch.cat([logits for logits, _ in after]), atol=1e-4, rtol=0)
    left = [0, 3, 5]
    rows.keep(left)
    rows.say([9, 9, 9])
    last = [model.step(torch.tensor([9]), after[place][1])[0] for place in left]
    torch.testing.assert_close(rows.logits, torch.cat(last), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_the_shared_part_is_computed_once(model: PublishedNanoVLM, packs: list[Pack]) -> None:
    lengths: list[int] = []
    hook = model.decoder.register_forward_pre_hook(
        lambda _, __, given: lengths.append(given["inputs_embeds"].shape[1]), with_kwargs=True
    )
    Rows.begun(model, packs[:1])
    hook.remove()
    assert lengths == [SHARED + 4 + 1 + 6]


def test_packs_of_unlike_shared_parts_are_refused(model: PublishedNanoVLM, packs: list[Pack]) -> None:
    with pytest.raises(ValueError, match="one length"):
        Rows.begun(model, [packs[0], Pack(embedded(SHARED + 1, 5), [embedded(1, 6)])])


def test_what_prompts_have_in_common_leaves_each_an_end() -> None:
    a, b, c = (torch.tensor(one) for one in ([5, 6, 7, 8], [5, 6, 9], [5, 6]))
    assert common([a, b]) == 2
    assert common([a, b, c]) == 1
    assert common([a, a]) == 3
    assert common([a, torch.tensor([4, 6])]) == 0
