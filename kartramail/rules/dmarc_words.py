"""A DMARC record in plain words, for somebody who runs a small business (R-DMARC)."""

from kartramail.rules.address_syntax import shown_domain
from kartramail.rules.dmarc_record import DmarcRecord, Policy

_FAILING = {
    Policy.NONE: "is treated like any other mail",
    Policy.QUARANTINE: "goes to the spam folder or is held back",
    Policy.REJECT: "is refused",
}


def explain(
    record: DmarcRecord | None, domain: str, found_at: str | None = None, *, exists: bool = True
) -> tuple[str, ...]:
    """What the record means for mail from `domain`, one sentence or two each.

    `found_at` is the domain whose record it is, if not `domain`; `exists` as in
    `DmarcRecord.applies_to`. Domains are shown in their own script.
    """
    domain, found_at = shown_domain(domain), found_at and shown_domain(found_at)
    if record is None:
        return (
            f"{domain} does not say what should happen with mail that only pretends to come from "
            "it. Some large mail providers take bulk mail only from domains that do.",
        )
    is_inherited = found_at is not None and found_at != domain
    sentences = [_failing(record, domain, is_inherited, exists)]
    if is_inherited:
        sentences.append(f"{domain} has no record of its own; the one of {found_at} holds for it.")
    else:
        sentences += _subdomains(record, domain)
    sentences += [*_testing(record, is_inherited, exists), _reports(record), _alignment(record)]
    return tuple(sentences)


def _failing(record: DmarcRecord, domain: str, is_inherited: bool, exists: bool) -> str:
    policy = record.applies_to(is_inherited=is_inherited, exists=exists)
    return f"Mail that says it comes from {domain} but cannot prove it {_FAILING[policy]}."


def _subdomains(record: DmarcRecord, domain: str) -> list[str]:
    own = record.applies_to(is_inherited=False)
    below = record.applies_to(is_inherited=True)
    invented = record.applies_to(is_inherited=True, exists=False)
    if own == below == invented:
        return [f"The same holds for all names under {domain}, such as shop.{domain}."]
    sentences = [f"Such mail from a name under {domain}, such as shop.{domain}, {_FAILING[below]}."]
    if invented != below:
        sentences.append(
            f"From a name under {domain} that does not exist, it {_FAILING[invented]}."
        )
    return sentences


def _testing(record: DmarcRecord, is_inherited: bool, exists: bool) -> list[str]:
    tried = record.p
    if is_inherited:
        tried = record.sp or record.p
        if not exists:
            tried = record.np or tried
    if not record.is_testing or tried is Policy.NONE:
        return []
    return [
        f"The record is in testing mode (t=y): it asks for {tried}, and receivers go one step "
        "less far until t=y is taken out."
    ]


def _reports(record: DmarcRecord) -> str:
    addresses = [_address(uri) for uri in record.rua]
    if not addresses:
        return "Nobody gets reports about who sends as this domain (there is no rua=)."
    return f"Daily reports about who sends as this domain go to {' and '.join(addresses)}."


def _address(uri: str) -> str:
    bare = uri.partition("!")[0]
    return bare[len("mailto:") :] if bare.lower().startswith("mailto:") else bare


def _alignment(record: DmarcRecord) -> str:
    if record.is_dkim_strict and record.is_spf_strict:
        return (
            "The record is strict: a signature or a return path counts only when it is on exactly "
            "the domain after the @, not on a name under it."
        )
    if record.is_spf_strict:
        return (
            "The return path counts only when it is on exactly the domain after the @ (aspf=s). "
            "Ours is on a name under it, so the signature alone proves your mail, which is enough."
        )
    if record.is_dkim_strict:
        return (
            "A signature counts only for exactly the domain that signed (adkim=s), so names under "
            "it need to be set up as domains of their own."
        )
    return "A signature or a return path on the same domain, or on a name under it, is proof."
