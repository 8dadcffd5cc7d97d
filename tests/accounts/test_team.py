"""The team: owners change it, members see it, strangers neither; there is always an owner."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlmodel import func, select

from kartramail.accounts.invitations import invite
from kartramail.accounts.models import Invitation, Membership, OneTimeToken, Role, SignIn
from kartramail.accounts.people import find_person
from kartramail.accounts.team import TeamChange, change_role, remove_member
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.rules.addresses import judge_signup_address
from tests.support.cast import Actor, make_colleague, post
from tests.support.dns_server import DnsServer
from tests.support.mailbox import mails_to, newest_link, templates_to

DORA = {"email": "dora@doeinc.com", "role": "member"}
EVE = {"email": "eve@doeinc.com", "role": "owner"}
NEW = {"full_name": "Eve Moe", "password": "a sentence that Eve remembers"}


def role_of(installation: Installation, actor: Actor) -> Role | None:
    with installation.db.reading() as session:
        found = session.get(Membership, (actor.account_id, actor.user_id))
    return found.role if found else None


def invitation_id(installation: Installation) -> str:
    with installation.db.reading() as session:
        return show_id(session.exec(select(Invitation.id)).one())


def test_an_owner_invites_by_mail_for_seven_days(alice: Actor, installation: Installation) -> None:
    assert alice.post("/settings/team", DORA).location == "/settings/team"
    assert templates_to(installation, "dora@doeinc.com") == ["join_team"]
    assert "dora@doeinc.com" in alice.get("/settings/team").text
    with installation.db.reading() as session:
        token = session.exec(select(OneTimeToken)).one()
    assert timedelta(days=6, hours=23) < token.expires_at - now() <= timedelta(days=7)


def test_who_is_in_the_team_or_invited_is_not_invited_again(
    alice: Actor, bob: Actor, installation: Installation
) -> None:
    answer = alice.post("/settings/team", {"email": "BOB@doeinc.com", "role": "member"})
    assert "in the team already" in answer.text
    alice.post("/settings/team", DORA)
    assert "invited already" in alice.post("/settings/team", DORA).text
    assert templates_to(installation, "dora@doeinc.com") == ["join_team"]


@pytest.mark.parametrize(
    "email",
    ["", "dora", "dora@mailinator.com", "d\r\nBcc: x@doeinc.com", "\x00", "d" * 10_000 + "@x.com"],
)
def test_an_address_that_could_not_sign_up_is_not_invited(
    alice: Actor, installation: Installation, email: str
) -> None:
    assert alice.post("/settings/team", {"email": email, "role": "member"}).status_code == 422


def test_a_made_up_role_is_refused(alice: Actor, bob: Actor) -> None:
    assert alice.post("/settings/team", DORA | {"role": "operator"}).status_code == 422
    path = f"/settings/team/{show_id(bob.user_id)}/role"
    assert alice.post(path, {"role": "operator"}).status_code == 400


def test_sending_again_voids_the_link_before(alice: Actor, installation: Installation) -> None:
    alice.post("/settings/team", DORA)
    old = newest_link(installation, "dora@doeinc.com")
    alice.post(f"/settings/team/invitations/{invitation_id(installation)}/again")
    assert alice.get(old).status_code == 410
    assert alice.get(newest_link(installation, "dora@doeinc.com")).status_code == 200


def test_withdrawing_voids_the_link(alice: Actor, installation: Installation) -> None:
    alice.post("/settings/team", DORA)
    alice.post(f"/settings/team/invitations/{invitation_id(installation)}/withdraw")
    assert alice.get(newest_link(installation, "dora@doeinc.com")).status_code == 410
    assert "Invited" not in alice.get("/settings/team").text.split("What was")[0].split("<h2")[0]


def test_roles_are_changed_with_a_line_of_history(
    alice: Actor, bob: Actor, installation: Installation
) -> None:
    alice.post(f"/settings/team/{show_id(bob.user_id)}/role", {"role": "owner"})
    assert role_of(installation, bob) is Role.OWNER
    assert "Made bob@doeinc.com owner instead of member" in alice.get("/settings/account").text


def test_who_is_removed_is_out_at_once(
    alice: Actor, bob: Actor, installation: Installation
) -> None:
    alice.post(f"/settings/team/{show_id(bob.user_id)}/remove")
    assert role_of(installation, bob) is None
    assert bob.get("/settings/team").status_code == 302


@pytest.fixture
def owner_bob(bob: Actor, installation: Installation) -> Actor:
    """Bob, made an owner, who has invited Eve as owner and Dora as member."""
    with installation.db.transaction() as session:
        change_role(session, bob.account_id, bob.user_id, Role.OWNER, by=bob.user_id)
    assert bob.post("/settings/team", EVE).status_code == 303
    assert bob.post("/settings/team", DORA).status_code == 303
    return bob


def links(installation: Installation) -> tuple[str, str]:
    """Eve's and Dora's."""
    return newest_link(installation, EVE["email"]), newest_link(installation, DORA["email"])


def test_what_a_removed_owner_left_open_is_withdrawn(
    alice: Actor, owner_bob: Actor, client: FlaskClient, installation: Installation
) -> None:
    alice.post("/settings/team", EVE | {"email": "frank@doeinc.com"})
    alice.post(f"/settings/team/{show_id(owner_bob.user_id)}/remove")
    assert [client.get(link).status_code for link in links(installation)] == [410, 410]
    assert [post(client, link, NEW).status_code for link in links(installation)] == [410, 410]
    assert client.get(newest_link(installation, "frank@doeinc.com")).status_code == 200
    page = alice.get("/settings/team").text
    assert "frank@doeinc.com" in page
    assert "eve@doeinc.com" not in page
    assert "Withdrew the invitation of eve@doeinc.com" in alice.get("/settings/account").text


def test_who_is_made_a_member_makes_no_owners(
    alice: Actor, owner_bob: Actor, client: FlaskClient, installation: Installation
) -> None:
    answer = alice.post(f"/settings/team/{show_id(owner_bob.user_id)}/role", {"role": "member"})
    assert "Invitations as owner" in alice.get(str(answer.location)).text
    assert [client.get(link).status_code for link in links(installation)] == [410, 200]
    assert "eve@doeinc.com" not in alice.get("/settings/team").text


def test_an_invitation_sent_while_its_owner_is_removed_is_no_way_in(
    alice: Actor, owner_bob: Actor, client: FlaskClient, installation: Installation
) -> None:
    """Bob's request had passed the door when Alice removed him."""
    with installation.db.reading() as session:
        sign_in = session.exec(select(SignIn.id).where(SignIn.user_id == owner_bob.user_id)).one()
        bob = find_person(session, sign_in)
    assert bob is not None
    alice.post(f"/settings/team/{show_id(owner_bob.user_id)}/remove")
    address = judge_signup_address(EVE["email"], installation.address_policy()).address
    assert address is not None
    with installation.db.transaction() as session:
        invite(session, "http://localhost", bob, address, Role.OWNER)
    link = newest_link(installation, EVE["email"])
    assert client.get(link).status_code == 410
    assert post(client, link, NEW).status_code == 410


