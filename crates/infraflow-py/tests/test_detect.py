"""What changed, asked from Python; and detectors that are written in Python, used by the core."""

import asyncio
import pathlib
import pickle
import threading

import pytest

from infraflow import (
    Change,
    ChangeSet,
    DetectError,
    Endpoints,
    GitDetector,
    GitError,
    GivenFiles,
    Repository,
    check_change_detector,
    detect,
    detect_async,
)


@pytest.fixture
def branch(make_repo):
    """A branch that changed, renamed and added files, while main went on."""
    repo = make_repo({"modules/a/main.tf": "# a\n" * 9, "modules/b/main.tf": "# b\n" * 9, "gone.tf": "# gone\n"})
    repo.git("checkout", "-q", "-b", "feature")
    repo.git("mv", "modules/b/main.tf", "modules/b/network.tf")
    repo.git("rm", "-q", "gone.tf")
    repo.commit("feat: work", {"modules/a/main.tf": "# a\n" * 10, "modules/ä ö/x%.tf": "# new\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("feat: meanwhile", {"elsewhere.tf": "# elsewhere\n"})
    repo.git("checkout", "-q", "feature")
    return repo


def test_a_change_set_is_what_the_branch_did(branch):
    changes = detect(Repository(branch.path), "main", "feature")
    assert [(c.path, c.kind, c.old_path) for c in changes.changes] == [
        ("gone.tf", "deleted", None),
        ("modules/a/main.tf", "modified", None),
        ("modules/b/network.tf", "renamed", "modules/b/main.tf"),
        ("modules/ä ö/x%25.tf", "added", None),
    ]
    assert changes.base == branch.git("rev-parse", "main")
    assert changes.merge_base == branch.git("merge-base", "main", "feature")


def test_without_words_head_is_compared_with_the_trunk(branch):
    repository = Repository(branch.path)
    assert detect(repository) == detect(repository, "main", "feature")


def test_the_working_tree_is_a_revision(branch):
    branch.write({"untracked.tf": "# new\n"})
    changes = detect(Repository(branch.path), head="WORKTREE")
    assert changes.head == branch.git("rev-parse", "HEAD") + "+WORKTREE"
    assert changes.changes[-1] == Change(path="untracked.tf", kind="added")


def test_endpoints_and_given_files_are_detectors_of_the_core(branch):
    repository = Repository(branch.path)
    ends = detect(repository, "main", "feature", detector=GitDetector(endpoints=True))
    assert Change(path="elsewhere.tf", kind="deleted") in ends.changes
    given = detect(repository, "main", "feature", detector=GivenFiles(["modules/a/main.tf"]))
    assert [c.path for c in given.changes] == ["modules/a/main.tf"]
    listed = GivenFiles(b"modules/a/main.tf\0gone.tf\0").detect(repository, branch.git("rev-parse", "main"), "feature")
    assert [c.kind for c in listed.changes] == ["deleted", "modified"]


def test_a_repository_answers(branch):
    repository = Repository(branch.path / "modules")
    assert repository.root == branch.path == pathlib.Path(repository.root)
    assert repository.trunk() == "main"
    assert repository.trunk_tip() == repository.resolve("main") == branch.git("rev-parse", "main")
    assert repository.files("main", below="modules") == ("modules/a/main.tf", "modules/b/main.tf")
    assert repository.read("feature", "modules/ä ö/x%25.tf") == b"# new\n"
    assert repository.read("feature", "gone.tf") is None
    assert repository.merge_base("main", "feature") == branch.git("merge-base", "main", "feature")
    again = pickle.loads(pickle.dumps(repository))
    assert again == repository and hash(again) == hash(repository) and again.trunk() == "main"


def test_a_clone_knows_the_remotes_branches_and_tags(branch, tmp_path):
    branch.git("tag", "-a", "-m", "first", "a/v1.0.0", "main")
    clone = Repository.clone(f"file://{branch.path}", tmp_path / "clone", branch="main")
    assert clone.tags() == {"a/v1.0.0": branch.git("rev-parse", "main")}
    assert clone.branches() == {"main": branch.git("rev-parse", "main")}
    branch.git("tag", "a/v1.1.0", "feature")
    clone.fetch()
    assert clone.tags()["a/v1.1.0"] == clone.resolve("origin/feature")
    with pytest.raises(GitError):
        Repository.clone(f"file://{branch.path}", tmp_path / "clone")


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda repo: Repository(repo.path.parent / "nowhere"), "not_a_repository"),
        (lambda repo: Repository(repo.path).resolve("no-such-branch"), "unknown_revision"),
        (lambda repo: Repository(repo.path).resolve("-x"), "unknown_revision"),
        (lambda repo: detect(Repository(repo.path), "WORKTREE", "main"), "base_is_working_tree"),
        (lambda repo: detect(Repository(repo.path), "main", detector=GivenFiles(["modules"])), "given_directory"),
    ],
)
def test_what_cannot_be_answered_is_a_typed_error_with_help(branch, ask, kind):
    with pytest.raises((GitError, DetectError)) as caught:
        ask(branch)
    assert caught.value.kind == kind and caught.value.help


