"""What is asked before it is done: a `details[data-confirm]` whose words a dialog shows."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_keyboard import press_tab_until


def ask_and_keep(page: Page, summary: str, dialog: Locator, words: str) -> None:
    """By keyboard: ask, and keep all as it is, by Escape and by the button that is offered first.

    The focus comes back each time, and stays on `summary`.
    """
    press_tab_until(page, summary)
    for leave in ("Escape", "Enter"):
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text(words)
        expect(dialog.get_by_role("button", name="Keep it as it is")).to_be_focused()
        page.keyboard.press(leave)
        expect(dialog).to_have_count(0)
        expect(page.locator(summary)).to_be_focused()


def ask_by_hand(page: Page, summary: str) -> Locator:
    """By a press on its words, after which some browsers leave the focus nowhere; the dialog."""
    page.locator(summary).click()
    page.evaluate("document.activeElement.blur()")
    return page.get_by_role("dialog")
