"""One form for a release: the image, the variables and all settings, for every container, and what the revision gets.

It is made of the forms of the small edits and has no field of its own, so that what holds for them holds here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from console.knative.capabilities import Capabilities
from console.knative.changes import Change, Deploy, KeepDigest, ResolveImage, permissions
from console.knative.changes.image import tagged_image
from console.knative.containers import Container, is_sidecar
from console.knative.effects import DEPLOY
from console.knative.objects import Service
from console.knative.paths import TEMPLATE
from console.web.forms.by_container import OF_CONTAINER, OF_SERVICE, TypedByContainer, root
from console.web.forms.env import EnvForm
from console.web.forms.image import ImageForm
from console.web.forms.image_pinning import DigestChoice
from console.web.forms.probes import ProbeBoundField
from console.web.forms.rows import RowsBoundField, asks_for_rows, field_asked
from console.web.forms.settings import SettingsForm
from console.web.forms.share import ShareForm


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form that opens: its template takes `form`."""

    key: str
    title: Any  # lazy
    template: str
    form: Any
    is_changed: bool
    has_problems: bool
    summary: str = ""


class ContainerForms:
    """The forms about one container; those of the settings are about the service too."""

    def __init__(
        self,
        service: Service,
        container: Container,
        own: QueryDict | None,
        whole: QueryDict,
        capabilities: Capabilities,
        edit: str = "",
    ) -> None:
        self.container = container
        inputs = own if own is not None else QueryDict()
        self.resolves = "resolve_image" in inputs
        self.image = ImageForm(container, inputs if "image" in inputs else None)
        variables = inputs if "rows" in inputs else None
        self.env = EnvForm(container, variables, is_sidecar=is_sidecar(container, service.containers), edit=edit)
        self.settings = SettingsForm(service, container, _settings_data(own, whole), capabilities=capabilities)

    @property
    def has_new_image(self) -> bool:
        return self.image.typed != self.container.image or self.image.again

    @property
    def is_edited(self) -> bool:
        """Something was typed that is about the container."""
        return (
            self.has_new_image
            or self.has_edited_variables
            or any(self.settings.is_touched(name) for name in OF_CONTAINER if self.settings.is_bound)
        )

    @property
    def has_edited_variables(self) -> bool:
        return self.env.is_edited

    @property
    def has_problems(self) -> bool:
        return self.image.has_problems or self.env.has_problems or self.settings.has_problems

    def is_valid(self) -> bool:
        judged = (
            not self.has_new_image or self.image.is_valid(),
            self.env.is_valid(),
            not self.settings.is_bound or self.settings.is_valid(),
        )
        return all(judged)

    def forget_problems(self) -> None:
        """They are judged when the form is sent to be reviewed."""
        self.settings.errors.clear()
        self.image.problems = []

    def changes(self) -> Iterator[Change]:
        """Yield what was typed, as the small edits would make it."""
        if self.has_new_image:
            yield from self.image.change.parts
        for change in (self.env.change, self.settings.change if self.settings.is_bound else None):
            yield from change.parts if change else ()


