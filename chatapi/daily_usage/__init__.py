"""The sums of each day (UTC) of the usage records, exact to the row: what pages read instead of the records.

`counting` is how records become sums, and what the database itself does with each record that is written; `rebuilding`
compares the sums with the records and corrects them, while others write.
"""
