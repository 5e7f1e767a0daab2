"""How times are written where a template says nothing else, above all in the admin: with their zone."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i e"
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
