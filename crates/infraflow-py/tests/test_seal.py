"""Seal and open, from Python."""

import os
import pickle
import stat

import pytest

from infraflow import SealError, SealingKey, SharedKeySealer

SECRET = b"password = hunter2hunter2\n" * 10_000


def test_what_was_sealed_opens_and_shows_nothing():
    sealer = SharedKeySealer(SealingKey.generate())
    sealed = sealer.seal(SECRET)
    assert b"hunter2" not in sealed
    assert sealer.open(sealed) == SECRET


def test_an_older_key_still_opens():
    old, new = SealingKey.generate(), SealingKey.generate()
    sealed = SharedKeySealer(old).seal(SECRET)
    assert SharedKeySealer(new, also_opens=[old]).open(sealed) == SECRET


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda sealed: sealed[:-1], "cut_short"),
        (lambda sealed: sealed[:40], "cut_short"),
        (lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), "altered"),
        (lambda sealed: b"something else altogether" + sealed, "not_sealed"),
    ],
)
def test_what_was_damaged_does_not_open(damage, kind):
    sealer = SharedKeySealer(SealingKey.generate())
    with pytest.raises(SealError) as caught:
        sealer.open(damage(sealer.seal(SECRET)))
    assert caught.value.kind in (kind, "altered")


def test_a_wrong_key_is_named_without_being_shown():
    right, wrong = SealingKey.generate(), SealingKey.generate()
    with pytest.raises(SealError, match=f"sealed with key {right.id}, not with {wrong.id}") as caught:
        SharedKeySealer(wrong).open(SharedKeySealer(right).seal(SECRET))
    assert caught.value.kind == "wrong_key"
    assert right.to_base64() not in str(caught.value)


def test_files_are_sealed_and_opened_for_their_owner_alone(tmp_path):
    sealer = SharedKeySealer(SealingKey.generate())
    log, sealed, opened = tmp_path / "log", tmp_path / "log.sealed", tmp_path / "log.opened"
    log.write_bytes(SECRET)
    result = sealer.seal_file(log, sealed)
    assert result.length == sealed.stat().st_size
    assert sealer.open_file(sealed, opened).digest.startswith("sha256:")
    assert opened.read_bytes() == SECRET
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    with pytest.raises(SealError):
        sealer.seal_file(log, sealed)


def test_a_file_that_does_not_open_leaves_nothing(tmp_path):
    (tmp_path / "bad").write_bytes(SharedKeySealer(SealingKey.generate()).seal(SECRET)[:-9])
    with pytest.raises(SealError):
        SharedKeySealer(SealingKey.generate()).open_file(tmp_path / "bad", tmp_path / "out")
    assert os.listdir(tmp_path) == ["bad"]


def test_a_key_is_kept_and_never_shown(tmp_path):
    key = SealingKey.generate()
    key.write(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert SealingKey.read(tmp_path / "key").id == SealingKey.parse(key.to_base64()).id == key.id
    assert repr(key) == f"SealingKey(id='{key.id}')"
    with pytest.raises(TypeError):
        pickle.dumps(key)
