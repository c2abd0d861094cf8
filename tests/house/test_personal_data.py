"""Every column of every model stands in the list of what is kept, once; and the page says what the list says."""

from pathlib import Path

from django.apps import apps

from voicechat.personal_data import KEPT, as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_each_column_stands_in_the_list_once():
    listed = sorted((each.table, column) for each in KEPT for column in each.columns.split())
    models = apps.get_models(include_auto_created=True)
    assert listed == sorted((m._meta.db_table, field.column) for m in models for field in m._meta.local_concrete_fields)


def test_the_page_has_the_list():
    assert as_markdown() in PAGE.read_text(), "python -m voicechat.personal_data prints the table"
