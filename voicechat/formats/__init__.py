"""How the pages for operators write times. https://docs.djangoproject.com/en/stable/topics/i18n/formatting/"""
