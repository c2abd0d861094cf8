"""The doors of groups, their lists and a person's groups; `permissions` and `serializers` serve doors above too."""
