"""Printed samples: greedy, sampled at temperature 0.8, beam search of width 4; stories; replies; greedy loops.

There is no cherry-picking: the seeds are 0, 1, 2, … and every text is printed. Prompts are Chinese and English.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedModel

from engine.training import chat_format

SENTENCES = ("人工智能是", "人工智慧是", "今天天氣真", "The weather today is", "Artificial intelligence is")
STORIES = ("從前有一隻", "Once upon a time")
QUESTIONS = ("你好", "你叫什麼名字？", "天空是什麼顏色？", "講一個故事給我聽", "Hello!", "What is a language model?")
LOOPS = ("今天天氣真", "人工智慧是", "從前有一隻", "我覺得", "The weather today is", "Once upon a time")
MIN_REPEATS = 3  # consecutive repetitions at the end of a text that count as a loop


def continue_text(
    model: PreTrainedModel, tokenizer: Tokenizer, prompt: str, length: int, seed: int | None = None, beams: int = 1
) -> tuple[list[int], str]:
    """(new token ids, their text): sampled at temperature 0.8 with a seed, else greedy or beam search."""
    return _continue_ids(
        model, tokenizer, tokenizer.encode(prompt, add_special_tokens=False).ids, length, ("<eos>",), seed, beams
    )


def _continue_ids(
    model: PreTrainedModel, tokenizer: Tokenizer, ids: list[int], length: int, ends: Sequence[str],
    seed: int | None = None, beams: int = 1,
) -> tuple[list[int], str]:  # fmt: skip
    """As `continue_text`, up to one of the special tokens `ends`."""
    end_ids = [tokenizer.token_to_id(end) for end in ends]
    eos = tokenizer.token_to_id("<eos>")
    settings: dict[str, Any] = {
        "max_new_tokens": length,
        "eos_token_id": end_ids,
        "pad_token_id": eos,
        "num_beams": beams,
    }
    if seed is not None:
        torch.manual_seed(seed)
        settings |= {"do_sample": True, "temperature": 0.8, "top_k": 0, "top_p": 1.0}
    inputs = torch.tensor([ids])
    with torch.inference_mode():
        output = cast(Any, model).generate(
            inputs, attention_mask=torch.ones_like(inputs), generation_config=GenerationConfig(**settings)
        )
    new = output[0, len(ids) :].tolist()
    return new, tokenizer.decode([i for i in new if i not in end_ids])


def find_loop(ids: list[int]) -> tuple[int, int] | None:
    """(start, period) of the loop of the shortest period at the end of `ids`, repeated at least MIN_REPEATS times.

    >>> find_loop([5, 1, 2, 1, 2, 1, 2, 1]), find_loop([1, 2, 3, 4])
    ((1, 2), None)
    """
    for period in range(1, len(ids) // MIN_REPEATS + 1):
        start = len(ids) - period
        while start > 0 and ids[start - 1] == ids[start - 1 + period]:
            start -= 1
        if len(ids) - start >= MIN_REPEATS * period:
            return start, period
    return None


def _on_one_line(text: str) -> str:
    return text.replace("\n", "⏎")


def report(model: PreTrainedModel, tokenizer: Tokenizer, stories: int, length: int) -> None:
    """Print all samples; `length` in tokens, doubled for stories and five times for the search for loops."""
    for prompt in SENTENCES:
        print(f"\n{prompt}")
        print(f"  greedy: {_on_one_line(continue_text(model, tokenizer, prompt, length)[1])}")
        print(f"  beam 4: {_on_one_line(continue_text(model, tokenizer, prompt, length, beams=4)[1])}")
        for seed in range(3):
            print(f"  drawn {seed}: {_on_one_line(continue_text(model, tokenizer, prompt, length, seed)[1])}")
    for story in STORIES:
        print(f"\n{stories} times {story}, drawn at 0.8")
        for seed in range(stories):
            print(f"{seed + 1:3} {story}{_on_one_line(continue_text(model, tokenizer, story, 2 * length, seed)[1])}")
    if tokenizer.token_to_id(chat_format.END_OF_TURN) is not None:
        _report_replies(model, tokenizer, 2 * length)
    _report_loops(model, tokenizer, 5 * length)


def _report_replies(model: PreTrainedModel, tokenizer: Tokenizer, length: int) -> None:
    print("\nreplies in the chat format: the likeliest one, and one drawn at 0.8")
    special = chat_format.token_ids(tokenizer)
    ends = ("<eos>", chat_format.END_OF_TURN)
    for question in QUESTIONS:
        asked = tokenizer.encode(question, add_special_tokens=False).ids
        ids = [special["<|user|>"], *asked, special[chat_format.END_OF_TURN], special["<|assistant|>"]]
        replies = [_continue_ids(model, tokenizer, ids, length, ends, seed)[1] for seed in (None, 0)]
        print(f"  {question} → {' | '.join(map(_on_one_line, replies))}")


def _report_loops(model: PreTrainedModel, tokenizer: Tokenizer, length: int) -> None:
    print(f"\nthe likeliest token {length} times over, past every document's end: where does it go round in circles?")
    for prompt in LOOPS:
        ids = _greedy_past_eos(model, tokenizer, prompt, length)
        loop = find_loop(ids)
        if loop:
            start, period = loop
            text = _on_one_line(tokenizer.decode(ids[start : start + period], skip_special_tokens=False))
            print(f"  {prompt}: from token {start} on, {period} tokens: {text[:120]}")
        else:
            print(f"  {prompt}: not within {length} tokens")


def _greedy_past_eos(model: PreTrainedModel, tokenizer: Tokenizer, prompt: str, length: int) -> list[int]:
    """Greedy continuation that does not stop at `<eos>`, so that a new document begins after it."""
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    context = int(getattr(model.config, "max_position_embeddings", 512))
    inputs = torch.tensor([ids[-context:]])
    settings = {"max_new_tokens": max(1, min(length, context - inputs.shape[1])), "do_sample": False}
    special = {"eos_token_id": None, "pad_token_id": tokenizer.token_to_id("<eos>")}
    # The model's own configuration has an `eos_token_id`, which would fill in for None.
    original, model.generation_config = model.generation_config, GenerationConfig()
    try:
        with torch.inference_mode():
            output = cast(Any, model).generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                generation_config=GenerationConfig(**settings, **special),
            )
    finally:
        model.generation_config = original
    result: list[int] = output[0, inputs.shape[1] :].tolist()
    return result
