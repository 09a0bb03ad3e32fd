"""The text as URL parameters: `t`, the encoded trace, and `text`, the same text as characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import engine
from engine.errors import TraceError
from engine.trace.link_codec import decode_text
from engine.trace.trace import Trace
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.model import Model

MAX_QUERY_CHARACTERS = 7_500  # accepted by common reverse proxies


def encode_for_url(trace: Trace, taken: int = 0) -> tuple[str, str]:
    """The encoded trace, and what was left out of it for length: "", "branches", or "all".

    taken: characters of the query that are used otherwise.
    """
    for left_out, shorten in (("", lambda: trace), ("branches", trace.line_alone)):
        try:
            code = engine.encode_trace(shorten())
        except TraceError:
            continue
        if len(code) + taken < MAX_QUERY_CHARACTERS:
            return code, left_out
    return "", "all"


def text_and_continuation(model: Model, trace: Trace, prompt: str) -> tuple[str, str]:
    """The prompt, and the text that follows it up to the cursor; "" if the decoded text does not begin with it."""
    decoded_prompt, decoded = model.text(trace.token_ids(trace.prompt_length - 1)), model.text(trace.token_ids())
    return prompt, decoded.removeprefix(decoded_prompt) if decoded.startswith(decoded_prompt) else ""


def decoded_text(params: QueryParams) -> tuple[str, str]:
    """Prompt and continuation of the query's `text`; two empty strings if it is absent or invalid."""
    try:
        return decode_text(params.text("text"))
    except TraceError:
        return "", ""