class DeployForm:
    """The forms of all containers that were seen, one of which is shown; `running` are digests by container."""

    def __init__(
        self,
        service: Service,
        data: Mapping[str, Any] | None = None,
        *,
        container: Container,
        running: Mapping[str, str] | None = None,
        capabilities: Capabilities | None = None,
        may_route: bool = True,
        edit: str = "",
    ) -> None:
        """`edit` names the variable that a fresh form opens."""
        self.service, self.running = service, dict(running or {})
        serving = service.user_container or container
        self.typed = TypedByContainer(data, serving.name)
        self.keeps_digests = data is None or "keep_digest" in data
        self.share = ShareForm(service, data, may_route=may_route)
        facts, edit = capabilities or Capabilities(), edit if data is None else ""
        self.all = {
            one.name: ContainerForms(service, one, self.typed.of(one.name), self.typed.whole, facts, edit)
            for one in service.containers
            if one.name == container.name or self.typed.of(one.name) is not None
        }
        self.shown = self.all[container.name]
        self.is_arranging = bool(data and "pick" in data) or self.shown.env.is_arranging or asks_for_rows(data)
        self._show_service_fields()

    @property
    def container(self) -> Container:
        return self.shown.container

    @property
    def image(self) -> ImageForm:
        return self.shown.image

    @property
    def env(self) -> EnvForm:
        return self.shown.env

    @property
    def settings(self) -> SettingsForm:
        return self.shown.settings

    @property
    def forms(self) -> tuple[ShareForm, ...]:
        return (self.share,)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The hidden inputs with what was typed for the other containers."""
        return list(self.typed.carried(self.container.name))

    @property
    def edited(self) -> list[str]:
        """The names of the containers for which something was typed."""
        return [name for name, forms in self.all.items() if forms.is_edited]

    @property
    def digest(self) -> DigestChoice:
        """What can be chosen about builds for the container that is shown."""
        return DigestChoice(
            self.container.name,
            self.running,
            tagged_image(self.service, self.container.name),
            keep=self.keeps_digests,
            resolve=self.shown.resolves,
        )

    @property
    def has_problems(self) -> bool:
        return bool(self.share.errors) or any(forms.has_problems for forms in self.all.values())

    def is_valid(self) -> bool:
        judged = {name: forms.is_valid() for name, forms in self.all.items()}
        wrong = [name for name, is_right in judged.items() if not is_right]
        if wrong and self.container.name not in wrong:
            self.shown = self.all[wrong[0]]  # where the problem is read
        return not wrong and (not self.share.is_bound or self.share.is_valid())

    def turn_to(self, container: str) -> None:
        """Show a container for which something was typed: a problem is read there."""
        self.shown = self.all.get(container, self.shown)

    def forget_problems(self) -> None:
        self.share.errors.clear()
        for forms in self.all.values():
            forms.forget_problems()

    @property
    def change(self) -> Change | None:
        """Everything that was typed, as one change that makes one revision; None when nothing was."""
        parts: list[Change] = []
        for forms in self.all.values():
            parts += [part for part in forms.changes() if part not in parts]  # each repeats what is the service's
        parts += self._builds(parts)
        if share := self.share.change:
            parts.append(share)
        return Deploy(tuple(parts)) if len(parts) > 1 or share else parts[0] if parts else None

    def _builds(self, parts: Sequence[Change]) -> Iterator[Change]:
        """Yield what keeps the builds that run, or lets go of them; a new image is what it says.

        Not to keep what runs is to take what the tag names by then: that is said, so that it is judged as deploying.
        """
        old = [name for name in self.running if name not in self.all or not self.all[name].has_new_image]
        if any(path[:2] == TEMPLATE for part in parts for path in part.touches()):
            if self.keeps_digests:
                yield from (KeepDigest(name, self.running[name]) for name in old)
            elif DEPLOY not in permissions(Deploy(tuple(parts))):
                yield from map(ResolveImage, old)
        for name, forms in self.all.items():
            if forms.resolves and not forms.has_new_image and tagged_image(self.service, name):
                yield ResolveImage(name)

    def sections(self) -> list[Section]:
        """Return the parts of the form in their order; what is edited most comes first."""
        env, image = self.env, self.image
        count = len(env.present)
        first = (
            Section(
                *("image", _("Image"), "changes/_image.html", image),
                self.shown.has_new_image or self.shown.resolves,
                image.has_problems,
                image.container.image,
            ),
            Section(
                *("env", _("Environment variables"), "changes/_env.html", env),
                self.shown.has_edited_variables,
                env.has_problems,
                str(count) if count else "",
            ),
        )
        return [*first, *sorted(self._settings_sections(), key=lambda one: _place(one.key))]

    def _settings_sections(self) -> Iterator[Section]:
        form = self.settings
        for one in form.sections:
            asked = field_asked(form.data)
            touched = any(form.is_touched(field.name) or field.html_name == asked for field in one.fields)
            facts = (_fact(field.label, _text(form, field)) for field in one.fields)
            summary = " · ".join(fact for fact in facts if fact)
            yield Section(one.key, one.title, one.template, form, touched, one.has_problems, summary)

    def _show_service_fields(self) -> None:
        """Let the fields of the service show what was typed while another container was open."""
        if self.settings.is_bound:
            return
        seen = next((forms.settings for forms in self.all.values() if forms.settings.is_bound), None)
        for name in OF_SERVICE if seen else ():
            if seen and seen.is_touched(name):
                self.settings.initial[name] = seen.typed(name)  # type: ignore[index]  # a field is called the same


_ORDER = ("resources", "scaling", "probes", "mounts", "command", "networking", "identity", "scheduling", "labels")
MAX_FACT = 40  # characters of a value in the line of a closed section


def _place(key: str) -> int:
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def _fact(label: Any, text: str) -> str:
    """Say a short value; of a longer one, that there is one."""
    if not text:
        return ""
    return f"{label} {text}" if len(text) <= MAX_FACT and "\n" not in text else f"{label} …"


def _text(form: SettingsForm, field: BoundField) -> str:
    """Return what the field showed; of one with several controls, in short."""
    return field.summary if isinstance(field, RowsBoundField | ProbeBoundField) else form.shown.get(field.name, "")


def _settings_data(own: QueryDict | None, whole: QueryDict) -> QueryDict | None:
    """The inputs of the settings; None where there were none: what was not sent is not taken for emptied."""
    if own is None or not any(root(name) in SettingsForm.base_fields or name == "shown" for name in (*own, *whole)):
        return None
    found = whole.copy()
    for name, values in own.lists():
        found.setlist(name, values)
    return found


__all__ = ["DeployForm", "Section"]
