"""R-DOMAIN, R-CHECK: a domain goes from nothing to authenticated by what its page shows."""

import html
import re
from dataclasses import dataclass

import pytest

from kartramail.clock import now
from kartramail.domains.models import DomainState
from kartramail.domains.views import rendering
from kartramail.installation import Installation
from tests.senders.reading import EDIT, text_of
from tests.support.cast import Actor
from tests.support.dns_server import EVERY_NAME, DnsServer
from tests.support.domains import authenticate, row_of, show
from tests.support.mailbox import templates_to

PAGE = "/settings/domains/doeinc.test"


@dataclass(frozen=True)
class Shown:
    """A record as somebody copies it from the page."""

    host: str
    type: str
    value: str


def copied(page: str, key: str) -> Shown:
    """What the copy buttons of one record put into the clipboard."""
    parts = {}
    for part in ("host", "type", "value"):
        after = page[page.index(f'id="{part}-{key}"') :]
        found = re.search(r'data-copy="([^"]*)"', after)
        assert found is not None
        parts[part] = html.unescape(found[1])
    return Shown(**parts)


def add_as_shown(dns: DnsServer, page: str, key: str, zone: str = "doeinc.test") -> Shown:
    """Type the record into the DNS exactly as the page shows it: the host without the zone."""
    shown = copied(page, key)
    dns.add(f"{shown.host}.{zone}", shown.type, shown.value)
    return shown


@pytest.fixture
def fresh(alice: Actor) -> str:
    """Alice's fresh checklist."""
    assert alice.post("/settings/domains", {"domain": "doeinc.test"}).location == PAGE
    return alice.get(PAGE).text


