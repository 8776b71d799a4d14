"""How forms are rendered: `{{ form.name.as_field_group }}` is templates/components/field.html, everywhere."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Takes the project's own templates for fields and errors, and Django's for the inputs."""

    field_template_name = "components/field.html"
