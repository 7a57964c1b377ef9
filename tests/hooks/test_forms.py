"""A form is read to the letter, or not at all."""

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.hooks.forms import FORM, MOST_FIELDS, read_form

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_what_was_sent_is_read_back_in_its_order(fields):
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()
    assert read_form(FORM, body) == tuple(fields)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_none(body):
    fields = read_form(FORM, body)
    assert fields is None or len(fields) <= body.count(b"&") + 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(b"a=1&b=2&a=3&a=1", (("a", "1"), ("b", "2"), ("a", "3"), ("a", "1")), id="repeats, in order"),
        pytest.param(b"b=&a", (("b", ""), ("a", "")), id="blanks"),
        pytest.param(b"", (), id="nothing"),
        pytest.param(b"&&a=1&&", (("a", "1"),), id="marks without a field"),
        pytest.param(b"=1&=", (("", "1"), ("", "")), id="no name"),
        pytest.param(b"a=1=2", (("a", "1=2"),), id="a second equals sign"),
        pytest.param(b"a;b=1", (("a;b", "1"),), id="a semicolon separates nothing"),
        pytest.param(b"a+b=c+d%2B", (("a b", "c d+"),), id="plus is a space, and %2B a plus"),
        pytest.param(b"a=%C3%A9%e2%82%ac", (("a", "é€"),), id="escapes in either case"),
        pytest.param("a=é".encode(), (("a", "é"),), id="letters that should have been escaped"),
        pytest.param(b"a=%26b%3D1", (("a", "&b=1"),), id="escaped marks"),
        pytest.param(b"a=%2541", (("a", "%41"),), id="unescaped once"),
        pytest.param(b"a=%00", (("a", "\0"),), id="a NUL"),
        pytest.param(b"a=%F0%9F%98%80", (("a", "😀"),), id="an emoji"),
        pytest.param(b"a=%ED%A0%BD", None, id="half an emoji"),
        pytest.param(b"a=%E9", None, id="Latin-1"),
        pytest.param(b"a=\xe9", None, id="Latin-1, bare"),
        pytest.param(b"a=%C0%AF", None, id="a slash written too long"),
        pytest.param(b"a=%", None, id="a bare percent sign"),
        pytest.param(b"a=%4", None, id="half an escape"),
        pytest.param(b"a=%u0041", None, id="an escape of another kind"),
        pytest.param(b"a=%+1", None, id="an escape with a space"),
    ],
)
def test_bodies(body, fields):
    assert read_form(FORM, body) == fields


@pytest.mark.parametrize(
    ("content_type", "is_read"),
    [
        pytest.param("application/x-www-form-urlencoded", True, id="plain"),
        pytest.param("Application/X-WWW-Form-Urlencoded", True, id="capitals"),
        pytest.param("application/x-www-form-urlencoded;charset=UTF-8", True, id="UTF-8"),
        pytest.param('application/x-www-form-urlencoded; charset="utf-8"', True, id="UTF-8 in quotes"),
        pytest.param("application/x-www-form-urlencoded; a=b", True, id="another parameter"),
        pytest.param("application/x-www-form-urlencoded; charset=iso-8859-1", False, id="Latin-1"),
        pytest.param("application/x-www-form-urlencoded; charset=utf-16", False, id="UTF-16"),
        pytest.param("application/x-www-form-urlencoded; charset=nonsense", False, id="a charset nobody knows"),
        pytest.param("multipart/form-data; boundary=x", False, id="multipart"),
        pytest.param("application/json", False, id="JSON"),
        pytest.param("text/plain", False, id="plain text"),
        pytest.param("", False, id="no type"),
        pytest.param("application/x-www-form-urlencoded, text/plain", False, id="two types"),
    ],
)
def test_types(content_type, is_read):
    assert read_form(content_type, b"a=1") == ((("a", "1"),) if is_read else None)


def test_a_thousand_fields_are_read_and_no_more():
    assert len(read_form(FORM, b"&".join([b"a=1"] * MOST_FIELDS)) or ()) == MOST_FIELDS
    assert read_form(FORM, b"&".join([b"a=1"] * (MOST_FIELDS + 1))) is None
    assert read_form(FORM, b"&" * 1_000_000) is None
