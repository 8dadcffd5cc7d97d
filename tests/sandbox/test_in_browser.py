"""The test inbox in a real browser: live, keeps the focus, and one click follows a mail's link."""

from email.message import EmailMessage

from playwright.sync_api import Page, expect

from kartramail.sandbox.inbox import Inbox


def keep(inbox: Inbox, subject: str, address: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@kartra.com", "bob@doeinc.com", subject
    message.set_content(f"Follow it: {address}/healthz\n")
    html = f'<a href="{address}/healthz">Follow it</a><script>document.title = "run"</script>'
    message.add_alternative(html, "html")
    inbox.add("bounce@kartra.com", ["bob@doeinc.com"], message.as_bytes())


def test_mail_shows_up_by_itself_and_the_focus_stays(
    page: Page, address: str, inbox: Inbox
) -> None:
    page.goto(f"{address}/catcher")
    expect(page.get_by_text("Nothing has arrived yet")).to_be_visible()
    keep(inbox, "First", address)
    first = page.get_by_role("link", name="First")
    expect(first).to_be_visible(timeout=20_000)
    first.focus()
    keep(inbox, "Second", address)
    expect(page.get_by_role("link", name="Second")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name="First")).to_be_focused()


def test_the_list_narrows_as_one_types(page: Page, address: str, inbox: Inbox) -> None:
    keep(inbox, "First", address)
    keep(inbox, "Second", address)
    page.goto(f"{address}/catcher")
    page.get_by_label("Search").press_sequentially("second")
    expect(page.get_by_role("link", name="First")).to_have_count(0)
    expect(page.get_by_role("link", name="Second")).to_be_visible()
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page).to_have_url(f"{address}/catcher?q=second")


def test_one_click_follows_a_link_of_the_mail(page: Page, address: str, inbox: Inbox) -> None:
    keep(inbox, "First", address)
    page.goto(f"{address}/catcher")
    page.get_by_role("link", name="First").click()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Follow it").click()
    expect(opened.value.get_by_text("ok")).to_be_visible()
    assert opened.value.url == f"{address}/healthz"
    page.get_by_role("link", name="Text", exact=True).click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=f"{address}/healthz").click()
    assert opened.value.url == f"{address}/healthz"


def test_mail_runs_no_script(page: Page, address: str, inbox: Inbox) -> None:
    keep(inbox, "First", address)
    page.goto(f"{address}/catcher")
    page.get_by_role("link", name="First").click()
    expect(page.frame_locator("iframe").get_by_role("link", name="Follow it")).to_be_visible()
    frame = page.frames[1]
    assert frame.locator("title").count() == 0
    page.goto(frame.url)  # the same when it is opened outside the frame
    expect(page.get_by_role("link", name="Follow it")).to_be_visible()
    assert page.title() != "run"


def test_it_is_emptied_after_a_second_look(page: Page, address: str, inbox: Inbox) -> None:
    keep(inbox, "First", address)
    page.goto(f"{address}/catcher")
    page.get_by_text("Empty the test inbox", exact=True).click()
    page.get_by_role("button", name="Keep it as it is").click()
    assert inbox.count() == 1
    page.get_by_text("Empty the test inbox", exact=True).click()
    page.get_by_role("button", name="Empty it").click()
    expect(page.get_by_text("Nothing has arrived yet")).to_be_visible()
    assert inbox.count() == 0