def test_a_shallow_clone_is_refused_with_the_command_that_mends_it(branch, tmp_path):
    branch.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{branch.path}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    for ask in (detect, lambda *asked: asked[0].merge_base(*asked[1:])):
        with pytest.raises(GitError, match="fetch --unshallow") as caught:
            ask(shallow, "origin/main", "origin/feature")
        assert caught.value.kind == "shallow_clone"


def test_a_shallow_clone_is_deepened_where_that_is_asked_for(branch, tmp_path):
    branch.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{branch.path}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    base = shallow.merge_base("origin/main", "origin/feature", deepen=True)
    assert base == branch.git("merge-base", "main", "feature")
    whole = detect(Repository(branch.path), "main", "feature")
    assert detect(shallow, "origin/main", "origin/feature") == whole
    with pytest.raises(GitError):
        shallow.merge_base("origin/main", "origin/feature", remote="--upload-pack=touch x")


class Fixed:
    """A detector in Python: says that one file changed, whatever git says."""

    def __init__(self, path="modules/a/main.tf"):
        self.path, self.threads = path, []

    def detect(self, repository, base, head):
        self.threads.append(threading.current_thread())
        assert isinstance(repository, Repository) and repository.read(base, self.path) is not None
        return ChangeSet(
            base=base,
            head=head,
            merge_base=repository.merge_base(base, head),
            changes=[Change(path=self.path, kind="modified")],
            warnings=["said by a test"],
        )


def test_the_core_uses_a_detector_written_in_python(branch):
    detector = Fixed()
    changes = detect(Repository(branch.path), "main", "feature", detector=detector)
    assert changes.warnings == ("said by a test",) and len(changes.changes) == 1
    assert detector.threads[0] is not threading.main_thread()



def test_an_asynchronous_detector_runs_on_the_callers_loop(branch):
    class Asynchronous(Fixed):
        async def detect(self, repository, base, head):
            self.loop = asyncio.get_running_loop()
            await asyncio.sleep(0)
            return await asyncio.to_thread(super().detect, repository, base, head)

    detector = Asynchronous()

    async def ask():
        return asyncio.get_running_loop(), await detect_async(
            Repository(branch.path), "main", "feature", detector=detector
        )

    loop, changes = asyncio.run(ask())
    assert detector.loop is loop and len(changes.changes) == 1
    assert detect(Repository(branch.path), "main", "feature", detector=detector) == changes


def test_the_cores_conformance_suite_judges_a_detector_written_in_python(branch):
    repository = Repository(branch.path)
    assert check_change_detector(Fixed(), repository, "main", "feature") == ()

    class FromTheBase(Fixed):
        def detect(self, repository, base, head):
            answer = super().detect(repository, base, head)
            changes = [Change(path=path, kind="modified") for path in ("b", "a", "a")]
            return ChangeSet(base=base, head=head, merge_base=base, changes=changes, warnings=answer.warnings)

    broken = check_change_detector(FromTheBase(), repository, "main", "feature")
    assert [sentence.split(":")[0] for sentence in broken] == [
        "ChangeDetector, contract 3",
        "ChangeDetector, contract 4",
        "ChangeDetector, contract 4",
    ]


def test_what_a_detector_raises_comes_out_again(branch):
    class Broken:
        def detect(self, repository, base, head):
            raise LookupError("the build system does not answer")

    with pytest.raises(LookupError, match="does not answer"):
        detect(Repository(branch.path), detector=Broken())


def test_what_is_no_detector_is_refused(branch):
    with pytest.raises(TypeError, match="has no method detect"):
        detect(Repository(branch.path), detector="git")

    class Wrong:
        def detect(self, repository, base, head):
            return ["modules/a/main.tf"]

    with pytest.raises(TypeError, match="Wrong.detect returned no ChangeSet"):
        detect(Repository(branch.path), detector=Wrong())


def test_both_ends_are_found_in_the_variables_of_a_ci_system(branch):
    repository = Repository(branch.path)
    begun = branch.git("merge-base", "main", "feature")
    variables = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": begun}
    ends = Endpoints.from_environment(repository, variables)
    assert "GitLab" in ends.base_from and ends.comparison == "merge_base"
    assert ends.detect(repository).changes == detect(repository, "main", "feature").changes
    trunk = Endpoints.from_environment(repository, {})
    assert trunk == Endpoints.from_trunk(repository) and "trunk" in trunk.base_from
    assert pickle.loads(pickle.dumps(ends)) == ends == Endpoints.from_json(ends.to_json())
    assert ends.with_working_tree().head == ends.head + "+WORKTREE"
    assert ends.with_comparison("endpoints").comparison == "endpoints"
    with pytest.raises(ValueError, match="merge_base"):
        ends.with_comparison("both")
    with pytest.raises(DetectError) as caught:
        Endpoints.from_environment(repository, {**variables, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "1" * 40})
    assert caught.value.kind == "not_in_clone" and "git fetch" in caught.value.help


def test_copies_are_told_on_request(branch):
    text = (branch.path / "modules/a/main.tf").read_text()
    branch.commit("feat: copy", {"modules/c/main.tf": text, "modules/a/main.tf": text + "# b\n"})
    repository = Repository(branch.path)
    changes = detect(repository, "HEAD~1", detector=GitDetector(copies=True)).changes
    assert [(c.path, c.kind, c.old_path) for c in changes if c.path == "modules/c/main.tf"] == [
        ("modules/c/main.tf", "added", "modules/a/main.tf")
    ]
