"""One judgement of a sender for every door: keystroke, save and API ask here (R-LIVE)."""

from collections.abc import Mapping

from kartramail.installation import Installation
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.rules.sender_details import JudgedSender, judge_sender_details
from kartramail.rules.verdict import Verdict
from kartramail.senders.placeholders import find_placeholder


def judge_typed(
    installation: Installation, account_id: int, typed: Mapping[str, str]
) -> JudgedSender:
    """What the rules say of `sender_name`, `send_from` and `reply_to`; asks no DNS.

    The account's own generated address is looked up only where an address of the platform stands
    there, so that a keystroke costs no query.
    """
    placeholder = None
    platform_domain = installation.settings.platform_domain
    if any(platform_domain in value.lower() for value in typed.values()):
        with installation.db.reading() as session:
            local = find_placeholder(session, account_id)
        placeholder = f"{local}@{platform_domain}" if local else None
    return judge_sender_details(
        typed["sender_name"],
        typed["send_from"],
        typed["reply_to"],
        installation.address_policy(placeholder),
    )


def judge_mail_server(installation: Installation, judged: JudgedSender) -> Verdict:
    """The verdict of the reply-to, look-up included; takes at most DNS_TIMEOUT (R-REPLY).

    Outside of any transaction. What the rules refuse is not looked up.
    """
    address = judged.reply_to_address
    if address is None or judged.reply_to.is_error:
        return judged.reply_to
    hosts = installation.resolver.mail_hosts(address.domain)
    found = judge_mail_host(address.domain, hosts.mx, hosts.address)
    return found if found.message or not judged.reply_to.message else judged.reply_to
