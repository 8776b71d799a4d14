"""The words of an access review and of the list of sessions, as their pages ask for them."""

from django import template

from console.web import access_words, browsers

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    """What a User-Agent header says in words."""
    return browsers.told(user_agent)


@register.filter
def source_word(code: str) -> str:
    """How an account came to be."""
    return str(access_words.SOURCES.get(code, code))


@register.filter
def factor_words(codes: tuple[str, ...]) -> str:
    """The second factors of a person."""
    return ", ".join(str(access_words.FACTORS.get(code, code)) for code in codes)


@register.filter
def decision_word(code: str) -> str:
    """What a reviewer decided."""
    return str(access_words.DECIDED.get(code, code))
