from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0004_protection")]

    # Null: an operation that waits already stays bound to the digest that it was shown with.
    operations = [migrations.AddField("operation", "sealed_salt", models.BinaryField(null=True))]
