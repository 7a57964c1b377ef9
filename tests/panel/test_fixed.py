"""What a template says by itself is worked out once, and reads as if it were worked out each time."""

import pytest
from jinja2 import DictLoader, StrictUndefined

from ringback.panel.fixed import FixedEnvironment, saying

SPANISH = {
    "Calls": "Llamadas",
    "100%% of %(n)s": "100%% de %(n)s",
    "all 100%%": "el 100%% de todo",
    "a & b": "a <b>&amp;</b> b",
}
FILES = {
    "m.j2": "{% macro icon(name, cls='') %}<i class=\"{{ cls }}\">{{ static(name) }}</i>{% endmacro %}",
    "row.j2": "{{ icon('x') }}{{ icon(name) }}{{ _(name) }}",
}


def engine():
    made = FixedEnvironment(
        loader=DictLoader(FILES), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    asked = []
    say = saying(lambda text: asked.append(text) or SPANISH.get(text, text))
    made.globals |= {"_": say, "gettext": say, "static": lambda name: f"/static/{name}?v=1&w=2"}
    made.share("m.j2")
    return made, asked


@pytest.mark.parametrize(
    ("template", "page"),
    [
        pytest.param("{{ _('Calls') }}", "Llamadas", id="a text alone"),
        pytest.param("{% trans %}Calls{% endtrans %}", "Llamadas", id="a block"),
        pytest.param("{{ _('all 100%%') }}", "el 100% de todo", id="a percent sign that is meant"),
        pytest.param("{{ _('100%% of %(n)s', n='<3>') }}", "100% de &lt;3&gt;", id="what goes into a place is escaped"),
        pytest.param("{{ _('a & b') }}", "a <b>&amp;</b> b", id="the text itself is HTML of ours"),
        pytest.param("{{ _(name) }}", "Llamadas", id="a text by its name"),
        pytest.param("{{ icon('up') }}", '<i class="">/static/up?v=1&amp;w=2</i>', id="a macro with a fixed word"),
        pytest.param("{{ icon(name, '<') }}", '<i class="&lt;">/static/Calls?v=1&amp;w=2</i>', id="a macro, not fixed"),
        pytest.param("{{ icon('a' ~ name) }}", '<i class="">/static/aCalls?v=1&amp;w=2</i>', id="a word put together"),
        pytest.param("<a href=\"{{ static('a') }}\">", '<a href="/static/a?v=1&amp;w=2">', id="the address of a file"),
        pytest.param("{% set _ = name %}{{ _ }}", "Calls", id="a name of the template's own"),
        pytest.param(
            "{% include 'row.j2' %}",
            '<i class="">/static/x?v=1&amp;w=2</i><i class="">/static/Calls?v=1&amp;w=2</i>Llamadas',
            id="a part that is included",
        ),
    ],
)
def test_a_page_reads_as_it_would_without(template, page):
    assert engine()[0].from_string(template).render(name="Calls") == page


def test_a_fixed_text_is_translated_once_and_not_for_each_row():
    made, asked = engine()
    row = made.from_string("{% for _row in range(9) %}{{ _('Calls') }}{% endfor %}")
    assert asked == ["Calls"]
    assert row.render() == row.render() == "Llamadas" * 9
    assert asked == ["Calls"]
