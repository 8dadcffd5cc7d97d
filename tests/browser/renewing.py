"""Parts of a page that ask for themselves again and again, without waiting for it."""

from playwright.sync_api import Page

_LISTEN = """path => { window.renewed = new Promise(resolve => {
  document.addEventListener("htmx:afterRequest", function hear({ detail }) {
    if (!detail.pathInfo.requestPath.startsWith(path)) return;
    document.removeEventListener("htmx:afterRequest", hear);
    resolve(detail.xhr.status);
  }); }); }"""


def renew(page: Page, path: str, after: int) -> None:
    """So many milliseconds later a part has asked for itself there, and was sent another one.

    Returns when the page has put it in its place, or has not. The page's clock must be a test's:
    `page.clock.install()` before it is opened.
    """
    page.evaluate(_LISTEN, path)
    page.clock.run_for(after)
    assert page.evaluate("() => window.renewed") == 200
