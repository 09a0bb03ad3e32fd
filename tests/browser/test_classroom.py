"""A class in the browser: a teacher and three students in browsers of their own, from the door to the closed room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import follow, overflowing_elements, settle
from tests.browser.tabs import new_page
from tests.browser.test_accessible import violations

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "**bold** [x](javascript:alert(1))",
    "\u202egnp.exe" + "長" * 10_000,
]
WITHIN = 2_000  # ms, on a machine that others use as well


@contextmanager
def visitors(chromium: Browser, *sizes: tuple[int, int]) -> Iterator[list[Page]]:
    """Pages of visitors who share nothing, each in a context of its own."""
    pages = [new_page(chromium, "en-US", width, height) for width, height in sizes]
    yield pages
    for page in pages:
        page.context.close()


def join(page: Page, address: str, code: str, name: str) -> None:
    """Follow the link of the QR code, and give a nickname."""
    page.goto(f"{address}/classroom?room={code}")
    page.locator("#name").wait_for(timeout=60_000)
    page.locator("#name").fill(name)
    page.keyboard.press("Enter")
    page.locator(".leave").wait_for()


def send(page: Page, text: str) -> None:
    """Type an answer."""
    before = page.locator(".answered").inner_text()
    page.locator(".typed").fill(text)
    page.locator(".send").click()
    expect(page.locator(".answered")).not_to_have_text(before)


def check(pages: list[Page], broken: list[str]) -> None:
    """Inspect pages by axe, and for what is wider than the window."""
    for page in pages:
        settle(page)
        broken += [f"{page.viewport_size}: {line}" for line in (*violations(page), *overflowing_elements(page))]
        assert page.locator("[data-testid=stException]").count() == 0 and page.title() != "owned"


def shares(page: Page) -> dict[str, str]:
    """The class's column of a result by token."""
    rows = page.locator(".distributions tbody tr")
    return {
        row.locator("th").evaluate("th => th.firstChild.data"): row.locator("td.class").inner_text().strip()
        for row in rows.all()
    }