def test_who_sends_an_invitation_again_stands_for_it(
    alice: Actor, owner_bob: Actor, client: FlaskClient, installation: Installation
) -> None:
    with installation.db.reading() as session:
        eves = session.exec(select(Invitation.id).where(Invitation.email == EVE["email"])).one()
    alice.post(f"/settings/team/invitations/{show_id(eves)}/again")
    alice.post(f"/settings/team/{show_id(owner_bob.user_id)}/remove")
    page = client.get(newest_link(installation, EVE["email"]))
    assert page.status_code == 200
    assert "Alice Doe invites eve@doeinc.com" in page.text


def test_an_address_that_looks_mistyped_is_asked_about_once(
    alice: Actor, installation: Installation, dns: DnsServer
) -> None:
    """R-BUSINESS: as sign-up does."""
    dns.add("outloook.com", "MX", "10 mail.doeinc.com")
    typed = {"email": "sam@outloook.com", "role": "owner"}
    first = alice.post("/settings/team", typed)
    assert first.status_code == 422
    assert "Use sam@outlook.com" in first.text
    assert "send the invitation again" in first.text
    assert '<option selected value="owner">' in first.text
    assert mails_to(installation, "sam@outloook.com") == []
    kept = re.search(r'name="kept_email"[^>]*value="([^"]+)"', first.text)
    assert kept is not None
    again = alice.post("/settings/team", typed | {"kept_email": kept[1]})
    assert again.status_code == 303
    assert templates_to(installation, "sam@outloook.com") == ["join_team"]


