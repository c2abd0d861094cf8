"""`Nov. 22, 2026, noon UTC`: an operator reads them beside a clock that shows another zone."""

DATETIME_FORMAT = "N j, Y, P T"
SHORT_DATETIME_FORMAT = "m/d/Y P T"
TIME_FORMAT = "P T"