def test_a_class_guesses_together(chromium: Browser, address: str) -> None:
    broken: list[str] = []
    with visitors(chromium, (1366, 657), (390, 844), (390, 844), (390, 844)) as (teacher, ann, bob, cat):
        teacher.goto(f"{address}/classroom")
        teacher.locator("button.open").wait_for(timeout=60_000)
        check([teacher], broken)
        teacher.locator("button.open").click()
        code = teacher.locator(".letters").inner_text()
        for page, name in ((ann, HOSTILE[0]), (bob, HOSTILE[1]), (cat, HOSTILE[2])):
            join(page, address, code, name)
        names = ['<img src=x onerror="', "**bold** [x](javascr", "gnp.exe" + "長" * 13]
        expect(teacher.locator("li .name")).to_have_text(names)
        check([teacher, cat], broken)

        # Asked, answered (typed, picked, changed), hidden.
        teacher.locator("button.ask").click()
        ann.locator(".typed").wait_for(timeout=WITHIN)
        expect(ann.locator(".live")).to_contain_text("The weather today is")
        send(ann, "bad")
        send(ann, "nice " + HOSTILE[0])
        expect(ann.locator(".answered")).to_contain_text("its first token, “␣nice”")
        option = bob.locator(".option").first
        option.click()
        expect(option).to_have_attribute("aria-pressed", "true")
        send(cat, HOSTILE[0])
        expect(cat.locator(".answered")).to_contain_text(HOSTILE[0])
        send(cat, HOSTILE[2])
        expect(cat.locator(".answered")).to_contain_text("You typed “gnp.exe長")
        send(cat, "nice")
        expect(teacher.locator("p.answered")).to_have_text("3 of 3 have answered", timeout=WITHIN)
        expect(teacher.locator("li.answered")).to_have_count(3)
        expect(teacher.locator("[role=status]:not(:empty)")).to_have_text("3 of 3 have answered")
        assert "nice" not in teacher.locator(".hidden").inner_text()
        check([teacher, ann], broken)

        # A student who reloads is the same one, with the answer.
        ann.reload()
        expect(ann.locator(".answered")).to_contain_text("“␣nice”", timeout=60_000)
        expect(teacher.locator("li")).to_have_count(3)

        # Revealed to all, the teacher takes the class's choice.
        cat.context.set_offline(True)  # a phone that sleeps, and wakes later
        picked = bob.locator(".option[aria-pressed=true]").inner_text()
        teacher.locator("button.reveal").click()
        ann.locator(".distributions").wait_for(timeout=WITHIN)
        teacher.locator(".distributions").wait_for()
        most = "3 · 100%" if picked == "␣nice" else "2 · 67%"
        for page in (teacher, ann):
            assert shares(page)["␣nice"] == most and (picked == "␣nice" or shares(page)[picked] == "1 · 33%")
        assert ann.locator("tr.own th").evaluate("th => th.firstChild.data") == "␣nice"
        check([teacher, ann], broken)
        assert cat.locator(".distributions").count() == 0
        cat.context.set_offline(False)
        cat.locator(".distributions").wait_for()
        expect(cat.locator(".live")).to_contain_text("Your answer “␣nice”")
        text = teacher.locator(".passage .before").inner_text()
        teacher.locator("button.take").first.click()
        teacher.locator("button.ask").wait_for()
        expect(teacher.locator(".passage .before")).to_have_text(f"{text} nice")

        # The next question; the teacher reloads, and is still the teacher.
        teacher.locator("button.ask").click()
        bob.locator(".typed").wait_for(timeout=WITHIN)
        teacher.reload()
        teacher.locator("button.withdraw").wait_for(timeout=60_000)
        teacher.locator("button.withdraw").click()
        expect(bob.locator(".distributions")).to_be_visible(timeout=WITHIN)
        expect(teacher.locator(".passage .before")).to_have_text(f"{text} nice")

        # The phones follow the teacher's text, on whichever page it is written.
        teacher.locator("button.follow").click()
        expect(bob.locator("h2")).to_have_text("Your teacher's text", timeout=WITHIN)
        follow(teacher, "One token at a time")
        teacher.locator("[data-keep=next]").click()
        expect(bob.locator(".passage")).not_to_have_text(f"{text} nice", timeout=WITHIN)
        expect(bob.locator(".passage")).to_contain_text(f"{text} nice")
        follow(teacher, "Classroom")
        expect(teacher.locator(".passage .before")).to_have_text(bob.locator(".passage").inner_text())

        # A student is removed, the room is closed: nothing is left in any browser.
        teacher.locator(".members summary").click()
        teacher.locator("button.remove").first.click()
        expect(teacher.locator("button.remove").first).to_have_text("Remove?")
        teacher.locator("button.remove").first.click()
        expect(ann.get_by_role("alert")).to_contain_text("You are no longer in this room", timeout=WITHIN)
        expect(teacher.locator("li")).to_have_count(2)
        teacher.locator(".more summary").click()
        teacher.locator("button.close").click()
        teacher.locator("button.close").click()
        for page in (teacher, bob, cat):
            expect(page.get_by_role("alert").filter(has_text="has ended")).to_be_visible(timeout=WITHIN)
            assert page.evaluate("localStorage.getItem('next-token classroom')") is None
        check([bob], broken)
        bob.reload()
        bob.locator("#code").wait_for(timeout=60_000)
    assert not broken, "\n".join(broken)


@pytest.mark.slow
def test_a_typed_code_a_wrong_one_and_a_room_without_nicknames(chromium: Browser, address: str) -> None:
    with visitors(chromium, (1366, 657), (390, 844)) as (teacher, student):
        teacher.goto(f"{address}/classroom")
        teacher.locator("#named").uncheck(timeout=60_000)
        teacher.locator("button.open").click()
        code = teacher.locator(".letters").inner_text()
        student.goto(f"{address}/classroom")
        student.locator("#code").fill("AAAAA" if code != "AAAAA" else "CCCCC", timeout=60_000)
        student.keyboard.press("Enter")
        expect(student.get_by_role("alert")).to_contain_text("There is no room with this code")
        student.locator("#code").fill(f" {code.lower()[:2]}-{code[2:]} ")
        student.keyboard.press("Enter")
        student.locator(".leave").wait_for()
        expect(teacher.locator("li .name")).to_have_text("No. 1", timeout=WITHIN)
        student.locator(".leave").click()
        expect(student.locator(".leave")).to_contain_text("Press again")
        student.locator(".leave").click()
        student.locator("#code").wait_for()
        expect(teacher.locator(".members li")).to_have_count(0, timeout=WITHIN)