def test_taking_the_suggestion_without_javascript_sends_nothing(
    alice: Actor, installation: Installation
) -> None:
    typed = {"email": "sam@gmail.con", "role": "owner", "use_email": "sam@gmail.com"}
    answer = alice.post("/settings/team", typed)
    assert answer.status_code == 200
    assert 'value="sam@gmail.com"' in answer.text
    assert '<option selected value="owner">' in answer.text
    assert mails_to(installation, "sam@gmail.com") == []


def test_enter_sends_the_form_and_does_not_press_a_suggestion(alice: Actor) -> None:
    """Browsers press the first button of the form."""
    page = alice.post("/settings/team", {"email": "sam@gmail.con", "role": "member"})
    (form,) = html.fromstring(page.text).xpath('//form[@action="/settings/team"]')
    buttons = form.xpath(".//button[@type='submit']/@name | .//button[@type='submit'][not(@name)]")
    assert "use_email" in buttons
    assert buttons[0] != "use_email"


def test_the_last_owner_stays_owner(alice: Actor, bob: Actor, installation: Installation) -> None:
    path = f"/settings/team/{show_id(alice.user_id)}"
    for action, data in (("remove", {}), ("role", {"role": "member"})):
        assert alice.post(f"{path}/{action}", data).status_code == 303
        assert "An account needs an owner" in alice.get("/settings/team").text
    assert role_of(installation, alice) is Role.OWNER


def test_two_owners_who_remove_each_other_leave_one(
    alice: Actor, installation: Installation
) -> None:
    other = make_colleague(installation, alice.account_id, role=Role.OWNER)
    pairs = [(alice.user_id, other), (other, alice.user_id)]

    def act(pair: tuple[int, int]) -> TeamChange | None:
        try:
            with installation.db.transaction() as session:
                return remove_member(session, alice.account_id, pair[1], by=pair[0])
        except NotFound:
            return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(act, pairs))
    assert outcomes.count(TeamChange.DONE) == 1
    with installation.db.reading() as session:
        owners = select(func.count()).select_from(Membership).where(Membership.role == Role.OWNER)
        assert session.exec(owners).one() == 1


def test_a_member_sees_the_team_and_cannot_change_it(
    alice: Actor, bob: Actor, installation: Installation
) -> None:
    alice.post("/settings/team", DORA)
    number = invitation_id(installation)
    page = bob.get("/settings/team")
    assert "Alice Doe" in page.text
    assert "Send invitation" not in page.text
    attempts = [
        ("/settings/team", {"email": "eve@doeinc.com", "role": "owner"}),
        (f"/settings/team/{show_id(bob.user_id)}/role", {"role": "owner"}),
        (f"/settings/team/{show_id(alice.user_id)}/remove", {}),
        (f"/settings/team/invitations/{number}/again", {}),
        (f"/settings/team/invitations/{number}/withdraw", {}),
    ]
    assert [bob.post(path, data).status_code for path, data in attempts] == [403] * 5
    assert role_of(installation, bob) is Role.MEMBER


def test_charlie_cannot_touch_alices_team(
    alice: Actor, bob: Actor, charlie: Actor, installation: Installation
) -> None:
    alice.post("/settings/team", DORA)
    number = invitation_id(installation)
    attempts = [
        (f"/settings/team/{show_id(bob.user_id)}/role", {"role": "owner"}),
        (f"/settings/team/{show_id(bob.user_id)}/remove", {}),
        (f"/settings/team/invitations/{number}/again", {}),
        (f"/settings/team/invitations/{number}/withdraw", {}),
        ("/settings/team/not-an-id/remove", {}),
    ]
    assert [charlie.post(path, data).status_code for path, data in attempts] == [404] * 5
    assert "bob@doeinc.com" not in charlie.get("/settings/team").text
    assert role_of(installation, bob) is Role.MEMBER
    with installation.db.transaction() as session, pytest.raises(NotFound):
        change_role(session, charlie.account_id, bob.user_id, Role.OWNER, by=charlie.user_id)


def test_it_needs_a_csrf_token(alice: Actor, bob: Actor, installation: Installation) -> None:
    assert alice.client.post("/settings/team", data=DORA).status_code == 422
    path = f"/settings/team/{show_id(bob.user_id)}/remove"
    assert alice.client.post(path).status_code == 400
    assert role_of(installation, bob) is Role.MEMBER
