"""The key that seals the record: made once, for its owner alone, kept over starts, and never guessed at."""

import pytest

from ringback.errors import StoreFault
from ringback.keyfile import known_keys, open_keys, read_keys

OLD, NEW = "11" * 32, "22" * 32


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def put(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o600)


def test_it_is_made_once_for_its_owner_alone(tmp_path):
    assert known_keys(tmp_path, "audit") is None
    made = open_keys(tmp_path, "audit").current
    assert open_keys(tmp_path, "audit").current == made
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["audit.key"]
    assert made.secret.hex() not in repr(made) + repr(open_keys(tmp_path, "audit"))


def test_each_folder_and_each_name_has_its_own(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    ids = {open_keys(tmp_path, "audit").current.id, open_keys(tmp_path, "x").current.id}
    assert len({*ids, open_keys(other, "audit").current.id}) == 3


def test_the_last_line_is_in_use_and_those_before_it_are_known(tmp_path):
    put(tmp_path / "audit.key", OLD, NEW)
    keys = open_keys(tmp_path, "audit")
    assert keys.current.secret.hex() == NEW
    assert {key.secret.hex() for key in keys.all.values()} == {OLD, NEW}


def test_a_credential_of_systemd_comes_first_and_nothing_is_made(tmp_path, monkeypatch):
    folder = tmp_path / "credentials"
    folder.mkdir()
    put(folder / "ringback-audit", NEW)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert open_keys(tmp_path, "audit").current.secret.hex() == NEW
    assert not (tmp_path / "audit.key").exists()
    put(tmp_path / "audit.key", OLD)
    keys = open_keys(tmp_path, "audit")
    assert (keys.current.secret.hex(), len(keys.all)) == (NEW, 2)


@pytest.mark.parametrize("content", [b"", b"zz", b"11", b"\xff" * 64, b"11" * 33], ids=repr)
def test_what_is_no_key_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "audit.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(StoreFault, match="no key file"):
        open_keys(tmp_path, "audit")
    assert file.read_bytes() == content


def test_one_that_others_may_read_is_refused(tmp_path):
    put(tmp_path / "audit.key", OLD)
    (tmp_path / "audit.key").chmod(0o644)
    with pytest.raises(StoreFault, match="chmod 0600"):
        open_keys(tmp_path, "audit")


def test_a_copy_elsewhere_can_be_read(tmp_path):
    put(tmp_path / "copy", OLD)
    assert read_keys(tmp_path / "copy").current.secret.hex() == OLD
    assert read_keys(tmp_path / "none") is None
