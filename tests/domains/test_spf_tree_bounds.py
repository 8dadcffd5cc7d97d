"""R-SPF: a hostile tree neither loops nor explodes, and is waited for only so long."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.fake_resolver import FakeResolver
from kartramail.domains.spf_tree import SpfNode, read_spf
from kartramail.domains.spf_walk import MOST_QUESTIONS
from kartramail.rules.dns_answers import RecordType, TextRecord
from kartramail.rules.dns_records import RecordState

OURS = "bounces.kartra.test"


def resolver_of(records: dict[str, str]) -> FakeResolver:
    resolver = FakeResolver()
    for name, text in records.items():
        resolver.add(name, RecordType.TXT, TextRecord((text.encode(),)))
    return resolver


def nodes(node: SpfNode) -> int:
    return 1 + sum(nodes(child) for child in node.children)


def test_a_tree_that_doubles_at_every_level_is_cut() -> None:
    branches = {
        f"l{n}.test": f"v=spf1 include:l{n + 1}.test include:l{n + 1}.test -all" for n in range(60)
    }
    resolver = resolver_of(branches)
    report = read_spf(resolver, "l0.test", OURS)
    assert report.state is RecordState.WRONG
    assert report.problems[0].code == "too_many_lookups"
    assert "at least" in report.problems[0].message
    assert len(resolver.asked) <= MOST_QUESTIONS + 1
    assert report.tree is not None
    assert nodes(report.tree) <= MOST_QUESTIONS + 1


def test_a_chain_without_end_is_cut() -> None:
    resolver = resolver_of({f"l{n}.test": f"v=spf1 redirect=l{n + 1}.test" for n in range(200)})
    report = read_spf(resolver, "l0.test", OURS)
    assert "too_many_lookups" in {problem.code for problem in report.problems}
    assert len(resolver.asked) <= 12


def test_a_record_with_hundreds_of_terms_is_counted_not_asked() -> None:
    terms = " ".join(f"include:x{number}.test" for number in range(400))
    resolver = resolver_of({"doeinc.test": f"v=spf1 {terms} -all"})
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.lookups == 400
    assert len(resolver.asked) == MOST_QUESTIONS + 1
    assert len(report.problems) <= 30


def test_a_record_of_the_greatest_size_is_not_read_to_its_end() -> None:
    for piece in ("a:b ", "include:x.test ", "ip4:192.0.2.1 "):
        resolver = resolver_of({"doeinc.test": ("v=spf1 " + piece * 15000)[:65000]})
        report = read_spf(resolver, "doeinc.test", OURS)
        assert report.state is RecordState.WRONG
        assert "syntax" in {problem.code for problem in report.problems}
        assert report.record is not None
        assert len(report.record) <= 4096


def test_faults_by_the_hundred_are_not_all_told() -> None:
    resolver = resolver_of({"doeinc.test": "v=spf1 " + " ".join(f"bad{n}" for n in range(500))})
    assert len(read_spf(resolver, "doeinc.test", OURS).problems) <= 30


def test_after_some_look_ups_without_an_answer_the_rest_is_not_waited_for() -> None:
    names = [f"x{number}.test" for number in range(9)]
    terms = " ".join(f"include:{name}" for name in names)
    resolver = resolver_of({"doeinc.test": f"v=spf1 {terms} -all"})
    for name in names:
        resolver.fail(name)
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.UNREACHABLE
    assert report.lookups == 9
    assert len(resolver.asked) == 4


def test_what_stands_in_a_record_reaches_people_without_control_characters() -> None:
    resolver = resolver_of({"doeinc.test": "v=spf1 <script>\x1b[2J\u202ex -all"})
    (problem,) = read_spf(resolver, "doeinc.test", OURS).problems
    assert problem.message.isprintable()


NAMES = [f"n{number}.test" for number in range(6)]
TERMS = st.sampled_from(
    [
        *(f"include:{name}" for name in NAMES),
        *(f"redirect={name}" for name in NAMES[:2]),
        "a", "mx", "a:gone.test", "exists:%{i}.x", "exists:n1.test", "ptr", "-all", "+all", "bad:",
    ]
)  # fmt: skip
TREES = st.dictionaries(
    st.sampled_from(NAMES), st.lists(TERMS, max_size=12).map(lambda t: " ".join(["v=spf1", *t]))
)


@settings(max_examples=150, deadline=None)
@given(TREES, st.sets(st.sampled_from(NAMES[1:]), max_size=2))
def test_any_tree_is_read_within_the_cap(records: dict[str, str], silent: set[str]) -> None:
    """Whatever the records say: it ends, asks at most so often, and its counts add up."""
    resolver = resolver_of(records)
    for name in silent:
        resolver.fail(name)
    report = read_spf(resolver, NAMES[0], OURS)
    assert len(resolver.asked) <= MOST_QUESTIONS + 1
    assert (report.tree is None) == (NAMES[0] not in records)
    if report.tree is not None:
        assert nodes(report.tree) <= MOST_QUESTIONS + 1
        assert (
            report.lookups
            == report.tree.lookups
            >= sum(child.lookups + 1 for child in report.tree.children)
        )
        too_many = "too_many_lookups" in {problem.code for problem in report.problems}
        assert too_many == (report.lookups > 10)
