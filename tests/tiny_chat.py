"""Tiny chat models with random weights, and chat templates written like those of well-known families.

`CHATML` is that of Qwen2.5 and SmolLM2 (with a system prompt of its own), `LLAMA3` has a start token and strips what is
said, `GEMMA` takes no system prompt, `THINKING` leaves the thinking part out of earlier replies as Qwen3's does.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken
from transformers import AutoTokenizer, GenerationConfig, Qwen2Config

from tests import tiny

SPECIAL = (
    "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "<bos>", "<start_of_turn>", "<end_of_turn>",
)  # fmt: skip
CONTEXT = 512
CHATML = """{% for message in messages %}
{% if loop.first and message['role'] != 'system' %}
{{ '<|im_start|>system\\nBe helpful.<|im_end|>\\n' }}
{% endif %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
LLAMA3 = """{{- bos_token }}{% for m in messages -%}
<|start_header_id|>{{ m.role }}<|end_header_id|>

{{ m.content | trim }}<|eot_id|>{% endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""
GEMMA = """{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('No system prompt') }}{% endif %}
{% for m in messages %}
{% if (m.role == 'user') != (loop.index0 is even) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{% set role = 'model' if m.role == 'assistant' else m.role %}
{{ '<start_of_turn>' ~ role ~ '\\n' ~ (m.content | trim) ~ '<end_of_turn>\\n' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""
THINKING = """{%- set ns = namespace(last=0) -%}
{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
{%- set content = m.content -%}
{%- if m.role == 'assistant' and '</think>' in content and loop.index0 < ns.last -%}
{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}
{%- endif -%}
{{- '<|im_start|>' + m.role + '\\n' + content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}
{%- if enable_thinking is defined and not enable_thinking -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{%- endif -%}"""
GOOD = {"chatml": CHATML, "llama3": LLAMA3, "gemma": GEMMA, "thinking": THINKING}
RAISING = "{{ raise_exception('Never <b>mind</b>') }}"
LOOPING = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
GREEDY_FOR_MEMORY = "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
LONG = "{% for i in range(99999) %}{{ 'a' * 99 }}{% endfor %}"
ESCAPING = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
UNFINISHED = "{% for m in messages %}"
HUGE = "{# " + "x" * 250_000 + " #}"
ENDS = {"chatml": "<|im_end|>", "llama3": "<|eot_id|>", "gemma": "<end_of_turn>", "thinking": "<|im_end|>"}


def build(folder: Path, template: str = CHATML, end: str = "<|im_end|>", in_file: bool = True) -> Path:
    """Save a chat model in a folder, with its template in a file of its own or in the tokenizer's configuration.

    `end`: the token that `generation_config.json` names as the end of a turn.
    """
    tokenizer = tiny.byte_level()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in ("<think>", "</think>")])
    size = tokenizer.get_vocab_size() + tiny.UNNAMED
    shape = tiny.SHAPE | {"max_position_embeddings": CONTEXT}
    tiny.save(folder, tokenizer, Qwen2Config(vocab_size=size, num_key_value_heads=2, **shape), tiny.END)
    ends = [tokenizer.token_to_id(tiny.END), tokenizer.token_to_id(end)]
    GenerationConfig(eos_token_id=ends).save_pretrained(folder)
    saved = AutoTokenizer.from_pretrained(folder)
    saved.bos_token = "<bos>" if "start_of_turn" in template else "<|begin_of_text|>"
    saved.chat_template = template
    saved.save_pretrained(folder, save_jinja_files=in_file)
    return folder
