from django.db import migrations

from console.access.permissions import BUILT_IN_ROLES


def make(apps, schema_editor):
    role = apps.get_model("access", "Role")
    for name, permissions in BUILT_IN_ROLES.items():
        role.objects.get_or_create(name=name, defaults={"permissions": sorted(permissions)})


def remove(apps, schema_editor):
    apps.get_model("access", "Role").objects.filter(name__in=BUILT_IN_ROLES, grants=None).delete()


class Migration(migrations.Migration):
    dependencies = [("access", "0001_first")]
    operations = [migrations.RunPython(make, remove)]
