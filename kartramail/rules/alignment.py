"""Whether what was authenticated speaks for the From address (R-ALIGN, RFC 9989 §4.4)."""

from dataclasses import dataclass
from enum import StrEnum

from kartramail.rules import addresses


class Outcome(StrEnum):
    """How a check by a receiver would end; the words of the page and the API."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What receivers will find in a message (R-SAMPLE), and the same as `sentences` for people."""

    spf: Outcome
    spf_aligned: bool
    dkim: Outcome
    dkim_aligned: bool
    dmarc: Outcome
    sentences: tuple[str, ...]


def organizational_domain(domain: str, discovered: str | None = None) -> str:
    """The organization's domain: what the tree walk `discovered`, else by the public suffix list.

    Receivers that do not follow RFC 9989 yet go by the list too. All names are A-labels.
    """
    plain = _plain(domain)
    if discovered is not None and _is_on(plain, _plain(discovered)):
        return _plain(discovered)
    return addresses.organizational_domain(plain)


def is_aligned(
    from_domain: str,
    authenticated_domain: str,
    *,
    organizational: str | None = None,
    is_strict: bool = False,
) -> bool:
    """Whether an authenticated domain stands for the From domain (RFC 9989 §4.4.1, §4.4.2).

    `organizational` is that of the From domain by the tree walk, None where it found no record.
    """
    one, other = _plain(from_domain), _plain(authenticated_domain)
    if is_strict or one == other:
        return one == other
    return _is_on(other, organizational_domain(one, organizational))


def covers(domain: str, from_domain: str, *, is_dkim_strict: bool) -> bool:
    """Whether the authenticated `domain` stands for addresses on `from_domain` (R-ALIGN).

    On itself always, on names below it unless its DMARC record is strict, on others never.
    """
    one, other = _plain(domain), _plain(from_domain)
    return one == other or (not is_dkim_strict and _is_on(other, one))


def judge_verdicts(
    *,
    from_domain: str,
    signing_domain: str | None,
    return_path_domain: str,
    organizational: str | None,
    is_dkim_strict: bool,
    is_spf_strict: bool,
    spf_includes_us: bool | None,
) -> Verdicts:
    """What receivers will make of a message that we signed and sent.

    `signing_domain` is the d= of our signature, None without one. `spf_includes_us` says whether
    the SPF record of the return path lists the addresses that mail leaves from; None: not known.
    """
    spf = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.UNKNOWN}[spf_includes_us]
    dkim = Outcome.FAIL if signing_domain is None else Outcome.PASS
    spf_aligned = is_aligned(
        from_domain, return_path_domain, organizational=organizational, is_strict=is_spf_strict
    )
    dkim_aligned = signing_domain is not None and is_aligned(
        from_domain, signing_domain, organizational=organizational, is_strict=is_dkim_strict
    )
    dmarc = _dmarc(spf, spf_aligned, dkim_aligned)
    sentences = (
        _about_dkim(from_domain, signing_domain, dkim_aligned),
        _about_spf(from_domain, return_path_domain, spf, spf_aligned),
        _about_dmarc(from_domain, dmarc),
    )
    return Verdicts(spf, spf_aligned, dkim, dkim_aligned, dmarc, sentences)


def _dmarc(spf: Outcome, spf_aligned: bool, dkim_aligned: bool) -> Outcome:
    """One of the two is enough (RFC 9989 §5.3)."""
    if dkim_aligned:
        return Outcome.PASS
    return spf if spf_aligned else Outcome.FAIL


def _about_dkim(from_domain: str, signing_domain: str | None, is_one: bool) -> str:
    if signing_domain is None:
        return "The message has no signature (DKIM)."
    if is_one:
        return f"{signing_domain} signed the message (DKIM), which speaks for {from_domain}."
    return (
        f"{signing_domain} signed the message (DKIM). The signature is sound, but it does not "
        f"speak for {from_domain}."
    )


def _about_spf(from_domain: str, return_path: str, spf: Outcome, is_one: bool) -> str:
    if spf is Outcome.UNKNOWN:
        return (
            f"Whether {return_path} allows the server that sent it (SPF) is not known here, "
            "because the operator has not set the addresses that mail leaves from."
        )
    if spf is Outcome.FAIL:
        return f"{return_path}, where bounces go, does not allow the server that sent it (SPF)."
    end = f"and speaks for {from_domain}." if is_one else f"but does not speak for {from_domain}."
    return f"{return_path}, where bounces go, allows the server that sent it (SPF), {end}"


def _about_dmarc(from_domain: str, dmarc: Outcome) -> str:
    if dmarc is Outcome.PASS:
        return f"So receivers know that the message comes from {from_domain} (DMARC passes)."
    if dmarc is Outcome.FAIL:
        return (
            f"So nothing proves that the message comes from {from_domain} (DMARC fails). "
            "Authenticate the domain to change that."
        )
    return (
        f"Whether receivers can tell that the message comes from {from_domain} (DMARC) cannot be "
        "said from here."
    )


def _is_on(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _plain(domain: str) -> str:
    return domain.lower().rstrip(".")
