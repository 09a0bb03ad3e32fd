"""Browser tests that a Chinese visitor meets no English words of Streamlit's own."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, FilePayload, Page

from engine.serving import catalog
from pages.i18n.translator import sentences
from tests.browser.app import links, open_more_settings, settle, visit
from tests.browser.tabs import borrow, leave

# English that is not Streamlit's: the other language's name, a key's name, words of prompts, tokens and commands, names
# of models, licences and number formats.
MODELS = {word for model in catalog.models() for word in re.findall(r"[A-Za-z]+", f"{model.name} {model.licence}")}
ALLOWED = MODELS | {
    "English", "Ctrl", "The", "capital", "France", "http", "ENGINE", "MODELS", "openai", "community", "gpt", "Qwen",
    "baidu", "make", "run", "float",
}  # fmt: skip
# Text and names of everything but the app's own components, which have a shadow root, and of icons.
_WORDS = """() => {
  const found = [];
  const visit = (node) => {
    if (node.matches("script, style, [data-testid=stIconMaterial], svg, [aria-hidden=true]:not(:has(p))")) return;
    if (!node.checkVisibility() || node.dataset.liveAnnouncer) return;
    for (const name of ["aria-label", "title", "placeholder"]) found.push(node.getAttribute(name) ?? "");
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) found.push(child.nodeValue);
      if (child.nodeType === Node.ELEMENT_NODE) visit(child);
    }
  };
  visit(document.body);
  return found.join("\\n");
}"""


def english(page: Page) -> set[str]:
    """Latin words on the page that are in none of the app's Chinese sentences."""
    texts = [text for value in sentences("zh_Hant").values() for text in ([value] if isinstance(value, str) else value)]
    own = set(re.findall(r"[A-Za-z]{3,}", " ".join(texts)))
    return set(re.findall(r"[A-Za-z]{3,}", page.evaluate(_WORDS))) - own - ALLOWED


def test_no_page_speaks_english(page: Page) -> None:
    found: dict[str, set[str]] = {"step": english(page)}
    open_more_settings(page)
    settle(page)
    found["settings"] = english(page)
    for url in links(page).values():
        page.goto(url)
        page.wait_for_selector(".stMain .st-key-lead")
        settle(page)
        for expander in page.locator(".stMain [data-testid=stExpander] summary").all():
            expander.click()
        for kind in (".stTextInput input", ".stTextArea textarea", ".stNumberInput input"):
            box = page.locator(f".stMain {kind}:enabled").first
            if box.count():
                box.press("1")
                assert page.get_by_test_id("InputInstructions").count(), "the hint of a box that was changed"
                found[f"{url} {kind}"] = english(page)
        found[url] = english(page)
    assert {place: words for place, words in found.items() if words} == {}


def test_the_upload_box_speaks_chinese_and_then_english(page: Page) -> None:
    page.locator(".st-key-share button").first.click()
    box = page.locator(".stFileUploader")
    box.get_by_text("最大 2 MB").wait_for()
    assert box.get_by_role("button", name="選檔案").last.is_visible()
    assert english(page) == set()
    transfer = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(new File(['{}'], 'a.json')); return t; }"
    )
    zone = page.get_by_test_id("stFileUploaderDropzone")
    zone.dispatch_event("dragenter", {"dataTransfer": transfer})
    box.get_by_text("放在這裡").wait_for()
    zone.dispatch_event("dragleave", {"dataTransfer": transfer})
    for name, size, told in (
        ("big.json", 2_100_000, "檔案太大：最大 2 MB。"),
        ("a.mp3", 9, "只能打開這裡存下的 JSON 檔。"),
    ):
        file: FilePayload = {"name": name, "mimeType": "", "buffer": b"x" * size}
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files=[file])
        page.get_by_role("alert").filter(has_text=told).wait_for(state="attached")
        page.mouse.move(0, 0)
        page.get_by_test_id("stFileChip").hover()
        page.get_by_role("tooltip").filter(has_text=told).wait_for()
        page.get_by_role("button", name=f"拿掉 {name}").click()
    page.keyboard.press("Escape")
    page.get_by_text("English", exact=True).click()
    settle(page)
    page.locator(".st-key-share button").first.click()
    page.locator(".stFileUploader").get_by_text("at most 2 MB").wait_for()
    assert page.get_by_role("button", name="Choose a file").last.is_visible()


def test_a_list_of_candidates_speaks_chinese_and_leaves_tokens_alone(newcomer: Page, address: str) -> None:
    page = newcomer
    page.goto(f"{address}/limits")
    page.locator(".stMain").get_by_text("只看左邊", exact=True).first.click()
    box = page.locator(".stMultiSelect input")
    box.fill("Upload")
    page.get_by_role("option", name="加入：Upload").click()
    settle(page)
    assert page.locator(".stMultiSelect [data-tag]").last.inner_text() == "Upload", "a token is any word"
    box.fill("Open")
    page.get_by_role("option", name="加入：Open").click()
    settle(page)
    assert page.locator(".stMultiSelect [data-tag]").last.inner_text() == "Open"
    box.click()
    page.get_by_role("option", name="全選").wait_for()
    assert english(page) <= {"Upload", "Open"}


def test_a_number_out_of_range_and_a_page_that_is_missing(chromium: Browser, address: str) -> None:
    page = borrow(chromium)
    try:
        visit(page, address)
        number = page.locator(".stNumberInput input").first
        number.fill("99999999999")
        number.press("Enter")
        page.get_by_role("alert").filter(has_text="超出範圍").wait_for(state="attached")
        page.goto(f"{address}/no_such_page")
        page.get_by_role("dialog").get_by_text("沒有這一頁").wait_for()
        settle(page)
        assert english(page) == set()
    finally:
        leave(page)
