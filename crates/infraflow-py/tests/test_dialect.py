"""Dialects that are written in Python, used by the core."""

import pickle
import re
import threading

import pytest

from infraflow import (
    Catalog,
    CatalogCache,
    CatalogError,
    FactReference,
    Facts,
    Lines,
    Lookup,
    Mark,
    Place,
    Repository,
    Unparsable,
    check_dialect,
    detect,
    impact,
    standard_dialects,
)

READS = re.compile(rb"^(reads|includes) (\S+)$", re.MULTILINE)


class Recipe:
    """Files of lines: `reads PATH`, `includes PATH`; anything else is a comment, but for `!`."""

    name = "recipe"
    version = 1
    claims = {"vendor/**": None, "**/*.recipe": "configuration"}
    includes = True

    def __init__(self):
        self.asked = []

    def facts(self, files):
        self.asked.append([path for path, _ in files])
        return [self.of(path, content) for path, content in files]

    def of(self, path, content):
        lines, references = Lines(content), []
        unparsable = []
        try:
            content.decode()
        except UnicodeDecodeError as error:
            unparsable = [Unparsable(path=path, why=str(error))]
        if b"!" in content:
            line = content[: content.index(b"!")].count(b"\n") + 1
            unparsable = [Unparsable(path=path, line=line, why="it shouts")]
        for found in READS.finditer(content):
            what, name = found[1].decode(), found[2].decode(errors="replace")
            place = lines.place(*found.span(2))
            kind = "file_read" if what == "reads" else "include"
            if not unparsable or content.isascii():
                references.append(FactReference.to_path(kind, name, place, what))
        marks = [Mark(kind="likely_unit", place=lines.place(0, 0))]
        return Facts(marks=marks, references=references, unparsable=unparsable)


FILES = {
    "soup/a.recipe": "# soup\nreads ../pantry/salt\nincludes ../base/stock.txt\n",
    "soup/b.recipe": "# more\n",
    "base/stock.txt": "reads bones\n",
    "base/bones": "1\n",
    "pantry/salt": "1\n",
    "pantry/pepper": "1\n",
    "vendor/x.recipe": "reads y\n",
    "cake/c.recipe": "reads egg\n",
    "live/main.tf": 'terraform {\n  backend "local" {}\n}\n',
}
BOTH = ("terraform",)


def affected(repo, files, dialect, cache=None):
    repo.git("checkout", "-q", "-B", "feature", "main")
    repo.commit("feat: change", files)
    repository = Repository(repo.path)
    changes = detect(repository)
    ends = (cache or CatalogCache.none()).ends(
        repository, changes.merge_base, changes.head, dialects=[*standard_dialects(), dialect]
    )
    return impact(changes, *ends)


def test_units_of_a_python_dialect_are_affected_by_what_they_reach(make_repo, tmp_path):
    repo, cache = make_repo(FILES), CatalogCache.in_folder(tmp_path / "kept")
    for file, units in {
        "pantry/salt": ["soup"],
        "pantry/pepper": [],
        "base/bones": ["soup"],
        "base/stock.txt": ["soup"],
        "soup/b.recipe": ["soup"],
        "cake/egg": ["cake"],
        "vendor/y": [],
        "live/main.tf": ["live"],
    }.items():
        for kept in (None, cache):
            found = affected(repo, {file: FILES.get(file, "") + "# changed\n"}, Recipe(), kept)
            assert [unit.id for unit in found.units] == units, file
    (unit,) = affected(repo, {"base/bones": "2\n"}, Recipe()).units
    link = unit.reasons[0].chain[-1]
    assert (unit.dialect, link.path, link.line, link.column) == ("recipe", "base/stock.txt", 1, 7)


def test_files_come_in_batches_and_other_threads_go_on(make_repo):
    repo = make_repo({f"r/{number}/x.recipe": f"reads {number}\n" for number in range(300)})
    dialect, turns, stop = Recipe(), 0, threading.Event()

    def count():
        nonlocal turns
        while not stop.wait(0.0005):
            turns += 1

    thread = threading.Thread(target=count)
    thread.start()
    catalog = Catalog.build(Repository(repo.path), dialects=[dialect])
    stop.set()
    thread.join()
    assert len(catalog.units) == 300 and turns > 0
    assert [len(files) for files in dialect.asked] == [300]


