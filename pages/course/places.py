"""Elements of the pages that a lesson's step speaks of, by name, with their selectors.

A selector is a CSS selector; ` >>> ` enters a component's shadow root.
"""

from __future__ import annotations

from pages.transformer.state import BOXES

_ROOT = "[data-testid=stBidiComponentIsolated]"  # the element of a component that has the shadow root
_STAGE = f".st-key-stage {_ROOT}"
_MODEL = f".st-key-transformer {_ROOT}"
# Highlighted: these are selectors of the page's style too, which reach into a shadow root by `::part` alone.
HIGHLIGHTS = {
    "controls": f"{_STAGE}::part(controls)",
    "prompt": ".st-key-prompt",
    "text": f"{_STAGE}::part(text)",
    "bars": f"{_STAGE}::part(bars)",
    "ruler": f"{_STAGE}::part(ruler)",
    "search": ".st-key-search",
    "sums": ".st-key-sums",
    "curve": ".st-key-sums",
    "temperature": ".st-key-temperature",
    "top_k": ".st-key-top_k",
    "top_p": ".st-key-top_p",
    "bars_shown": ".st-key-bars_shown",
    "seed": ".st-key-seed, .st-key-new_seed",
    "strategy": ".st-key-strategy",
    "grow": ".st-key-grow, .st-key-grow_all",
    "tree": ".st-key-beam_tree",
    "width": ".st-key-beam_width",
    **{f"box_{name}": f"{_MODEL}::part({name})" for name in BOXES},
    "layer": f"{_MODEL}::part(layer)",
    "maps": ".st-key-head_maps",
    "head": ".st-key-one_head",
    "lens": ".st-key-lens_table",
    "flat": "[class*='st-key-compare-flat'], [class*='st-key-compare-peaked']",
    "mattered": ".st-key-inside_mattered",
    "cut": ".st-key-cut",
    "merges": ".st-key-merging",
    "cut_text": ".st-key-cut_text",
    "conversation": ".st-key-conversation",
    "forced": ".st-key-forced",
    "training_text": ".st-key-training_text, .st-key-training_start",
    "learning": ".st-key-learning",
    "forced_token": ".st-key-limits_forced",
    "question": ".st-key-limits_start",
    "run": ".st-key-uses_run",
    "task": ".st-key-uses_task",
    "families": ".st-key-uses_families",
    "quiz": ".st-key-quiz",
    "start": ".st-key-compare_start, .st-key-training_start, .st-key-limits_start, .st-key-speculative_start",
}
# Buttons that a task may need. The foot of a narrow window repeats the one that is needed next.
BUTTONS = {
    "press_next": f"{_STAGE} >>> [data-keep=next]",
    "press_run": f"{_STAGE} >>> [data-keep=run]",
    "press_back": f"{_STAGE} >>> [data-keep=back]",
    "press_restart": f"{_STAGE} >>> [data-keep=restart]",
    "press_new_seed": ".st-key-new_seed button",
    "press_sample": ".st-key-strategy [role=radiogroup] label, .st-key-strategy [role=radio]",
    "press_grow": ".st-key-grow button",
    "press_grow_all": ".st-key-grow_all button",
    "press_mattered": ".st-key-inside_mattered input",
    "press_merge": f".st-key-merging {_ROOT} >>> .stepper .next",
    "press_start": ".st-key-compare_start button, .st-key-limits_start button, .st-key-speculative_start button",
    "press_append": f"{_MODEL} >>> [data-keep=append]",
    "press_use": ".st-key-uses_run button",
}
# Where the result of a task is seen, besides the highlights.
RESULTS = HIGHLIGHTS | {
    "found": ".st-key-found",
    "formula": ".st-key-formula",
    "opened": ".st-key-beam_opened",
    "methods": ".st-key-mattered",
    "guesses": ".st-key-training_bars",
    "measured": ".st-key-limits_result, .st-key-speculative_result",
    "cuts": ".st-key-cuts",
    "answer": ".st-key-uses_prompt",
    "numbers": f"{_MODEL}::part(detail)",
}
# What changes while a highlighted control is used; what belongs to a highlighted picture.
BESIDE = {
    "controls": "text",
    "bars": "text",
    "ruler": "text",
    "temperature": "bars",
    "top_k": "bars",
    "top_p": "bars",
    "seed": "text",
    "strategy": "text",
    "grow": "tree",
    "width": "tree",
    "cut_text": "cut",
    "run": "answer",
    "task": "answer",
}
LOWER_END = ("curve",)  # of these the lower end is scrolled to, not the upper


def selector(name: str) -> str:
    """Selector of a place of any kind."""
    return BUTTONS[name] if name in BUTTONS else RESULTS[name]
