"""Small pieces of a service's pages: short names of images, states of revisions, splits in words."""

from django import template

from console.knative.conditions import Word
from console.knative.images import Reference
from console.knative.objects import Revision
from console.web import traffic_words

register = template.Library()

DIGEST_LENGTH = 6  # as kn shortens it


@register.filter
def image_name(image: str) -> str:
    """The image without its registry and path: `helloworld-rust:1.4`; of a digest the first digits."""
    found = Reference.read(image)
    name = found.repository.rpartition("/")[2]
    return Reference(name, found.tag, digest_short(found.digest)).text


@register.filter
def digest_short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:DIGEST_LENGTH]


@register.filter
def revision_state(revision: Revision) -> str:
    """The state of a revision for _state.html: one of which the controller does not know yet is in progress."""
    word = revision.ready.word
    return "progressing" if word is Word.UNKNOWN else word.value


register.filter(traffic_words.shares_words)