@pytest.mark.slow
def test_phones_open_the_teachers_page_and_what_is_handed_out(chromium: Browser, address: str) -> None:
    broken: list[str] = []
    with visitors(chromium, (1366, 657), (390, 844), (390, 844)) as (teacher, ann, bob):
        teacher.goto(f"{address}/classroom")
        teacher.locator("button.open").click(timeout=60_000)
        code = teacher.locator(".letters").inner_text()
        for page, name in ((ann, "Ann"), (bob, HOSTILE[0])):
            join(page, address, code, name)
        teacher.locator("button.lead").click()
        expect(teacher.locator("button.lead")).to_have_attribute("aria-pressed", "true")
        follow(teacher, "Beam search")
        for page in (ann, bob):
            page.wait_for_url("**/beam?*", timeout=10 * WITHIN)
        teacher.locator(".st-key-beam_next button, [data-testid=stBaseButton-primary]").first.click()
        for page in (teacher, ann):
            expect(page.locator("text=Level 2 of").first).to_be_visible(timeout=10 * WITHIN)
        check([teacher, ann], broken)

        # A phone that reloads is still in the room; one that stops following stays, and comes back at once.
        ann.reload()
        expect(ann.locator("button.along")).to_have_text("Stop following", timeout=60_000)
        bob.locator("button.along").click()
        expect(bob.locator("button.along")).to_have_text("Follow my teacher's page")
        follow(teacher, "Looking inside")
        ann.wait_for_url("**/attention?*", timeout=10 * WITHIN)
        assert "/beam" in bob.url
        bob.locator("button.along").click()
        bob.wait_for_url("**/attention?*", timeout=10 * WITHIN)

        # Handed out: opened when the student wants, and not taken away by the teacher's next page.
        teacher.locator("button.hand").click()
        expect(teacher.locator(".line .told")).to_have_text("Handed out: 1")
        teacher.locator("button.room").click()
        for page in (ann, bob):
            page.locator(".leave").wait_for(timeout=10 * WITHIN)
        teacher.locator(".handed summary").click()
        teacher.locator(".prompts").fill(f"Once upon a time\n{HOSTILE[0]}")
        teacher.locator(".handed .send").click()
        expect(ann.locator(".handed button")).to_have_count(2, timeout=WITHIN)
        check([teacher, ann], broken)
        ann.locator(".handed button").first.click()
        expect(ann.locator(".st-key-examples button").first).to_have_text("Once upon a time", timeout=10 * WITHIN)
        follow(teacher, "Cut into tokens")
        bob.wait_for_url("**/tokens?*", timeout=10 * WITHIN)
        expect(ann.locator("button.along")).to_have_text("Follow my teacher's page")
        assert "/tokens" not in ann.url

        # A question calls who is elsewhere.
        teacher.locator("button.room").click()
        teacher.locator("button.ask").click()
        bob.locator(".typed").wait_for(timeout=10 * WITHIN)
        ann.locator("button.asked").click(timeout=10 * WITHIN)
        ann.locator(".typed").wait_for(timeout=10 * WITHIN)
        check([ann], broken)
    assert not broken, "\n".join(broken)


@pytest.mark.slow
def test_everybody_writes_on_and_the_teacher_sees_who_is_at_which_step(chromium: Browser, address: str) -> None:
    broken: list[str] = []
    with visitors(chromium, (1366, 657), (390, 844), (390, 844)) as (teacher, ann, bob):
        teacher.goto(f"{address}/classroom")
        teacher.locator("button.open").click(timeout=60_000)
        code = teacher.locator(".letters").inner_text()
        for page, name in ((ann, "Ann"), (bob, HOSTILE[0])):
            join(page, address, code, name)

        # Everybody writes on; the wall grows on the projector, and comes to the phones when the teacher says so.
        teacher.locator("button.spread").click()
        written = []
        for page in (ann, bob):
            page.locator("button.write").click(timeout=10 * WITHIN)
            page.locator(".continued").wait_for()
            written.append(page.locator(".continued").inner_text())
        expect(teacher.locator(".wall .text")).to_have_count(2, timeout=WITHIN)
        assert [text.strip() for text in teacher.locator(".wall .text").all_inner_texts()] == [
            text.strip() for text in written
        ]
        assert ann.locator(".wall").count() == 0
        check([teacher, ann], broken)
        teacher.locator("button.reveal").click()
        ann.locator(".wall").wait_for(timeout=WITHIN)
        ann.locator("button.view", has_text="Tree").click()
        assert ann.locator(".wall").is_hidden() and ann.locator(".tree .names").count() == 2
        check([teacher, ann], broken)
        teacher.locator("button.dismiss").click()

        # A lesson: the teacher sees who is there and who has done it.
        assert teacher.locator(".stages").count() == 0
        follow(ann, "Start from the beginning")
        ann.get_by_role("button", name="Begin").first.click(timeout=10 * WITHIN)
        ann.locator(".st-key-coach").wait_for(timeout=10 * WITHIN)
        row = teacher.locator(".stages tbody tr").first
        teacher.locator(".progress summary").click(timeout=10 * WITHIN)
        expect(row.locator("td")).to_have_text(["1", "0", "0"], timeout=10 * WITHIN)
        teacher.locator("button.names").click()
        expect(row.locator("td").first).to_contain_text("Ann")
        check([teacher], broken)
    assert not broken, "\n".join(broken)
