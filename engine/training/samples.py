"""Continuations, printed as they come: greedy, drawn at temperature 0.8, beam 4; twenty stories; where greedy loops.

Nothing is chosen by hand: the seeds are 0, 1, 2, … and every text is shown. Chinese and English prompts are below.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedModel

SENTENCES = ("人工智能是", "人工智慧是", "今天天氣真", "The weather today is", "Artificial intelligence is")
STORY = "從前有一隻"
LOOPS = ("今天天氣真", "人工智慧是", STORY, "我覺得", "The weather today is", "Once upon a time")
LEAST_TURNS = 3  # a stretch counts as a loop when it stands so many times in a row at the end


def continue_text(
    model: PreTrainedModel, tokenizer: Tokenizer, prompt: str, length: int, seed: int | None = None, beams: int = 1
) -> tuple[list[int], str]:
    """(new token ids, their text); with a seed drawn at temperature 0.8, else the likeliest or the best of beams."""
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    end = tokenizer.token_to_id("<eos>")
    settings: dict[str, Any] = {"max_new_tokens": length, "eos_token_id": end, "pad_token_id": end, "num_beams": beams}
    if seed is not None:
        torch.manual_seed(seed)
        settings |= {"do_sample": True, "temperature": 0.8, "top_k": 0, "top_p": 1.0}
    inputs = torch.tensor([ids])
    with torch.inference_mode():
        written = cast(Any, model).generate(
            inputs, attention_mask=torch.ones_like(inputs), generation_config=GenerationConfig(**settings)
        )
    new = written[0, len(ids) :].tolist()
    return new, tokenizer.decode([i for i in new if i != end])


def find_loop(ids: list[int]) -> tuple[int, int] | None:
    """(where it begins, its length) of the shortest stretch that fills the end of `ids` again and again.

    >>> find_loop([5, 1, 2, 1, 2, 1, 2, 1]), find_loop([1, 2, 3, 4])
    ((1, 2), None)
    """
    for period in range(1, len(ids) // LEAST_TURNS + 1):
        start = len(ids) - period
        while start > 0 and ids[start - 1] == ids[start - 1 + period]:
            start -= 1
        if len(ids) - start >= LEAST_TURNS * period:
            return start, period
    return None


def _line(text: str) -> str:
    return text.replace("\n", "⏎")


def report(model: PreTrainedModel, tokenizer: Tokenizer, stories: int, length: int) -> None:
    """Print them all."""
    for prompt in SENTENCES:
        print(f"\n{prompt}")
        print(f"  greedy: {_line(continue_text(model, tokenizer, prompt, length)[1])}")
        print(f"  beam 4: {_line(continue_text(model, tokenizer, prompt, length, beams=4)[1])}")
        for seed in range(3):
            print(f"  drawn {seed}: {_line(continue_text(model, tokenizer, prompt, length, seed)[1])}")
    print(f"\n{stories} times {STORY}, drawn at 0.8")
    for seed in range(stories):
        print(f"{seed + 1:3} {STORY}{_line(continue_text(model, tokenizer, STORY, 2 * length, seed)[1])}")
    _loops(model, tokenizer, 5 * length)


def _loops(model: PreTrainedModel, tokenizer: Tokenizer, length: int) -> None:
    print(f"\nthe likeliest token {length} times over, past every document's end: where does it go round in circles?")
    for prompt in LOOPS:
        ids = _greedy_past_the_end(model, tokenizer, prompt, length)
        loop = find_loop(ids)
        if loop:
            begin, period = loop
            turn = _line(tokenizer.decode(ids[begin : begin + period], skip_special_tokens=False))
            print(f"  {prompt}: from token {begin} on, {period} tokens: {turn[:120]}")
        else:
            print(f"  {prompt}: not within {length} tokens")


def _greedy_past_the_end(model: PreTrainedModel, tokenizer: Tokenizer, prompt: str, length: int) -> list[int]:
    """The likeliest token again and again; `<eos>` is a token like any other, so a new document begins after it."""
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    context = int(getattr(model.config, "max_position_embeddings", 512))
    inputs = torch.tensor([ids[-context:]])
    settings = {"max_new_tokens": max(1, min(length, context - inputs.shape[1])), "do_sample": False}
    ends = {"eos_token_id": None, "pad_token_id": tokenizer.token_to_id("<eos>")}
    kept, model.generation_config = model.generation_config, GenerationConfig()  # it names an end
    try:
        with torch.inference_mode():
            written = cast(Any, model).generate(
                inputs, attention_mask=torch.ones_like(inputs), generation_config=GenerationConfig(**settings, **ends)
            )
    finally:
        model.generation_config = kept
    result: list[int] = written[0, inputs.shape[1] :].tolist()
    return result
