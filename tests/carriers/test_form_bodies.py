"""Form bodies: what we write is what everybody reads."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.carriers.http import write_form

FIELDS = st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)))


@given(FIELDS)
def test_a_form_is_written_as_the_standard_library_does(form):
    written = write_form(form)
    assert written == urlencode(form).encode("ascii")
    assert parse_qsl(written.decode(), strict_parsing=bool(form)) == form


def test_half_a_character_is_not_written():
    with pytest.raises(UnicodeEncodeError):
        write_form([("Body", "\ud83d")])
