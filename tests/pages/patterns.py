"""Patterns that no sentence on the screen may have: idioms and personification that readers stumbled over."""

from __future__ import annotations

import re

PATTERNS = {
    "zh_Hant": re.compile("桌上|下場|活著|活下|花樣|開站|猶豫|大吃一驚|相信|改變心意|拿不定|100 %|[0-9}] %|\u00a0%"),
    "en": re.compile(
        r"\bbehind\b|likeliest|\banew\b|on show|at hand|on the table|\bstands?\b(?! for)|\bstood\b|goes? on\b|"
        r"\blives? on\b|has it easier|100 %|[0-9}] %|\u00a0%"
    ),
}
"""By language."""
