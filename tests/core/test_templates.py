"""Templates: what an owner may write, what is refused with which cure, and what a caller's values can do (nothing)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core import templates
from ringback.core.segments import measure
from ringback.core.templates import NAMES, Template, TemplateFault, TextKind, clean, needed, parse, tidy

KIND = TextKind.CALL_TEXT
WINDOWS = "today 13:00-14:00 or tomorrow 10:00-11:00"
USUAL = "Sorry, {{ business }} missed you.{% if windows %} We call {{ windows }}.{% endif %} STOP to end"
VALUES = {
    "business": "Acme Dental",
    "caller": "+12025550199",
    "did": "+12025550101",
    "queue": "sales",
    "windows": WINDOWS,
}


def fill(source, **values):
    return parse(source, KIND).render(values)


def test_the_usual_text():
    assert fill(USUAL, business="Acme Dental", windows=WINDOWS) == (
        f"Sorry, Acme Dental missed you. We call {WINDOWS}. STOP to end"
    )


def test_a_clause_without_its_value_is_dropped_whole():
    assert fill(USUAL, business="Acme Dental") == "Sorry, Acme Dental missed you. STOP to end"


def test_a_template_tells_what_it_uses():
    template = parse(USUAL, KIND)
    assert (template.source, template.kind, template.names) == (USUAL, KIND, ("business", "windows"))


def test_a_template_is_parsed_once():
    assert parse(USUAL, KIND) is parse(USUAL, KIND)


def test_templates_are_equal_by_what_they_say():
    one = parse(USUAL, KIND)
    assert one == Template(USUAL, KIND, one.names, one)
    assert len({one, parse(USUAL + "!", KIND)}) == 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Hello", "Hello", id="no Liquid at all"),
        pytest.param("{{ business | upcase }}", "ACME DENTAL", id="upcase"),
        pytest.param("{{ business | downcase }}", "acme dental", id="downcase"),
        pytest.param("{{ queue | capitalize }}", "Sales", id="capitalize"),
        pytest.param("{{ business | downcase | first_word | capitalize }}", "Acme", id="first word, then capitalize"),
        pytest.param("[{{ ' x ' | strip }}]", "[x]", id="strip"),
        pytest.param("{{ business | truncate: 7 }}", "Acme...", id="truncate"),
        pytest.param("{{ business | truncate: 7, '~' }}", "Acme D~", id="truncate with another ending"),
        pytest.param("{{ business | truncate: 2 }}", "...", id="truncate below the ending"),
        pytest.param("{{ business | truncate: 11 }}", "Acme Dental", id="truncate what fits"),
        pytest.param("{{ queue | default: 'there' }}", "sales", id="default not needed"),
        pytest.param("{{ queue | append: '!' }}", "sales!", id="append"),
        pytest.param("{{ queue | prepend: business }}", "Acme Dentalsales", id="prepend a name"),
        pytest.param("{{ business | replace: 'Dental', 'Care' }}", "Acme Care", id="replace"),
        pytest.param("{{- business -}} , hi", "Acme Dental, hi", id="blanks eaten"),
        pytest.param("{% if queue == 'sales' %}S{% else %}O{% endif %}", "S", id="equal"),
        pytest.param("{% if queue != 'sales' %}O{% elsif business %}N{% endif %}", "N", id="elsif"),
        pytest.param("{% if business contains 'Dent' and queue %}A{% endif %}", "A", id="contains, and"),
        pytest.param("{% if queue == 'x' or business == 'y' %}A{% else %}B{% endif %}", "B", id="or"),
        pytest.param("{% unless queue %}A{% else %}B{% endunless %}", "B", id="unless"),
        pytest.param("{% unless queue %}A{% elsif windows %}{{ windows }}{% endunless %}", WINDOWS, id="unless, elsif"),
        pytest.param("{% unless windows %}x{% else %}{{ windows }}{% endunless %}", WINDOWS, id="guarded by unless"),
        pytest.param("{% case queue %}\n{% when 'sales', 'shop' %}S{% else %}O{% endcase %}", "S", id="case"),
        pytest.param('{% case queue %}{% when "help" or "desk" %}H{% else %}O{% endcase %}', "O", id="case, else"),
        pytest.param("{{ windows | default: 'soon' }}", WINDOWS, id="a default is a guard"),
        pytest.param("{% if queue and windows %}{{ windows }}{% endif %}", WINDOWS, id="and is a guard"),
        pytest.param("{% if windows %}{% if queue %}{{ windows }}{% endif %}{% endif %}", WINDOWS, id="deeper"),
        pytest.param("{{ did }} {{ caller }}", "+12025550101 +12025550199", id="numbers"),
        pytest.param("One.\r\n\r\n\r\n\r\nTwo.", "One.\n\nTwo.", id="lines of Windows, too many of them"),
        pytest.param("Jose\u0301", "José", id="accents are joined"),
        pytest.param("50% off { really }", "50% off { really }", id="lone signs"),
        pytest.param("{{ '{% for %}' }}", "{% for %}", id="quoted Liquid is text"),
        pytest.param("{{ '{' | append: '{ did }' }}", "{{ did }", id="built from pieces it is text"),
    ],
)
def test_what_may_be_written(source, text):
    assert fill(f"{source} ok", **VALUES) == f"{text} ok"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("Hi {{ queue }}, sorry", "Hi, sorry", id="a name dropped before a comma"),
        pytest.param("Sorry, {{ business }}. Bye", "Sorry. Bye", id="a name dropped before a full stop"),
        pytest.param("Hi {{ queue | default: 'there' }}!", "Hi there!", id="default"),
        pytest.param("Hi {{ queue | first_word | upcase | append: '!' }}", "Hi !", id="filters of nothing"),
        pytest.param("A{% if queue %} {{ queue }}{% endif %} B", "A B", id="condition"),
        pytest.param("A {% if windows %}{{ windows }}{% endif %} B", "A B", id="two blanks become one"),
        pytest.param(
            "A\n{% if windows %}{{ windows }}{% endif %}\n\nB", "A\n\nB", id="an empty line is kept, not three"
        ),
        pytest.param("{{ windows | default: 'now' | default: 'soon' }}", "now", id="first default"),
    ],
)
def test_what_is_missing_leaves_no_hole(source, text):
    assert fill(source) == text
    assert fill(source, **dict.fromkeys(VALUES, " \r\n\u200b")) == text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        pytest.param("{% for i in (1..9) %}x{% endfor %}", "'for' is not allowed: there are no lists", id="loop"),
        pytest.param("{%- for i in business -%}x{%- endfor -%}", "'for' is not allowed", id="loop over a value"),
        pytest.param("{% tablerow i in (1..9) %}x{% endtablerow %}", "'tablerow' is not allowed", id="tablerow"),
        pytest.param("{% cycle 'a', 'b' %}", "'cycle' is not allowed", id="cycle"),
        pytest.param("{% assign x = 'a' %}", "no variables of your own", id="assign"),
        pytest.param("{% capture x %}a{% endcapture %}", "'capture' is not allowed", id="capture"),
        pytest.param("{% increment x %}", "'increment' is not allowed", id="increment"),
        pytest.param("{% decrement x %}", "'decrement' is not allowed", id="decrement"),
        pytest.param("{% include 'x' %}", "a template stands alone", id="include"),
        pytest.param("{% render '/etc/passwd' %}", "'render' is not allowed", id="render"),
        pytest.param("{% raw %}{{ business }}{% endraw %}", "'raw' is not allowed", id="raw"),
        pytest.param("{%-raw-%}{% for %}{%-endraw-%}", "'raw' is not allowed", id="raw without blanks"),
        pytest.param("{% comment %}x{% endcomment %}", "put comments beside", id="comment"),
        pytest.param("{% # x %}", "'#' is not allowed", id="inline comment"),
        pytest.param("{% doc %}x{% enddoc %}", "'doc' is not allowed", id="doc"),
        pytest.param("{% liquid\necho business %}", "'liquid' is not allowed", id="liquid"),
        pytest.param("{% echo business %}", "write {{ business }}", id="echo"),
        pytest.param("{% ifchanged %}x{% endifchanged %}", "the tags are if, unless and case", id="ifchanged"),
        pytest.param("{% break %}", "'break' is not allowed", id="break"),
        pytest.param("{% extends 'x' %}", "'extends' is not allowed", id="extends"),
        pytest.param("{% macro x %}{% endmacro %}", "'macro' is not allowed", id="macro"),
        pytest.param("{% with a: 1 %}{% endwith %}", "'with' is not allowed", id="with"),
        pytest.param("{% import os %}", "'import' is not allowed", id="import"),
        pytest.param("{{ business.size }}", "'.' in 'business.size'", id="dotted name"),
        pytest.param("{{ business.__class__.__mro__ }}", "names are plain words", id="class"),
        pytest.param("{{ ''.__class__ }}", "names are plain words", id="class of a text"),
        pytest.param("{{ business['x'] }}", "'[' in", id="index"),
        pytest.param("{{ ['business'] }}", "'[' in", id="name in brackets"),
        pytest.param("{{ " + "[" * 900 + " }}", "'[' in", id="a thousand brackets"),
        pytest.param("{{ (1..1000000000) }}", "ranges", id="range"),
        pytest.param("{% if " + "(" * 900 + " %}{% endif %}", "ranges", id="a thousand parentheses"),
        pytest.param("{{ 'a'*1000000000 }}", "unexpected '*'", id="multiplication"),
        pytest.param("{{ 7*7 }}", "unexpected '*'", id="arithmetic"),
        pytest.param("{{ 7 }}", "is no name", id="a number"),
        pytest.param("{{ true }}", "is no name", id="true"),
        pytest.param("{{ nil }}", "is no name", id="nil"),
        pytest.param("{{ now }}", "use one of business, caller, did", id="the clock"),
        pytest.param("{{ today }}", "'today' is not a name here", id="the day"),
        pytest.param("{{ name }}", "'name' is not a name here", id="the caller's name, which is not known"),
        pytest.param("{{ password }}", "'password' is not a name here", id="unknown name"),
        pytest.param("{{ Business }}", "'Business' is not a name here", id="capital letter"),
        pytest.param("{{ queue | append: secret }}", "'secret' is not a name here", id="unknown name behind a filter"),
        pytest.param("{% if secret %}x{% endif %}", "'secret' is not a name here", id="unknown name in a condition"),
        pytest.param("{% if queue == secret %}x{% endif %}", "'secret' is not a name here", id="compared"),
        pytest.param("{% case secret %}{% when 'a' %}x{% endcase %}", "'secret' is not a name here", id="in a case"),
        pytest.param("{% if queue %}{{ secret }}{% endif %}", "'secret' is not a name here", id="inside a branch"),
        pytest.param("{% if queue %}{% else %}{{ secret }}{% endif %}", "'secret'", id="inside the last branch"),
        pytest.param(
            "{{ business | system }}", "'system' is not a filter here: use one of upcase", id="unknown filter"
        ),
        pytest.param("{{ business | date: '%s' }}", "'date' is not a filter here", id="date"),
        pytest.param("{{ business | split: ',' }}", "'split' is not a filter here", id="split"),
        pytest.param("{{ business | times: 9 }}", "'times' is not a filter here", id="times"),
        pytest.param("{{ business | url_decode }}", "'url_decode' is not a filter here", id="url_decode"),
        pytest.param("{{ business | safe }}", "'safe' is not a filter here", id="safe"),
        pytest.param("{{ business | upcase: 'x' }}", "'upcase' takes nothing", id="too much for a filter"),
        pytest.param("{{ business | append }}", "'append' takes a quoted text or a name", id="too little"),
        pytest.param("{{ business | append: 3 }}", "'append' takes a quoted text or a name", id="a number for a text"),
        pytest.param("{{ business | truncate: 'x' }}", "'truncate' takes a number", id="a text for a number"),
        pytest.param("{{ business | truncate: -1 }}", "'truncate' takes a number", id="below nothing"),
        pytest.param("{{ business | truncate: queue }}", "'truncate' takes a number", id="a name for a number"),
        pytest.param("{{ business | default: 'x', allow_false: true }}", "'default' takes", id="an argument by name"),
        pytest.param("{{ 'x' if business else 'y' }}", "ternary", id="ternary"),
        pytest.param("{% if not business %}x{% endif %}", "not operator", id="not"),
        pytest.param("{% if business > 'a' %}x{% endif %}", "by == != contains", id="greater"),
        pytest.param("{% if business == 3 %}x{% endif %}", "not allowed in a condition", id="compared with a number"),
        pytest.param("{% if business == blank %}x{% endif %}", "write {% if queue %}", id="blank"),
        pytest.param("{% if business == '' %}x{% endif %}", "write {% if queue %}", id="compared with nothing"),
        pytest.param("{% if business %}x", "'if' is not closed: write {% endif %}", id="if not closed"),
        pytest.param("x{% endif %}", "'endif' is not allowed", id="closed but never opened"),
        pytest.param("{% if business %}x{% endunless %}{% endif %}", "'endunless'", id="closed by another"),
        pytest.param("{% if %}x{% endif %}", "missing expression", id="if what"),
        pytest.param("{% if business queue %}x{% endif %}", "look at the braces", id="two names"),
        pytest.param("{% if business %}x{% else if queue %}y{% endif %}", "'else' stands alone", id="else if"),
        pytest.param("{% if business %}x{% else %}y{% else %}z{% endif %}", "'else' comes last, once", id="two else"),
        pytest.param(
            "{% if business %}x{% else %}y{% elsif queue %}z{% endif %}", "out of place", id="elsif after else"
        ),
        pytest.param("{% if business %}x{% endif business %}", "stands alone", id="words after endif"),
        pytest.param(
            "{% case queue %}x{% when 'a' %}y{% endcase %}",
            "between 'case' and its first 'when'",
            id="text before when",
        ),
        pytest.param("{% case queue %}{{ did }}{% when 'a' %}y{% endcase %}", "first 'when'", id="output before when"),
        pytest.param("{% case queue %}{% else %}y{% endcase %}", "out of place", id="case without when"),
        pytest.param("{% case queue %}{% when 'a' 'b' %}y{% endcase %}", "cannot be read", id="when without or"),
        pytest.param("{% case queue %}{% when did %}y{% endcase %}", "cannot be read", id="when a name"),
        pytest.param("{% case queue %}{% when 'a', 'a' %}y{% endcase %}", "names 'a' twice", id="when twice"),
        pytest.param("{% case queue %}{% when 'a' %}y{% when \"a\" %}z{% endcase %}", "twice", id="two whens alike"),
        pytest.param(
            "{% case queue %}{% if did %}y{% endif %}{% when 'a' %}{% endcase %}",
            "unexpected tag 'if'",
            id="if before when",
        ),
        pytest.param("{% case queue did %}{% when 'a' %}y{% endcase %}", "look at the braces", id="case of two"),
        pytest.param("{{ business", "are not in pairs", id="output not closed"),
        pytest.param("{{ business }", "are not in pairs", id="half closed"),
        pytest.param("{% if business", "are not in pairs", id="tag not closed"),
        pytest.param("business }}", "'{{' and '}}' are not in pairs", id="only closed"),
        pytest.param("{{ business }}}}", "are not in pairs", id="closed twice"),
        pytest.param("50 %} off", "'{%' and '%}' are not in pairs", id="tag only closed"),
        pytest.param("a }} b {{ queue }} {{", "'}}' closes nothing", id="closed before it is opened"),
        pytest.param(
            "a %} {% if queue %}b{% endif %} {%", "'%}' closes nothing", id="a tag closed before it is opened"
        ),
        pytest.param("{{ queue }} {{ }} {{{{ }}}}", "'}}' closes nothing", id="many braces"),
        pytest.param("{{" * 1000, "are not in pairs", id="a thousand openings"),
        pytest.param("{{" + " " * 1990 + "}}", "40 blanks in a row", id="two thousand blanks"),
        pytest.param("{{}}", "look at the braces", id="empty output"),
        pytest.param("{{ }}", "look at the braces", id="blank output"),
        pytest.param("{%%}", "look at the braces", id="empty tag"),
        pytest.param("{{{ business }}}", "unexpected '{'", id="three braces"),
        pytest.param("{{ business || upcase }}", "look at the braces", id="two pipes"),
        pytest.param("{{ business | }}", "look at the braces", id="pipe to nowhere"),
        pytest.param("{{ 'business }}", "unexpected", id="quote not closed"),
        pytest.param("{{ business; did }}", "unexpected ';'", id="semicolon"),
        pytest.param("{{ business\\n }}", "unexpected", id="backslash"),
        pytest.param("{{ config.items() }}", "names are plain words", id="of Jinja: config"),
        pytest.param("{{ self._TemplateReference__context }}", "names are plain words", id="of Jinja: self"),
        pytest.param(
            "{{ cycler.__init__.__globals__.os.popen('id') }}", "names are plain words", id="of Jinja: cycler"
        ),
        pytest.param("{{ lipsum|attr('x') }}", "names are plain words", id="of Jinja: attr"),
        pytest.param("{% set x = 1 %}", "'set' is not allowed", id="of Jinja: set"),
        pytest.param("{{ windows }}", "inside {% if windows %} ... {% endif %}", id="windows unguarded"),
        pytest.param("{% if queue %}{{ windows }}{% endif %}", "'windows' may be missing", id="guarded by another"),
        pytest.param("{% if windows or queue %}{{ windows }}{% endif %}", "may be missing", id="guarded by or"),
        pytest.param("{% if windows %}{% else %}{{ windows }}{% endif %}", "may be missing", id="in its else"),
        pytest.param("{% unless windows %}{{ windows }}{% endunless %}", "may be missing", id="in its unless"),
        pytest.param("{{ queue | append: windows }}", "may be missing", id="windows behind a filter"),
        pytest.param("{{ windows | default: ' ' }}", "may be missing", id="a blank default"),
        pytest.param("{{ windows | default: queue }}", "may be missing", id="a default that may be missing"),
        pytest.param("{{ windows | upcase | default: 'x' }}", "may be missing", id="a default too late"),
        pytest.param(
            "{% if " + " and ".join(["did"] * 10) + " %}x{% endif %}", "more than 8 steps", id="ten conditions"
        ),
        pytest.param("{{ did " + "| upcase " * 9 + "}}", "more than 8 steps", id="nine filters"),
        pytest.param("{% if did %}" * 6 + "x" + "{% endif %}" * 6, "5 deep", id="six deep"),
        pytest.param("a" * 2001, "2001 characters, the limit is 2000", id="a novel"),
        pytest.param("a" * 1531, "1531 characters, 10 parts hold 1530: shorten", id="eleven parts"),
        pytest.param("я" * 671, "671 characters, 10 parts hold 670: shorten", id="eleven parts in Russian"),
        pytest.param("{{ queue }}" + "a" * 631, "dearer: shorten", id="eleven parts if a name is Russian"),
        pytest.param(
            "{% if did == 'x' %}" + "я" * 671 + "{% endif %}x", "672 characters", id="eleven parts in one branch"
        ),
        pytest.param("{{ did | default: '" + "я" * 671 + "' }}", "671 characters", id="eleven parts of default"),
        pytest.param(
            "{{ queue | append: queue | append: queue }}" * 6 + "x",
            "parts hold 670",
            id="many names",
        ),
        pytest.param(
            "{{ 'a' | replace: 'a', '" + "b" * 60 + "' | replace: 'b', '" + "c" * 60 + "' }}",
            "limit is 2000",
            id="growth",
        ),
        pytest.param("", "write words around the names", id="empty"),
        pytest.param(" \n ", "write words around the names", id="blank"),
        pytest.param("{{ business }}", "write words around the names", id="nothing but a name"),
        pytest.param(
            "{% if queue %}Hi{% endif %}", "write words around the names", id="nothing if the name is missing"
        ),
        pytest.param("Hello\x00", "control character U+0000", id="NUL"),
        pytest.param("Hello\x1b[31m", "control character U+001B", id="escape"),
        pytest.param("Hello\rthere", "control character U+000D", id="carriage return"),
    ],
)
def test_what_is_refused_says_why(source, says):
    with pytest.raises(TemplateFault) as fault:
        parse(source, KIND)
    assert says in str(fault.value)


INJECTED = [
    "{{ 7 | times: 7 }}",
    "{{business}}",
    "{% for i in (1..99999999) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% raw %}",
    "}}{{ did }}{{",
    "%}{% include 'x' %}{%",
    "${7*7} #{7*7} <%= 7*7 %> *{7*7}",
    "'; DROP TABLE message; --",
    "<script>alert(1)</script>",
    "%s %d %n {0} {name!r}",
]


@pytest.mark.parametrize("attack", INJECTED)
def test_a_value_is_never_read_as_liquid(attack):
    assert fill("Hi {{ queue }}!", queue=attack) == f"Hi {clean(attack, 40)}!"


@pytest.mark.parametrize(
    ("value", "room", "text"),
    [
        pytest.param("Ann\r\nBcc: all@example.org", 40, "Ann Bcc: all@example.org", id="line breaks"),
        pytest.param("A\u202eevil\u2066x\u2069", 40, "Aevilx", id="marks of direction"),
        pytest.param("\x00A\x1b[31m\x7f", 40, "A[31m", id="controls"),
        pytest.param("A\u2028B\u0085C\u00a0D", 40, "A B C D", id="odd blanks"),
        pytest.param("A\ud800B", 40, "AB", id="half a surrogate pair"),
        pytest.param("A\U000e0041B\u200b\ufeff", 40, "AB", id="tags and what has no width"),
        pytest.param("👩\u200d👧", 40, "👩\u200d👧", id="a family stays together"),
        pytest.param("Jose\u0301", 40, "José", id="accents are joined"),
        pytest.param("a" * 50, 40, "a" * 40, id="too long"),
        pytest.param("😀" * 50, 41, "😀" * 20, id="too long, no half emoji"),
    ],
)
def test_values_are_cleaned(value, room, text):
    assert clean(value, room) == text


def test_a_text_that_outgrows_the_cap_as_it_is_filled_in_is_a_fault():
    source = "{{ queue | replace: 'a', '" + "я" * 40 + "' }}" + "x"
    assert fill(source, queue="bob") == "bobx"
    with pytest.raises(TemplateFault, match="24 parts, the cap is 10: shorten"):
        fill(source, queue="a" * 40)


def test_a_filter_that_outgrows_its_limit_as_it_is_filled_in_is_a_fault():
    with pytest.raises(TemplateFault, match="grows too long as it is filled in"):
        fill("{{ queue | replace: 'a', '" + "b" * 60 + "' }}x", queue="a" * 40)


def test_an_output_that_outgrows_its_limit_as_it_is_filled_in_is_a_fault():
    with pytest.raises(TemplateFault, match="grows too long as it is filled in"):
        fill(("{{ queue | replace: 'a', '" + "b" * 50 + "' }}") * 5 + "x", queue="a" * 40)


def test_a_text_that_comes_out_empty_is_a_fault():
    with pytest.raises(TemplateFault, match="comes out empty"):
        fill("{% if queue == 'Ann' %}{% else %}Hello{% endif %}", queue="Ann")


EVERYTHING = parse(
    "Hi {{ queue | first_word | capitalize | default: 'there' }}, {{ business | upcase }} {{ caller }}.\n"
    "{% if windows %}We call {{ caller }} back {{ windows | truncate: 90 }}{% elsif did %}Call {{ did }}{% endif %}",
    KIND,
)
anything = st.text(alphabet=st.characters()) | st.text(alphabet="{}%|'\" if\r\n\u202eßŉΐİ😀e\u0301", max_size=200)


@given(st.dictionaries(st.sampled_from([*VALUES, "other"]), anything))
def test_any_value_makes_one_plain_text_and_nothing_raises(values):
    text = EVERYTHING.render(values)
    assert measure(text).segments <= 10
    assert text == text.strip()
    assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text if letter != "\n")
    assert text.count("\n") <= 1


PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    " ",
    "if ",
    "else",
    "endif",
    "queue",
    "|",
    "'",
    "windows",
    ".",
    "-",
    "x",
    "case ",
    "when ",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_source_is_a_template_or_a_fault(source):
    try:
        template = parse(source, KIND)
    except TemplateFault as fault:
        assert ":" in str(fault)
    else:
        assert template.render(VALUES)


@given(st.text(alphabet=" \t\n\u00a0,.ax", max_size=30))
def test_tidying_twice_changes_nothing(text):
    assert tidy(tidy(text)) == tidy(text)


def test_every_name_that_may_be_missing_says_how():
    assert {
        kind: [name for name, value in names.items() if value.literal is None] for kind, names in NAMES.items()
    } == {
        KIND: ["windows"],
        TextKind.BULK_TEXT: [],
        TextKind.QUEUE_TEXT: [],
        TextKind.TRANSFER_TEXT: ["agent"],
        TextKind.WARNING_TEXT: [],
        TextKind.HOURS_TEXT: ["windows"],
        TextKind.INTRODUCTION: [],
    }


@pytest.mark.parametrize(
    ("source", "names", "required"),
    [
        pytest.param("Hello", (), (), id="no places"),
        pytest.param("Hello {{ name }}", ("name",), ("name",), id="a place that stands alone"),
        pytest.param("Hello {% if name %}{{ name }}{% endif %}", ("name",), (), id="a place that is asked for"),
        pytest.param('Hello {{ name | default: "you" }}', ("name",), (), id="a place with words of its own"),
        pytest.param("{{ business }}: hello", ("business",), (), id="our own name"),
        pytest.param("Hi {{ a }} {% if b %}{{ b }}{% endif %} {{ c }}", ("a", "b", "c"), ("a", "c"), id="some of each"),
    ],
)
def test_a_text_to_many_takes_the_names_its_recipients_bring(source, names, required):
    template = parse(source, TextKind.BULK_TEXT)
    assert (template.names, needed(template)) == (names, required)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("Hello {{ Name }}", id="a capital"),
        pytest.param("Hello {{ name.first }}", id="a dot"),
        pytest.param("Hello {{ n" + "a" * 30 + " }}", id="a name too long"),
        pytest.param("Hello" + "{{ a }}" * 9, id="more places than a text has room for"),
    ],
)
def test_other_names_are_refused_there_too(source):
    with pytest.raises(TemplateFault):
        parse(source, TextKind.BULK_TEXT)


def test_a_name_that_is_refused_says_what_there_is():
    with pytest.raises(TemplateFault, match="use one of business, or a field of your recipients"):
        parse("{{ A }}", TextKind.BULK_TEXT)
    assert len(NAMES[TextKind.BULK_TEXT]) == 1


def test_what_only_one_person_gets_is_not_remembered():
    template = parse("Hello {{ name }}", TextKind.BULK_TEXT)
    before = templates._render.cache_info().currsize
    assert template.render_once({"name": "{{ x }}\r\nA"}) == "Hello {{ x }} A"
    assert templates._render.cache_info().currsize == before
