"""The check of commit subjects, as the hook and CI call it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / ".ci" / "commit-subject"


def checked(message: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "MESSAGE"
    file.write_text(message, encoding="utf-8")
    return subprocess.run([CHECK, file], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "message",
    [
        "cases: Keep a granted extension in a merge",
        "app/http: Answer 404 to foreign cases\n\nBecause 403 says that they exist.\n",
        "# a comment of Git\n\nsms: Ask again for 未知 receipts\n",
        "docs: " + "A" * 66,
        "Merge branch 'w/x'",
        "fixup! cases: keep",
    ],
)
def test_commit_subject_is_accepted(message: str, tmp_path: Path) -> None:
    done = checked(message, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Keep a granted extension", "not 'area"),
        ("cases: keep a granted extension", "not 'area"),
        ("cases: Keep a granted extension.", "full stop"),
        ("Cases: Keep a granted extension", "not 'area"),
        ("", "not 'area"),
        ("docs: " + "A" * 67, "73 characters"),
    ],
)
def test_commit_subject_is_refused(message: str, said: str, tmp_path: Path) -> None:
    done = checked(message, tmp_path)
    assert done.returncode == 1
    assert said in done.stderr


def test_commit_subjects_of_a_range_are_checked_one_by_one(tmp_path: Path) -> None:
    def git(*command: str) -> None:
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("config", "user.name", "n")
    git("config", "user.email", "n@example.org")
    for subject in ("cases: Begin well enough", "wrong", "cases: End well enough", "also wrong"):
        git("commit", "--allow-empty", "-m", subject)
    done = subprocess.run(
        [CHECK, "HEAD~3..HEAD"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == [
        "also wrong",
        "wrong",
    ]
    good = subprocess.run([CHECK, "HEAD~2..HEAD~1"], cwd=tmp_path, check=False)
    assert good.returncode == 0
