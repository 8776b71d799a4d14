"""What dead_code takes for a use, and what not."""

from tests import dead_code


def test_a_tag_of_a_template_uses_names_and_its_text_does_not() -> None:
    text = "<p>unused</p>{% if row.is_odd %}{{ name|kind_word }}{% endif %}{# commented #}"
    assert dead_code.names_in_templates([text]) >= {"row", "is_odd", "name", "kind_word"}
    assert not dead_code.names_in_templates([text]) & {"unused", "commented"}


def test_a_dotted_name_in_a_string_uses_its_last_part() -> None:
    source = """STEP = "console.heartbeat:Step"; MIDDLEWARE = ["console.web.Middleware"]; text = "a sentence. End" """
    assert set(dead_code.names_in_strings([source])) == {"Step", "Middleware"}


def test_a_query_uses_the_columns_that_it_names() -> None:
    source = """rows.filter(lease_until__lt=now).order_by("-written_at").update(owner="")"""
    assert set(dead_code.names_in_queries([source])) >= {"lease_until", "written_at", "owner"}


def test_a_block_in_one_template_alone_is_found_unless_a_library_has_it() -> None:
    ours = ["{% block title %}{% endblock %}{% block tabs %}{% endblock %}{% block body %}{% endblock %}"]
    ours.append("{% block title %}x{% endblock title %}")
    assert dead_code.lonely_blocks(ours, ["{% block body %}{% endblock %}{% block extra %}{% endblock %}"]) == ["tabs"]
