"""Settings of a beam search in links, and the limits of their controls on the page."""

from __future__ import annotations

from dataclasses import asdict

from engine.decoding.beam_types import BeamSettings
from engine.serving import config
from pages.session.query_params import QueryParams, changed

# Limits of the page's controls; those of the engine are wider, see BEAM_RANGES.
MAX_WIDTH, MAX_LEVELS, MAX_NGRAM = 16, 64, 6
LENGTH_PENALTIES, REPETITION_PENALTIES = (-2.0, 3.0), (1.0, 2.0)
# URL parameters of the fields of BeamSettings that are named differently there.
_QUERY_NAMES = {
    "length_penalty": "penalty", "max_new_tokens": "levels", "early_stopping": "early",
    "repetition_penalty": "repetition", "no_repeat_ngram_size": "ngram",
}  # fmt: skip


def settings_to_query(settings: BeamSettings) -> dict[str, str]:
    """URL parameters of the settings that differ from the defaults."""
    values = changed(asdict(settings), asdict(BeamSettings()))
    return {_QUERY_NAMES.get(name, name): value for name, value in values.items()}


def settings_from_query(params: QueryParams) -> BeamSettings:
    """Settings of URL parameters; values out of range become the defaults, within the host's limits."""
    max_levels = min(MAX_LEVELS, config.current().run_tokens)
    early = params.one_of("early", ("0", "1", "never"), "0")
    return BeamSettings(
        width=params.whole("width", 1, MAX_WIDTH, 4),
        length_penalty=params.number("penalty", *LENGTH_PENALTIES, 1.0),
        max_new_tokens=params.whole("levels", 1, max_levels, min(max_levels, 12)),
        early_stopping="never" if early == "never" else early == "1",
        repetition_penalty=params.number("repetition", *REPETITION_PENALTIES, 1.0),
        no_repeat_ngram_size=params.whole("ngram", 0, MAX_NGRAM, 0),
    )
