"""The checklist of the first steps (R-ONBOARD): what is done is read from the facts, not stored."""

from dataclasses import dataclass, replace

from sqlmodel import Session, col, update

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.messages.queries import MessageProgress, has_accepted_test, message_progress
from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.outbox.models import MessageState
from kartramail.rules.address_syntax import shown_address
from kartramail.rules.domain_names import show_domain
from kartramail.senders.service import GatewayView, load_gateway
from kartramail.senders.standing import Proof, SenderStanding, gateway_standing

DONE, CURRENT, TODO = "done", "current", "todo"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist. `state` is done, current (the next one) or todo."""

    title: str
    text: str
    state: str
    href: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The steps, whether all that count are done, and whether the person put it aside."""

    steps: tuple[Step, ...]
    is_done: bool
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """How an account's mail stands: what home and the checklist are made of."""

    account: Account
    gateway: GatewayView
    standing: SenderStanding
    sender: Resolution
    last_test: MessageProgress | None
    is_tested: bool
    """Whether any test was ever accepted by the mail server: a step that was done stays done."""

    @property
    def has_failed_test(self) -> bool:
        """Whether the last test ended without being accepted, or is stuck."""
        return self.last_test is not None and self.last_test.state in (
            MessageState.BOUNCED,
            MessageState.FAILED,
            MessageState.DEFERRED,
        )


def read_situation(session: Session, account_id: int, platform_domain: str) -> Situation:
    """How the account stands now. Raises NotFound."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("There is no such account.")
    gateway = load_gateway(session, account_id)
    standing = gateway_standing(session, account_id, platform_domain)
    test_id = gateway.last_test_message_id
    return Situation(
        account=account,
        gateway=gateway,
        standing=standing,
        sender=resolve_sender(standing),
        last_test=message_progress(session, account_id, test_id) if test_id else None,
        is_tested=has_accepted_test(session, account_id),
    )


def make_checklist(situation: Situation) -> Checklist:
    """The steps as they stand; the first that is not done is the current one.

    The domain counts where there is one: whoever has none is not kept waiting for it.
    """
    counted = [_confirm(situation), _say_who(situation), _test(situation)]
    domain = _authenticate_domain(situation)
    has_domain = situation.standing.proof is not Proof.PLACEHOLDER
    if has_domain:
        counted.insert(2, domain)
    waiting = [step for step in counted if step.state != DONE]
    steps = [replace(step, state=CURRENT) if step in waiting[:1] else step for step in counted]
    return Checklist(
        steps=tuple(steps) if has_domain else (*steps, domain),
        is_done=not waiting,
        is_hidden=situation.account.onboarding_hidden_at is not None,
    )


def _confirm(situation: Situation) -> Step:
    is_done = situation.account.confirmed_at is not None
    return Step(
        "Confirm your address",
        "Your address is confirmed." if is_done else "Follow the link in the mail from sign-up.",
        DONE if is_done else TODO,
    )


def _say_who(situation: Situation) -> Step:
    """Done when filled in from a business address, or looked over and saved once."""
    is_temporary = situation.standing.proof is Proof.PLACEHOLDER
    text = f"Mail leaves as {situation.sender.name} <{shown_address(situation.sender.send_from)}>."
    if is_temporary:
        text = (
            f"Until you give an address of your own, mail leaves from "
            f"{situation.standing.placeholder}, where nobody can reply."
        )
    is_done = not is_temporary or situation.gateway.version > 1
    return Step(
        "Say who your mail comes from",
        text,
        DONE if is_done else TODO,
        "/settings/integrations/kartramail/edit",
        "Look over",
    )


def _test(situation: Situation) -> Step:
    return Step(
        "Send yourself a test",
        "The mail server accepted it."
        if situation.is_tested
        else "Shows that mail gets through to your inbox.",
        DONE if situation.is_tested else TODO,
        "/settings/integrations#test",
        "Send a test",
    )


def _authenticate_domain(situation: Situation) -> Step:
    domain = situation.standing.domain
    page = f"/settings/domains/{domain.domain}" if domain.domain else "/settings/domains"
    return Step(
        "Authenticate your domain",
        f"Mail from {show_domain(domain.from_domain)} is signed by it."
        if domain.is_authenticated
        else "Makes more of your mail arrive. You can send without it until then.",
        DONE if domain.is_authenticated else TODO,
        page,
        "See the records",
    )


def hide_checklist(session: Session, account_id: int) -> None:
    """Put the checklist aside: "Not now"."""
    _set_hidden(session, account_id, is_hidden=True)


def take_up_checklist(session: Session, account_id: int) -> None:
    """Show the checklist on the first page again."""
    _set_hidden(session, account_id, is_hidden=False)


def _set_hidden(session: Session, account_id: int, *, is_hidden: bool) -> None:
    session.connection().execute(
        update(Account)
        .where(col(Account.id) == account_id)
        .values(onboarding_hidden_at=now() if is_hidden else None)
    )
