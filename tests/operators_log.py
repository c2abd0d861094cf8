"""The log as an operator would read it: a fixture for all tests."""

import json
import logging
from typing import Any

import pytest
from django.utils.module_loading import import_string
from pytest_django import Settings


class Log(logging.Handler):
    """Keeps every line of every logger, as the settings' own formatter writes it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.setFormatter(import_string(settings.LOGGING["formatters"]["json"]["()"])())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def named(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@pytest.fixture
def log(settings):
    log = Log(settings)
    every = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    watched = [logger for logger in every if logger is logging.root or not logger.propagate]
    for logger in watched:
        logger.addHandler(log)
    yield log
    for logger in watched:
        logger.removeHandler(log)
