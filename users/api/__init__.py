"""The doors of people: `views`, and what the doors above lean on (`serializers`, `permissions`, `identity`)."""
