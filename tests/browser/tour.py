"""Every page there is, with people who have something to show: for axe, and for screenshots."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from kartramail.accounts.models import Membership, Role
from kartramail.assets.models import Asset
from kartramail.clock import now
from kartramail.domains.service import load_checklist
from kartramail.ids import show_id
from kartramail.outbox.models import MessageState
from kartramail.senders.choices import choose_sender
from kartramail.senders.further import load_senders
from kartramail.senders.models import ChoiceScope
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.service import record_test
from tests.browser.activity_world import furnish_activity
from tests.browser.asset_world import furnish_assets
from tests.browser.notification_world import furnish_notifications
from tests.browser.world import World
from tests.support.cast import Actor, post
from tests.support.engine import wait_until
from tests.support.outbox import add_messages

CARD = "/settings/integrations"
EDIT = "/settings/integrations/kartramail/edit"
DOMAINS = "/settings/domains"
NOTIFICATIONS = "/settings/notifications"
SENDERS = "/settings/senders"
SUPPORT, BRAND = "support@doeinc.com", "hello@doe-events.test"
NEW, MISTAKEN, AUTHENTICATED = "fernyoga.test", "fern-shop.test", "xn--frntee-bua.test"
SIGN_UP = {
    "business_name": "Green Fern Yoga",
    "full_name": "Mia Fern",
    "email": "mia@doeinc.com",
    "password": "seven quiet mornings",
}


@dataclass
class Town:
    """An installation with people in it, each at another point of the story."""

    world: World
    jane: Actor = field(init=False)
    """Owns Doe Inc.: proven sender, a test that arrived, keys, a team. In Ana's account, too."""
    bob: Actor = field(init=False)
    """A member of Doe Inc."""
    zoe: Actor = field(init=False)
    """Signed up with a free address: a temporary address, nothing done yet."""
    ana: Actor = field(init=False)
    """Wants a send-from that waits for its link; her last test failed."""
    mia: Actor = field(init=False)
    """Has a domain at each point of its way: new, mistaken, authenticated."""
    sent: dict[str, int] = field(init=False)
    """Ids of messages of Jane's, by what became of them."""
    senders: dict[str, str] = field(default_factory=dict)
    """Ids of Jane's further senders, by their addresses."""
    assets: dict[str, str] = field(init=False)
    """Paths of Mia's forms, calendars and products, by their names."""
    consultation: str = field(init=False)
    """Path of a calendar of Jane's, with words of its own."""
    links: dict[str, str] = field(default_factory=dict)
    """Paths of links that still work, by their first step."""

    def __post_init__(self) -> None:
        self.jane = self.world.owner("Doe Inc.", "Jane Doe", "jane@doeinc.com")
        self.zoe = self.world.owner("Zoë’s Bäckerei", "Zoë Lang", "zoe@gmail.com")
        self.ana = self.world.owner("Your Company", "Ana Ruiz", "ana@yourcompany.com")
        self._furnish_doe_inc()
        self._add_senders()
        self._furnish_your_company()
        self._furnish_fern_yoga()
        self._leave_links()
        with self.world.installation.db.transaction() as session:
            self.sent = furnish_activity(session, self.jane, self.world.settings)
            self.consultation = furnish_notifications(session, self.jane)

    def _furnish_doe_inc(self) -> None:
        self.bob = self.world.colleague(self.jane, "Bob Roe", "bob@doeinc.com")
        typed = {
            "sender_name": "Jane at Doe Inc.",
            "send_from": "jane@doeinc.com",
            "reply_to": "support@doeinc.com",
        }
        assert self.jane.post(EDIT, typed).status_code == 303
        for name in ("Shop checkout", "Booking calendar"):
            assert self.jane.post("/settings/api-keys", {"name": name}).status_code == 200
        invited = {"email": "sam@doeinc.com", "role": "member"}
        assert self.jane.post("/settings/team", invited).status_code == 303
        for what in ("test", "sample"):
            path = f"{CARD}/kartramail/{what}"
            assert self.jane.post(path).status_code == 303
        self.jane.get(CARD)  # takes the notices, so that no later page shows them
        self.world.mail_to("jane@doeinc.com", 2)
        wait_until(self._is_test_settled)

    def _add_senders(self) -> None:
        """One that calendars and waiting messages use, and one that waits for its link."""
        self.world.dns.add("doe-events.test", "MX", "10 mail.doe-events.test")
        named = {SUPPORT: "Doe Inc. support", BRAND: "Doe Events"}
        account_id = self.jane.account_id
        for address, name in named.items():
            typed = {"sender_name": name, "send_from": address, "reply_to": address}
            typed["accept_low_delivery"] = "y"
            assert self.jane.post(f"{SENDERS}/new", typed).status_code == 303
        self.jane.get(SENDERS)  # takes the notices
        with self.world.installation.db.transaction() as session:
            prove_mailbox(session, account_id, SUPPORT)
            saved = {one.send_from: one.sender_id for one in load_senders(session, account_id)}
            for name in ("Introductory call", "Coaching", "Site visit"):
                calendar = Asset(account_id=account_id, kind="calendar", name=name)
                session.add(calendar)
                session.flush()
                scope = ChoiceScope.ASSET
                for what in ("calendar.booked", "calendar.reminder"):
                    choose_sender(session, account_id, scope, calendar.id, what, saved[SUPPORT])
            waiting: dict[str, Any] = {
                "state": MessageState.SCHEDULED,
                "due_at": now() + timedelta(days=1),
            }
            add_messages(session, account_id, 14, sender_id=saved[SUPPORT], **waiting)
        self.senders = {address: show_id(saved[address]) for address in named}

    def _is_test_settled(self) -> bool:
        return "Accepted" in self.jane.get(CARD).get_data(as_text=True)

    def _furnish_your_company(self) -> None:
        typed = {
            "sender_name": "Your Company",
            "accept_low_delivery": "y",
            "send_from": "hello@yourcompany.com",
            "reply_to": "ana@yourcompany.com",
        }
        assert self.ana.post(EDIT, typed).status_code == 303
        self.ana.get(CARD)
        self.links["prove"] = self.world.link_to("hello@yourcompany.com")
        with self.world.installation.db.transaction() as session:
            (test_id,) = add_messages(
                session,
                self.ana.account_id,
                1,
                state=MessageState.BOUNCED,
                due_at=None,
                tries=1,
                attempts=1,
                reply="550 5.1.1 <ana@yourcompany.com>: Recipient address rejected",
                server="mx1.yourcompany.com",
            )
            record_test(session, self.ana.account_id, test_id)
            place = {"account_id": self.ana.account_id, "user_id": self.jane.user_id}
            session.add(Membership(role=Role.MEMBER, **place))

    def _furnish_fern_yoga(self) -> None:
        self.mia = self.world.owner("Fern Yoga", "Mia Fern", "fern@gmail.com")
        for domain in (NEW, MISTAKEN, AUTHENTICATED):
            assert self.mia.post(DOMAINS, {"domain": domain}).status_code == 303
        self._set_records()
        for domain in (NEW, MISTAKEN, AUTHENTICATED):
            self.mia.post(f"{DOMAINS}/{domain}/check")
        page = self.mia.get(f"{DOMAINS}/{MISTAKEN}?who=other").get_data(as_text=True)
        found = re.search(r'id="share-link".*?data-copy="([^"]*)"', page, re.DOTALL)
        assert found is not None
        self.links["dns"] = found[1]
        self.mia.get(f"{DOMAINS}/{NEW}?who=me")
        asked = {"email": "dns@agency.test", "note": "Hello Sam, can you do this for me?"}
        assert self.mia.post(f"{DOMAINS}/{MISTAKEN}/share", asked).status_code == 303
        self.mia.get(DOMAINS)  # takes the notices
        with self.world.installation.db.transaction() as session:
            self.assets = furnish_assets(session, self.mia, AUTHENTICATED, MISTAKEN)
        self.world.mail_to("dns@agency.test")

    def _set_records(self) -> None:
        """What people do: all of it right for one domain, one right and two wrong for another."""
        dns = self.world.dns
        for domain in (MISTAKEN, AUTHENTICATED):
            dns.add(domain, "NS", "ada.ns.cloudflare.com")
            with self.world.installation.db.reading() as session:
                found = load_checklist(
                    session, self.mia.account_id, domain, self.world.installation
                )
            assert found is not None
            wanted = {row.wanted.key: row.wanted for row in found.rows}
            dns.add(wanted["km1"].host, "TXT", wanted["km1"].value)
            if domain == AUTHENTICATED:
                dns.add(wanted["km2"].host, "TXT", wanted["km2"].value)
                dns.add(wanted["km"].host, "CNAME", wanted["km"].value)
                dns.add(wanted["_dmarc"].host, "TXT", "v=DMARC1; p=quarantine; rua=mailto:a@b.test")
            else:
                dns.add(f"{wanted['km2'].host}.{domain}", "TXT", wanted["km2"].value)
                dns.add(wanted["km"].host, "CNAME", "mail.example.net")
            dns.add(domain, "TXT", "v=spf1 include:_spf.mail.test include:gone.test ~all")
        dns.add("_spf.mail.test", "TXT", "v=spf1 include:_spf1.mail.test a:mail.test ~all")
        dns.add("_spf1.mail.test", "TXT", "v=spf1 ip4:192.0.2.0/24 ~all")
        dns.add("mail.test", "A", "192.0.2.1")

    def _leave_links(self) -> None:
        stranger: FlaskClient = self.world.app.test_client()
        self.links["join"] = self.world.link_to("sam@doeinc.com")
        assert post(stranger, "/signup", SIGN_UP).status_code == 303
        self.links["confirm"] = self.world.link_to(SIGN_UP["email"])
        self.world.owner("Poe", "Lee Poe", "lee@yourcompany.com")
        assert post(stranger, "/forgot", {"email": "lee@yourcompany.com"}).status_code == 303
        self.links["reset"] = self.world.link_to("lee@yourcompany.com")

    def letter(self, subject: str) -> str:
        """The path of the newest letter in the test inbox with these words in its subject."""
        return f"/catcher/{show_id(self.world.inbox.entries(search=subject)[0].id)}"


