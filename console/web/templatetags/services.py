"""Small pieces of a service's pages: short names of images, states of revisions, splits in words."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext as _

from console.knative.conditions import Word
from console.knative.images import Reference
from console.knative.objects import Revision

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


@register.filter
def shares_words(shares: Mapping[str, int]) -> str:
    """A split in words: the name where one revision gets everything, else `50% hello-00001, 50% hello-00002`."""
    if list(shares.values()) == [100]:
        return next(iter(shares))
    return _(", ").join(f"{percent}% {revision}" for revision, percent in shares.items())