def test_by_what_the_page_shows_it_goes_from_nothing_to_authenticated(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    alice.post(f"{PAGE}/check")
    looked = alice.get(PAGE).text
    for key in ("km1", "km2", "km", "_dmarc"):
        add_as_shown(dns, looked, key)
    alice.post(f"{PAGE}/check")
    after = alice.get(PAGE).text
    assert "Authenticated since" in after
    assert "Mail from @doeinc.test is signed by it" in after


def test_it_says_how_far_it_is_and_what_comes_next(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    assert "0 of 3 records found" in text_of(alice.get(PAGE))
    add_as_shown(dns, fresh, "km1")
    alice.post(f"{PAGE}/check")
    words = text_of(alice.get(PAGE))
    assert "1 of 3 records found" in words
    assert "Next: Add the second signature key" in words
    assert "usually seen in under an hour, sometimes only after a day" in words
    assert "a mail comes when it turns green" in words


def test_the_value_is_copied_whole_and_shown_whole(fresh: str) -> None:
    shown = copied(fresh, "km1")
    assert shown.host == "km1._domainkey"
    assert "km1.<wbr>_domainkey.<wbr>doeinc.<wbr>test" in fresh  # in full, beside it
    assert len(shown.value) > 390
    assert shown.value.removeprefix("v=DKIM1; k=rsa; ") in html.unescape(fresh)


def test_the_dns_company_is_named_with_the_way_in_it(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    dns.add("doeinc.test", "NS", "ns01.domaincontrol.com")
    alice.post(f"{PAGE}/check")
    words = text_of(alice.get(PAGE))
    assert "Your DNS is at GoDaddy." in words
    assert "Next: Add the first signature key at GoDaddy." in words


def test_a_mistake_is_shown_with_what_was_found_and_what_to_do(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    dns.add("km.doeinc.test", "CNAME", "mail.example.net")
    alice.post(f"{PAGE}/check")
    words = text_of(alice.get(PAGE))
    assert "There now: mail.example.net" in words
    assert "What to do:" in words


def test_a_dns_server_that_is_silent_changes_nothing(
    alice: Actor, dns: DnsServer, installation: Installation, fresh: str
) -> None:
    """R-CHECK: a domain never flips on a timeout."""
    alice.post(f"{PAGE}/check")
    looked = alice.get(PAGE).text
    for key in ("km1", "km2", "km", "_dmarc"):
        add_as_shown(dns, looked, key)
    alice.post(f"{PAGE}/check")
    before = [row.state for row in show(installation, alice.account_id, "doeinc.test").rows]
    dns.silent(EVERY_NAME)
    alice.post(f"{PAGE}/check")
    after = show(installation, alice.account_id, "doeinc.test")
    assert [row.state for row in after.rows] == before
    assert after.is_authenticated
    words = text_of(alice.get(PAGE))
    assert "Authenticated since" in words
    assert "which says nothing either way" in words


def test_the_page_is_calm_once_it_is_authenticated(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    page = alice.get(PAGE).text
    assert "Do you set this up yourself" not in page
    assert 'id="record-km1" open' not in page
    assert "hx-get" not in page


def test_who_sets_it_up_is_asked_first_and_remembered(alice: Actor, fresh: str) -> None:
    assert "Do you set this up yourself, or someone else?" in fresh
    assert 'id="share"' not in fresh
    assert 'id="share"' in alice.get(f"{PAGE}?who=other").text
    assert 'id="share"' in alice.get(PAGE).text
    assert 'id="share"' not in alice.get(f"{PAGE}?who=me").text


def test_on_a_phone_sending_it_on_comes_first(alice: Actor, fresh: str) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36"}
    assert 'id="share"' in alice.get(PAGE, headers=phone).text


def test_an_international_domain_is_shown_in_its_script_and_as_dns_has_it(alice: Actor) -> None:
    added = alice.post("/settings/domains", {"domain": "müller.test"})
    assert added.location == "/settings/domains/xn--mller-kva.test"
    page = alice.get(added.location).text
    assert "<h1>müller.test</h1>" in page
    assert "xn--mller-kva.test" in page


def test_the_zone_file_holds_every_record_in_strings_of_255(alice: Actor, fresh: str) -> None:
    alice.post(f"{PAGE}/check")
    looked = alice.get(PAGE).text
    answer = alice.get(f"{PAGE}/zone")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="doeinc.test.zone"'
    for key in ("km1", "km2", "km", "_dmarc"):
        shown = copied(looked, key)
        (line,) = [
            line for line in answer.text.splitlines() if line.startswith(f"{shown.host}.doeinc")
        ]
        strings = re.findall(r'"([^"]*)"', line)
        assert "".join(strings) == (shown.value if shown.type == "TXT" else "")
        assert all(len(string) <= 255 for string in strings)


def test_a_dmarc_record_that_is_there_is_neither_replaced_nor_doubled(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    dns.add("_dmarc.doeinc.test", "TXT", "v=DMARC1; p=quarantine; aspf=s")
    alice.post(f"{PAGE}/check")
    after = alice.get(PAGE).text
    assert 'id="value-_dmarc"' not in after
    assert "_dmarc" not in alice.get(f"{PAGE}/zone").text
    words = text_of(alice.get(PAGE))
    assert "Forged mail goes to the spam folder (quarantine)" in words
    assert "the signature alone proves your mail" in words or "by its signature alone" in words


def test_dmarc_is_offered_only_after_a_look_that_found_none(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    assert 'id="value-_dmarc"' not in fresh
    assert "p=none" not in fresh
    assert "_dmarc" not in alice.get(f"{PAGE}/zone").text
    news = alice.get(f"{PAGE}/live", headers={"HX-Request": "true"}).text
    assert 'id="value-_dmarc"' in news
    assert "_dmarc" in alice.get(f"{PAGE}/zone").text


@pytest.mark.parametrize(
    "there",
    [
        ["v=DMARC1; p=reject", "v=DMARC1; p=none; rua=mailto:a@doeinc.test"],
        ['"v=DMARC1; p=reject"'],
    ],
)
def test_a_dmarc_record_that_is_wrong_is_mended_before_any_next_step(
    alice: Actor, dns: DnsServer, fresh: str, there: list[str]
) -> None:
    for text in there:
        dns.add("_dmarc.doeinc.test", "TXT", text)
    alice.post(f"{PAGE}/check")
    answer = alice.get(PAGE)
    assert 'id="value-_dmarc"' not in answer.text
    words = text_of(answer)
    assert "The next safe step" not in words
    assert words.count("act as if there were none") + words.count("pass over it") <= 1
    assert "_dmarc" not in alice.get(f"{PAGE}/zone").text


def test_what_to_copy_and_where_follow_when_the_dns_company_becomes_known(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    alice.post(f"{PAGE}/check")
    asked = re.search(r'hx-get="([^"]*)"', alice.get(PAGE).text)
    assert asked is not None
    path, htmx = html.unescape(asked[1]), {"HX-Request": "true"}
    add_as_shown(dns, fresh, "km1")
    alice.post(f"{PAGE}/check")
    assert 'id="lines-' not in alice.get(path, headers=htmx).text
    dns.add("doeinc.test", "NS", "ns01.domaincontrol.com")
    alice.post(f"{PAGE}/check")
    news = alice.get(path, headers=htmx).text
    assert 'id="where-text" hx-swap-oob="innerHTML"' in news
    assert "Your DNS is at GoDaddy." in news


def test_a_new_key_is_said_to_replace_the_value_that_is_there(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    alice.post(f"{PAGE}/rotate")
    alice.post(f"{PAGE}/check")
    words = "; ".join(alice.get(f"{PAGE}/zone").text.splitlines()[:2])
    assert "Replace the value of km2._domainkey.doeinc.test" in words
    assert "Nothing that is there" not in words
    link = re.search(r'data-copy="[^"]*(/dns/[^"]*)"', alice.get(f"{PAGE}?who=other").text)
    assert link is not None
    words = text_of(alice.get(link[1]))
    assert "one of them has a new value. Replace the value of km2._domainkey.doeinc.test" in words
    assert "nothing more to do" not in words


@pytest.mark.parametrize(
    ("tags", "is_set", "lists_us", "words"),
    [
        ("", True, True, "which counts for doeinc.test"),
        ("", True, False, "does not list all servers"),
        ("", True, None, "is not known yet"),
        ("", False, True, "Its record is not right yet"),
        ("; aspf=s", True, True, "by its signature alone, which is enough"),
    ],
)
def test_spf_is_judged_at_the_return_path(
    alice: Actor,
    dns: DnsServer,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tags: str,
    is_set: bool,
    lists_us: bool | None,
    words: str,
) -> None:
    """R-SPF: what the page says is what the records say."""
    monkeypatch.setattr(rendering, "lists_sending_ips", lambda *_: lists_us)
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    dns.add("_dmarc.doeinc.test", "TXT", f"v=DMARC1; p=none{tags}")
    if not is_set:
        dns.remove("km.doeinc.test")
    alice.post(f"{PAGE}/check")
    assert words in text_of(alice.get(PAGE))


def test_the_spf_tree_is_drawn_with_its_look_ups_and_one_record_is_proposed(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    """R-SPF: one merged record, never a second one."""
    dns.add("doeinc.test", "TXT", "v=spf1 include:_spf.shop.test +all")
    dns.add("_spf.shop.test", "TXT", "v=spf1 mx:shop.test -all")
    dns.add("shop.test", "MX", "10 mail.shop.test")
    dns.add("bounces.kartra.com", "TXT", "v=spf1 ip4:192.0.2.1 -all")
    alice.post(f"{PAGE}/check")
    words = text_of(alice.get(PAGE))
    assert "judge SPF by the return address km.doeinc.test" in words
    assert "2 of at most 10 look-ups" in words
    assert "include:_spf.shop.test 1 look-up" in words
    assert "include:bounces.kartra.com ~all" in words


def test_removing_says_what_is_on_the_domain_first(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    """R-IMPACT."""
    authenticate(installation, dns, alice.account_id, "doeinc.com")
    typed = {
        "sender_name": "Doe",
        "accept_low_delivery": "y",
        "send_from": "a@doeinc.com",
        "reply_to": "a@doeinc.com",
    }
    alice.post(EDIT, typed)
    page = "/settings/domains/doeinc.com"
    assert "a@doeinc.com is on it." in text_of(alice.get(page))
    assert alice.post(f"{page}/remove").location == "/settings/domains"
    assert "doeinc.com is removed" in text_of(alice.get("/settings/domains"))
    assert alice.get(page).status_code == 404


def test_a_key_is_replaced_when_that_may_be(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    """R-DKIM: with TXT records it is proposed, and mail is signed all the while."""
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    before = copied(alice.get(PAGE).text, "km2").value
    assert "Replace a key" in text_of(alice.get(PAGE))
    assert alice.post(f"{PAGE}/rotate").location == PAGE
    after = alice.get(PAGE).text
    assert copied(after, "km2").value != before
    assert "mail is signed with the one before" in after
    assert show(installation, alice.account_id, "doeinc.test").is_authenticated
    alice.post(f"{PAGE}/rotate")
    assert "cannot be replaced yet" in text_of(alice.get(PAGE))


def test_a_mail_comes_when_it_turns_green(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    assert templates_to(installation, alice.email) == ["domain_authenticated"]


@pytest.mark.parametrize("part", ["", "/live", "/zone"])
def test_charlie_does_not_find_it(charlie: Actor, fresh: str, part: str) -> None:
    assert charlie.get(PAGE + part).status_code == 404
    assert "doeinc.test" not in charlie.get("/settings/domains").text


@pytest.mark.parametrize("part", ["check", "share", "remove", "rotate", "practice"])
def test_charlie_changes_nothing(
    alice: Actor, charlie: Actor, installation: Installation, fresh: str, part: str
) -> None:
    before = show(installation, alice.account_id, "doeinc.test")
    typed = {"email": "charlie@yourcompany.com", "record": "all", "action": "publish"}
    assert charlie.post(f"{PAGE}/{part}", typed).status_code == 404
    assert show(installation, alice.account_id, "doeinc.test") == before


def test_an_open_page_asks_and_gets_only_what_changed(
    alice: Actor, dns: DnsServer, installation: Installation, fresh: str
) -> None:
    alice.post(f"{PAGE}/check")
    asked = re.search(r'hx-get="([^"]*)"', alice.get(PAGE).text)
    assert asked is not None
    path = html.unescape(asked[1])
    htmx = {"HX-Request": "true"}
    quiet = alice.get(path, headers=htmx).text
    assert "hx-swap-oob" not in quiet
    assert "look=2" in quiet
    add_as_shown(dns, fresh, "km1")
    alice.post(f"{PAGE}/check")
    news = alice.get(path, headers=htmx).text
    assert 'id="state-km1" hx-swap-oob="innerHTML"' in news
    assert "1 of 3 records found" in news


def test_after_an_hour_the_page_stops_asking_and_says_so(alice: Actor, fresh: str) -> None:
    htmx = {"HX-Request": "true"}
    assert "hx-get" in alice.get(f"{PAGE}/live?look=143", headers=htmx).text
    last = alice.get(f"{PAGE}/live?look=145", headers=htmx).text
    assert "hx-get" not in last
    assert "This page has looked for an hour and stops now" in last


def test_an_open_page_that_was_signed_out_says_so(alice: Actor, fresh: str) -> None:
    alice.post("/logout")
    answer = alice.get(f"{PAGE}/live", headers={"HX-Request": "true"})
    assert "You are signed out" in answer.text
    assert "doeinc" not in answer.text


def test_looking_without_being_an_open_page_asks_no_dns(
    alice: Actor, dns: DnsServer, fresh: str
) -> None:
    before = dns.count()
    alice.get(PAGE)
    alice.get(f"{PAGE}/live")
    assert dns.count() == before


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DomainState.LOST, "No longer authenticated"),
        (DomainState.CLAIMED, "Somebody else has proved this domain"),
    ],
)
def test_what_ended_is_said_with_the_way_back(
    alice: Actor, installation: Installation, fresh: str, state: DomainState, words: str
) -> None:
    with installation.db.transaction() as session:
        domain = row_of(session, alice.account_id, "doeinc.test")
        domain.state, domain.lost_since = state, now()
        session.add(domain)
    page = text_of(alice.get(PAGE))
    assert words in page
    assert "0 of 3 records found" in page
    assert "Do you set this up yourself, or someone else?" in page
