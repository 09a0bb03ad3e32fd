"""Patterns that no sentence on the screen may have: idioms and personification that readers stumbled over."""

from __future__ import annotations

import re

PATTERNS = {
    "zh_Hant": re.compile("桌上|下場|活著|活下|花樣|開站|猶豫|大吃一驚|相信|改變心意|拿不定|100 %|[0-9}] %|\u00a0%"),
    "zh_Hans": re.compile(
        "桌上|下场|活着|活下|花样|开站|犹豫|大吃一惊|相信|改变心意|拿不定|100 %|[0-9}] %|\u00a0%"
        # what Taiwan says and the mainland does not, or reads as something else
        "|机率|程式|网路|萤幕|软体|硬体|滑鼠|预设|连结|搜寻|档案|伺服器|记忆体|位元|字元|资讯|讯息|列印|贴上|载入|介面|支援|透过"
        "|范本|复制体|投视频|投影片|曲在线|的在线|改变量|矢量|串行|遮罩|乱数|国中|帐号|纪录|回馈|QR|兆|捷运|牠|妳"
    ),
    "en": re.compile(
        r"\bbehind\b|likeliest|\banew\b|on show|at hand|on the table|\bstands?\b(?! for)|\bstood\b|goes? on\b|"
        r"\blives? on\b|has it easier|100 %|[0-9}] %|\u00a0%"
    ),
}
"""By language."""
