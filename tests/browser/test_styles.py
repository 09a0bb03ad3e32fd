"""Style sheets of the app: the browser understands every rule. One that it does not is dropped without a word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.serving import ROOT

SHEETS = sorted((ROOT / "pages").rglob("*.css"))


def written(css: str) -> int:
    """Number of rules in a sheet, those inside `@media` and the like included."""
    plain = re.sub(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", "", css, flags=re.DOTALL)
    return plain.count("{")


def understood(chromium: Browser, css: str) -> int:
    """Number of rules that the browser keeps of a sheet."""
    page = chromium.new_page()
    count: int = page.evaluate(
        """(css) => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(css);
          const count = (rules) => [...rules].reduce((sum, rule) => sum + 1 + count(rule.cssRules ?? []), 0);
          return count(sheet.cssRules);
        }""",
        css,
    )
    page.close()
    return count


def test_a_rule_that_is_not_css_is_noticed(chromium: Browser) -> None:
    nested = "a { color: red } b:has(> i:not(:has(u))) { color: red } @media print { a { color: blue } }"
    assert written(nested) == 4 and understood(chromium, nested) == 3


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_rule_of_a_component_is_kept(chromium: Browser, path: Path) -> None:
    css = path.read_text("utf-8")
    assert understood(chromium, css) == written(css) > 0