Who = Literal["stranger", "jane", "bob", "zoe", "ana", "mia"]


@dataclass(frozen=True)
class Stop:
    """A page of the tour: who looks, and how they come there."""

    name: str
    who: Who
    visit: Callable[[Page, Town], object]


def _at(path: str) -> Callable[[Page, Town], object]:
    return lambda page, town: page.goto(path)


def _by_link(kind: str) -> Callable[[Page, Town], object]:
    return lambda page, town: page.goto(town.links[kind])


def _refused_sign_up(page: Page, town: Town) -> None:
    page.goto("/signup")
    page.get_by_label("Business name").fill("Green Fern Yoga")
    page.get_by_label("Email").fill("mia@gmial.com")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _sign_up(page: Page, town: Town) -> None:
    page.goto("/signup")
    page.get_by_label("Business name").fill("Blue Door Books")
    page.get_by_label("Your name").fill("Ida Blue")
    page.get_by_label("Email").fill("ida@doeinc.com")
    page.get_by_label("Password", exact=True).fill(SIGN_UP["password"])
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()


def _refused_sign_in(page: Page, town: Town) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill("jane@doeinc.com")
    page.get_by_label("Password", exact=True).fill("not her password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not belong together")).to_be_visible()


def _refused_sender(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.get_by_label("Send-from address").fill("jane@gmail.com")
    page.get_by_label("Reply-to address").fill("support@other.com")
    page.locator(".page-actions").get_by_role("button", name="Edit").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _other_domain(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.get_by_label("Reply-to address").fill("support@yourcompany.com")
    expect(page.get_by_role("button", name="Use support@doeinc.com")).to_be_visible()


def _other_tab(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.locator("input[name=version]").evaluate("field => { field.value = '1' }")
    page.get_by_label("Sender name").fill("Jane, who was slower")
    page.locator(".page-actions").get_by_role("button", name="Edit").click()
    expect(page.get_by_text("Not saved:")).to_be_visible()


def _told_by_script(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.evaluate("announce(WORDS.signedOut)")


def _of_sender(address: str, page_of_it: str = "") -> Callable[[Page, Town], object]:
    return lambda page, town: page.goto(f"{SENDERS}/{town.senders[address]}{page_of_it}")


def _refused_new_sender(page: Page, town: Town) -> None:
    page.goto(f"{SENDERS}/new")
    page.get_by_label("Sender name").fill("Doe events")
    page.get_by_label("Send-from address").fill("events@doe-events.test")
    page.get_by_label("Reply-to address").fill("jane@doeinc.com")
    page.locator(".page-actions").get_by_role("button", name="Add sender").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _adding_in_picker(page: Page, town: Town) -> None:
    _of_sender(SUPPORT, "/remove")(page, town)
    page.get_by_role("button", name="Add a sender").click()
    page.get_by_label("Send-from address").fill("help@doeinc.com")
    page.get_by_label("Send-from address").blur()
    expect(page.get_by_text("I understand that fewer")).to_be_visible()


def _refused_domain(page: Page, town: Town) -> None:
    page.goto(DOMAINS)
    page.get_by_label("Domain", exact=True).fill("gmail.com")
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _unfolded_domain(page: Page, town: Town) -> None:
    page.goto(f"{DOMAINS}/{AUTHENTICATED}")
    page.evaluate("document.querySelectorAll('.fold').forEach(fold => { fold.open = true; })")


def _domain_removal(page: Page, town: Town) -> None:
    page.goto(f"{DOMAINS}/{AUTHENTICATED}")
    page.locator("summary", has_text="Remove domain").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _other_account(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.locator("#sender-form input[name=opened_in]").evaluate(
        "(field, account) => { field.value = account }", show_id(town.ana.account_id)
    )
    page.get_by_label("Sender name").fill("Typed in Your Company")
    page.locator(".page-actions").get_by_role("button", name="Edit").click()
    expect(page.get_by_text("This form was opened in")).to_be_visible()


def _button_of_other_account(page: Page, town: Town) -> None:
    page.goto("/settings/profile")
    page.locator("form[action='/account/switch'] input[name=opened_in]").evaluate(
        """(field, account) => { field.value = account;
           field.form.action = "/settings/integrations/kartramail/test"; }""",
        show_id(town.ana.account_id),
    )
    page.get_by_role("button", name="Go to Your Company").click()
    expect(page.get_by_role("heading", name="That was another account")).to_be_visible()


def _doubtful(page: Page, town: Town) -> None:
    page.goto(EDIT)
    page.get_by_label("Send-from address").fill("jane@gmail.con")
    page.get_by_label("Reply-to address").fill("jane@gmail.con")
    page.locator(".page-actions").get_by_role("button", name="Edit").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _editor(name: str, of_one: bool = False) -> Callable[[Page, Town], object]:
    def visit(page: Page, town: Town) -> None:
        page.goto(f"{town.consultation if of_one else NOTIFICATIONS}/{name}")
        expect(page.frame_locator("iframe").locator("body")).not_to_be_empty()

    return visit


def _refused_words(page: Page, town: Town) -> None:
    _editor("calendar.booked")(page, town)
    page.get_by_label("Subject").fill("Booked: {{ starts_at | upcas }}")
    page.get_by_label("Message", exact=True).fill(
        "<p>Hello {{ contact.frist_name }},</p>\n"
        "<p>{{ contact.lastname }}</p>\n{% if place %}<p>At</p>"
    )
    page.locator(".page-actions").get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _narrow_preview(page: Page, town: Town) -> None:
    _editor("product.receipt")(page, town)
    page.get_by_role("radio", name="Phone").check()
    page.get_by_text("Variables at hand").click()


def _sent_by_menu(page: Page, town: Town) -> None:
    _open_menu(page, town)
    page.locator("details.menu").get_by_role("button", name="Send a test").click()
    expect(page.locator("#trial-result")).to_contain_text("took it", timeout=20_000)


def _open_menu(page: Page, town: Town) -> None:
    page.goto(CARD)
    page.locator("details.menu summary").click()


def _made_key(page: Page, town: Town) -> None:
    page.goto("/settings/api-keys")
    page.get_by_label("Name").fill("Newsletter import")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_text("km_").first).to_be_visible()


def _letter(subject: str, part: str = "") -> Callable[[Page, Town], object]:
    return lambda page, town: page.goto(town.letter(subject) + part)


def _second_look(page: Page, town: Town) -> None:
    page.goto("/catcher")
    page.get_by_text("Empty the test inbox", exact=True).click()


def _asset(name: str) -> Callable[[Page, Town], object]:
    return lambda page, town: page.goto(town.assets[name])


def _new_asset(page: Page, town: Town) -> None:
    page.goto("/assets/new")
    page.get_by_role("radio", name="Webinar").check()


def _refused_asset(page: Page, town: Town) -> None:
    page.goto("/assets/new")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _open_picker(page: Page, town: Town) -> None:
    page.goto(town.assets["Morning yoga, drop-in"])
    page.get_by_role("link", name="Change sender of Booking confirmed").click()
    expect(page.get_by_role("group", name="Let it come from")).to_be_visible()


def _asked_for_tick(page: Page, town: Town) -> None:
    _open_picker(page, town)
    page.get_by_role("radio", name="Fern Shop").check()
    expect(page.get_by_text("I understand that fewer")).to_be_visible()


def _undo_offered(page: Page, town: Town) -> None:
    page.goto(town.assets["Ten classes"])
    page.locator("#product-refund").get_by_role("switch").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def _for_programs(page: Page, town: Town) -> None:
    page.goto(town.assets["Breathing, live"])
    page.get_by_text("For programs").click()


def _message(became: str, part: str = "") -> Callable[[Page, Town], object]:
    def visit(page: Page, town: Town) -> None:
        page.goto(f"/activity/{show_id(town.sent[became])}{part}")
        if not part and became in ("sent", "deferred"):
            expect(page.frame_locator("iframe").get_by_text("You are booked")).to_be_visible()

    return visit


def _second_look_at(path: str, label: str) -> Callable[[Page, Town], object]:
    def visit(page: Page, town: Town) -> None:
        page.goto(path.format(**{became: show_id(number) for became, number in town.sent.items()}))
        page.locator("summary", has_text=label).click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return visit


TOUR = (
    Stop("sign-up", "stranger", _at("/signup")),
    Stop("sign-up-refused", "stranger", _refused_sign_up),
    Stop("check-your-mail", "stranger", _sign_up),
    Stop("confirm", "stranger", _by_link("confirm")),
    Stop("confirm-gone", "stranger", _at("/confirm/none")),
    Stop("log-in", "stranger", _at("/login")),
    Stop("log-in-refused", "stranger", _refused_sign_in),
    Stop("forgot", "stranger", _at("/forgot")),
    Stop("forgot-sent", "stranger", _at("/forgot/sent")),
    Stop("reset", "stranger", _by_link("reset")),
    Stop("reset-gone", "stranger", _at("/reset/none")),
    Stop("join", "stranger", _by_link("join")),
    Stop("join-gone", "stranger", _at("/join/none")),
    Stop("join-signed-in-as-another", "ana", _by_link("join")),
    Stop("prove", "stranger", _by_link("prove")),
    Stop("prove-gone", "stranger", _at("/prove/none")),
    Stop("no-such-page", "stranger", _at("/nowhere")),
    Stop("home", "jane", _at("/")),
    Stop("home-new", "zoe", _at("/")),
    Stop("home-waiting", "ana", _at("/")),
    Stop("first-steps", "zoe", _at("/onboarding")),
    Stop("first-steps-done", "jane", _at("/onboarding")),
    Stop("card", "jane", _at(CARD)),
    Stop("card-menu", "jane", _open_menu),
    Stop("card-new", "zoe", _at(CARD)),
    Stop("card-waiting", "ana", _at(CARD)),
    Stop("edit", "jane", _at(EDIT)),
    Stop("edit-new", "zoe", _at(EDIT)),
    Stop("edit-waiting", "ana", _at(EDIT)),
    Stop("edit-refused", "jane", _refused_sender),
    Stop("edit-suggestion", "jane", _other_domain),
    Stop("edit-other-tab", "jane", _other_tab),
    Stop("edit-told-by-script", "jane", _told_by_script),
    Stop("domains", "mia", _at(DOMAINS)),
    Stop("domains-noted", "jane", _at(DOMAINS)),
    Stop("domains-empty", "zoe", _at(DOMAINS)),
    Stop("domains-refused", "mia", _refused_domain),
    Stop("domain-new", "mia", _at(f"{DOMAINS}/{NEW}?who=me")),
    Stop("domain-mistaken", "mia", _at(f"{DOMAINS}/{MISTAKEN}?who=me")),
    Stop("domain-sent-on", "mia", _at(f"{DOMAINS}/{MISTAKEN}?who=other")),
    Stop("domain-authenticated", "mia", _at(f"{DOMAINS}/{AUTHENTICATED}")),
    Stop("domain-unfolded", "mia", _unfolded_domain),
    Stop("domain-removal", "mia", _domain_removal),
    Stop("dns-link", "stranger", _by_link("dns")),
    Stop("dns-link-gone", "stranger", _at("/dns/none")),
    Stop("edit-other-account", "jane", _other_account),
    Stop("edit-doubtful", "jane", _doubtful),
    Stop("other-account", "jane", _button_of_other_account),
    Stop("card-tested-by-menu", "jane", _sent_by_menu),
    Stop("assets", "mia", _at("/assets")),
    Stop("assets-of-a-kind", "mia", _at("/assets?kind=calendar")),
    Stop("assets-found", "mia", _at("/assets?q=yoga")),
    Stop("assets-not-found", "mia", _at("/assets?q=pilates")),
    Stop("assets-few", "jane", _at("/assets")),
    Stop("assets-empty", "zoe", _at("/assets")),
    Stop("asset-new", "jane", _new_asset),
    Stop("asset-new-refused", "jane", _refused_asset),
    Stop("asset-notifications", "mia", _asset("Private lesson")),
    Stop("asset-picker", "mia", _open_picker),
    Stop("asset-sender-warning", "mia", _asked_for_tick),
    Stop("asset-undo", "mia", _undo_offered),
    Stop("asset-for-programs", "mia", _for_programs),
    Stop("activity", "jane", _at("/activity")),
    Stop("activity-empty", "zoe", _at("/activity")),
    Stop("activity-filtered", "jane", _at("/activity?state=trouble&days=7")),
    Stop("activity-none", "jane", _at("/activity?q=nobody@doeinc.com")),
    Stop("activity-waiting", "jane", _at("/activity/waiting")),
    Stop("activity-pause", "jane", _second_look_at("/activity/waiting", "Pause")),
    Stop("activity-waiting-none", "zoe", _at("/activity/waiting")),
    Stop("message", "jane", _message("sent")),
    Stop("message-text", "jane", _message("sent", "/text")),
    Stop("message-headers", "jane", _message("sent", "/headers")),
    Stop("message-deferred", "jane", _message("deferred")),
    Stop("message-cancel", "jane", _second_look_at("/activity/{deferred}", "Cancel")),
    Stop("message-paused", "jane", _message("paused")),
    Stop("message-bounced", "jane", _message("bounced")),
    Stop("senders", "jane", _at(SENDERS)),
    Stop("senders-empty", "zoe", _at(SENDERS)),
    Stop("sender-new", "jane", _at(f"{SENDERS}/new")),
    Stop("sender-new-refused", "jane", _refused_new_sender),
    Stop("sender-edit", "jane", _of_sender(SUPPORT)),
    Stop("sender-waiting", "jane", _of_sender(BRAND)),
    Stop("sender-removal", "jane", _of_sender(SUPPORT, "/remove")),
    Stop("sender-removal-unused", "jane", _of_sender(BRAND, "/remove")),
    Stop("sender-added-in-picker", "jane", _adding_in_picker),
    Stop("notifications", "jane", _at(NOTIFICATIONS)),
    Stop("notification-edit", "jane", _editor("calendar.booked")),
    Stop("notification-edit-changed", "jane", _editor("form.signed_up")),
    Stop("notification-edit-refused", "jane", _refused_words),
    Stop("notification-preview", "jane", _narrow_preview),
    Stop("notification-of-one", "jane", _editor("calendar.booked", of_one=True)),
    Stop("notification-fixed", "jane", _editor("calendar.cancelled", of_one=True)),
    Stop("api-keys", "jane", _at("/settings/api-keys")),
    Stop("api-keys-empty", "zoe", _at("/settings/api-keys")),
    Stop("api-key-made", "jane", _made_key),
    Stop("team", "jane", _at("/settings/team")),
    Stop("team-of-a-member", "bob", _at("/settings/team")),
    Stop("account", "jane", _at("/settings/account")),
    Stop("account-of-a-member", "bob", _at("/settings/account")),
    Stop("profile", "jane", _at("/settings/profile")),
    Stop("help", "jane", _at("/help")),
    Stop("help-streams", "jane", _at("/help/streams")),
    Stop("not-here", "jane", _at("/settings/nowhere")),
    Stop("test-inbox", "jane", _at("/catcher")),
    Stop("test-inbox-of-a-stranger", "stranger", _at("/catcher")),
    Stop("test-inbox-second-look", "jane", _second_look),
    Stop("letter", "jane", _letter("test")),
    Stop("letter-text", "jane", _letter("Confirm", "/text")),
    Stop("letter-headers", "jane", _letter("Confirm", "/headers")),
    Stop("letter-source", "jane", _letter("Confirm", "/source")),
)

MAILS = (
    "Confirm your address",
    "invites you",
    "send mail as",
    "Test passed",
    "contacts see",
    "is authenticated",
    "DNS records",
)
"""Words in the subjects of our own mails that lie in the test inbox."""
