"""How many may do something with a number, counted by kinds of people, is what asking each of them gives."""

from hypothesis import given
from hypothesis import strategies as st

from ringback.core.book import Book
from ringback.core.grants import Department, Effect, Grant, Level, Subject, Way
from ringback.core.head_count import Heads
from ringback.core.permissions import Role

NUMBERS = ("+12025550101", "+12025550102")
TREE = {1: Department(1, "dep_1", "A"), 2: Department(2, "dep_2", "B", 1), 3: Department(3, "dep_3", "C")}
subjects = st.one_of(
    st.builds(Subject, st.just(Level.USER), st.integers(1, 6)),
    st.builds(Subject, st.just(Level.DEPARTMENT), st.integers(1, 3)),
    st.just(Subject(Level.EVERYONE, 0)),
)
grants = st.builds(
    Grant,
    subjects,
    st.sampled_from((Way.SEND, Way.RECEIVE, Way.BULK)),
    st.sampled_from((*NUMBERS, "*")),
    st.just(""),
    st.sampled_from(Effect),
)
books = st.builds(
    lambda grants, members, roles: Book("v", tuple(grants), TREE, members, roles=roles, numbers=NUMBERS),
    st.lists(grants, max_size=8),
    st.dictionaries(st.integers(1, 6), st.lists(st.integers(1, 3), unique=True, max_size=2).map(tuple)),
    st.dictionaries(
        st.integers(1, 6), st.sampled_from((Role.AGENT, Role.ADMINISTRATOR)).map(lambda one: frozenset({one}))
    ),
)


@given(books)
def test_counting_kinds_is_counting_people(book: Book):
    heads = Heads(book)
    for number in NUMBERS:
        for way in (Way.SEND, Way.RECEIVE, Way.BULK):
            one_by_one = sum(book.right(account, way, number).allowed for account in book.roles)
            assert heads.allowed(way, number) == one_by_one