def test_what_a_dialect_raises_comes_out_and_nothing_is_kept(make_repo, tmp_path):
    repo, folder = make_repo(FILES), tmp_path / "kept"

    class Broken(Recipe):
        def of(self, path, content):
            raise LookupError(f"no idea of {path}")

    class Short(Recipe):
        def facts(self, files):
            return []

    class Wordy(Recipe):
        def facts(self, files):
            return ["reads" for _ in files]

    for dialect, kind, words in (
        (Broken(), LookupError, "no idea of .*recipe"),
        (Short(), ValueError, "answers for 0 files, and was asked about 3"),
        (Wordy(), TypeError, "states Facts, not str"),
    ):
        with pytest.raises(kind, match=words):
            affected(repo, {"pantry/salt": "2\n"}, dialect, CatalogCache.in_folder(folder))
        assert not folder.exists() or not list(folder.iterdir())


def test_what_is_no_dialect_is_refused_in_words(make_repo):
    repository = Repository(make_repo(FILES).path)
    with pytest.raises(TypeError, match="object is no dialect: it has no name"):
        Catalog.build(repository, dialects=[object()])
    with pytest.raises(ValueError, match='no dialect called "pulumi"; it has terraform, '):
        Catalog.build(repository, dialects=["pulumi"])
    with pytest.raises(ValueError, match="unknown variant `config`"):
        Catalog.build(repository, dialects=[type("X", (Recipe,), {"claims": {"*": "config"}})()])
    with pytest.raises(CatalogError) as caught:
        Catalog.build(repository, dialects=[Recipe(), Recipe()])
    assert caught.value.kind == "two_dialects"
    assert [unit.dialect for unit in Catalog.build(repository, dialects=["terraform"]).units] == ["terraform"]


def test_a_dialect_can_look_at_other_files(make_repo):
    held = []

    class Menu(Recipe):
        name = "menu"
        includes = False

        def resolve(self, directory, files, lookup):
            held.append(lookup)
            assert directory in ("soup", "cake") and all(file.startswith(directory) for file in files)
            why = {"kind": "presence", "file": files[0], "text": "the menu"}
            if not lookup.is_file("menu", **why) or not lookup.is_directory("pantry", **why):
                return None
            names = lookup.list("pantry", **why)
            assert ("salt", False) in names and lookup.read("nowhere", **why) is None
            content = lookup.read("menu", kind="include", file=files[0], place=Place(start=0, end=0, line=1, column=1))
            if directory.encode() not in content:
                return {}
            return Facts(references=[FactReference.to_below("pantry", Lines(content).place(0, 1), "menu")])

    repo = make_repo({**FILES, "menu": "soup\n"})
    assert [unit.id for unit in affected(repo, {"pantry/pepper": "2\n"}, Menu()).units] == ["soup"]
    assert [unit.id for unit in affected(repo, {"menu": "cake\n"}, Menu()).units] == ["cake", "soup"]
    with pytest.raises(RuntimeError, match="has ended"):
        held[0].is_file("menu", kind="presence", file="a")
    assert isinstance(held[0], Lookup)


def test_the_contract_is_held_by_the_same_suite_as_in_rust():
    files = {path: text.encode() for path, text in FILES.items()}
    assert check_dialect(Recipe(), files) == ()

    class Forgetful(Recipe):
        def of(self, path, content):
            facts = super().of(path, content)
            return Facts(marks=facts.marks, references=facts.references[len(self.asked) % 2 :])

    broken = check_dialect(Forgetful(), files)
    assert any(line.startswith("Dialect, contract 1: ") for line in broken)
    assert any(line.startswith("Dialect, contract 5: ") for line in broken)


@pytest.mark.parametrize(
    "value",
    [
        Place(start=1, end=2, line=1, column=2),
        Lines(b"a\nb").place(2, 3),
        Recipe().of("a", b"reads b\n"),
        Recipe().of("a", b"reads b\n").references[0],
        FactReference.to_unit("live/a", Lines(b"").place(0, 0), "a"),
        FactReference.to_path("file_set", "./x", Lines(b"").place(0, 0), "a", unknown=True),
    ],
)
def test_facts_are_data_like_all_other(value):
    again = pickle.loads(pickle.dumps(value))
    assert again == value == type(value).from_json(value.to_json()) and hash(again) == hash(value)
    assert eval(repr(value)) == value  # noqa: S307


def test_a_place_must_lie_in_the_file():
    with pytest.raises(ValueError, match="3 to 4 are no bytes of a file that has 3"):
        Lines(b"abc").place(3, 4)
    assert Lines(b"a\nbc").place(3, 4) == Place(start=3, end=4, line=2, column=2)
