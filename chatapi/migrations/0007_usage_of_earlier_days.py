from datetime import UTC, datetime, time, timedelta

from django.db import migrations, transaction

# What the sums of a day lack is added to them: the records of before the sums were kept. In one snapshot records and sums
# belong together, so others may write meanwhile.
LOCK = 5_741_203_999
DAYS = "SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM chatapi_usagerecord ORDER BY 1"
ADD_WHAT_IS_LACKING = [
"""INSERT INTO chatapi_modelday AS d (tenant_id, day, core_id, model, purpose, requests, errors, prompt_tokens, completion_tokens, last_at, durations, counts)
    SELECT tenant_id, day, core_id, model, purpose, coalesce(r.requests, 0) - coalesce(h.requests, 0) AS requests, coalesce(r.errors, 0) - coalesce(h.errors, 0) AS errors, coalesce(r.prompt_tokens, 0) - coalesce(h.prompt_tokens, 0) AS prompt_tokens, coalesce(r.completion_tokens, 0) - coalesce(h.completion_tokens, 0) AS completion_tokens, coalesce(r.last_at, h.last_at) AS last_at,
        coalesce(r.durations, '{}') || coalesce(h.durations, '{}') AS durations,
        coalesce(r.counts, '{}') || coalesce(h.less, '{}') AS counts
    FROM (SELECT tenant_id, day, core_id, model, purpose, sum(n)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens,
           max(last_at) AS last_at, array_agg(ms ORDER BY ms) AS durations, array_agg(n ORDER BY ms) AS counts
    FROM (
        SELECT tenant_id, (at AT TIME ZONE 'UTC')::date AS day, core_id, model, purpose, round(duration_ms, 2 - length(duration_ms::text))::integer AS ms,
               count(*) AS n, count(*) FILTER (WHERE outcome IN ('failed', 'timed_out')) AS errors,
               sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens, max(at) AS last_at
        FROM chatapi_usagerecord WHERE at >= %(begin)s AND at < %(end)s GROUP BY tenant_id, day, core_id, model, purpose, ms
    ) AS by_duration
    GROUP BY tenant_id, day, core_id, model, purpose) AS r FULL JOIN (
        SELECT *, (SELECT array_agg(-n ORDER BY place) FROM unnest(counts) WITH ORDINALITY AS u (n, place)) AS less
        FROM chatapi_modelday WHERE day = %(day)s AND NOT (requests, errors, prompt_tokens, completion_tokens, counts) = (0, 0, 0, 0, '{}')
    ) AS h USING (tenant_id, day, core_id, model, purpose)
    WHERE (r.requests, r.errors, r.prompt_tokens, r.completion_tokens, r.durations, r.counts) IS DISTINCT FROM (h.requests, h.errors, h.prompt_tokens, h.completion_tokens, h.durations, h.counts) AND EXISTS (SELECT FROM chatapi_usagerecord WHERE at >= %(begin)s AND at < %(end)s)
    ORDER BY tenant_id, day, core_id, model, purpose
    ON CONFLICT (tenant_id, day, core_id, model, purpose) DO UPDATE SET
        requests = d.requests + excluded.requests, errors = d.errors + excluded.errors, prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens, last_at = greatest(d.last_at, excluded.last_at),
        (durations, counts) = (
            SELECT coalesce(array_agg(ms ORDER BY ms), '{}'), coalesce(array_agg(n ORDER BY ms), '{}')
            FROM (
                SELECT ms, sum(n)::bigint AS n
                FROM unnest(d.durations || excluded.durations, d.counts || excluded.counts) AS listed (ms, n)
                GROUP BY ms HAVING sum(n) <> 0
            ) AS merged
        )""",
"""INSERT INTO chatapi_callerday AS d (tenant_id, day, user_id, key_id, core_id, model, purpose, requests, errors, prompt_tokens, completion_tokens, last_at, durations, counts)
    SELECT tenant_id, day, user_id, key_id, core_id, model, purpose, coalesce(r.requests, 0) - coalesce(h.requests, 0) AS requests, coalesce(r.errors, 0) - coalesce(h.errors, 0) AS errors, coalesce(r.prompt_tokens, 0) - coalesce(h.prompt_tokens, 0) AS prompt_tokens, coalesce(r.completion_tokens, 0) - coalesce(h.completion_tokens, 0) AS completion_tokens, coalesce(r.last_at, h.last_at) AS last_at,
        coalesce(r.durations, '{}') || coalesce(h.durations, '{}') AS durations,
        coalesce(r.counts, '{}') || coalesce(h.less, '{}') AS counts
    FROM (SELECT tenant_id, day, user_id, key_id, core_id, model, purpose, sum(n)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens,
           max(last_at) AS last_at, array_agg(ms ORDER BY ms) AS durations, array_agg(n ORDER BY ms) AS counts
    FROM (
        SELECT tenant_id, (at AT TIME ZONE 'UTC')::date AS day, user_id, key_id, core_id, model, purpose, round(duration_ms, 2 - length(duration_ms::text))::integer AS ms,
               count(*) AS n, count(*) FILTER (WHERE outcome IN ('failed', 'timed_out')) AS errors,
               sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens, max(at) AS last_at
        FROM chatapi_usagerecord WHERE at >= %(begin)s AND at < %(end)s GROUP BY tenant_id, day, user_id, key_id, core_id, model, purpose, ms
    ) AS by_duration
    GROUP BY tenant_id, day, user_id, key_id, core_id, model, purpose) AS r FULL JOIN (
        SELECT *, (SELECT array_agg(-n ORDER BY place) FROM unnest(counts) WITH ORDINALITY AS u (n, place)) AS less
        FROM chatapi_callerday WHERE day = %(day)s AND NOT (requests, errors, prompt_tokens, completion_tokens, counts) = (0, 0, 0, 0, '{}')
    ) AS h USING (tenant_id, day, user_id, key_id, core_id, model, purpose)
    WHERE (r.requests, r.errors, r.prompt_tokens, r.completion_tokens, r.durations, r.counts) IS DISTINCT FROM (h.requests, h.errors, h.prompt_tokens, h.completion_tokens, h.durations, h.counts) AND EXISTS (SELECT FROM chatapi_usagerecord WHERE at >= %(begin)s AND at < %(end)s)
    ORDER BY tenant_id, day, user_id, key_id, core_id, model, purpose
    ON CONFLICT (tenant_id, day, user_id, key_id, core_id, model, purpose) DO UPDATE SET
        requests = d.requests + excluded.requests, errors = d.errors + excluded.errors, prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens, last_at = greatest(d.last_at, excluded.last_at),
        (durations, counts) = (
            SELECT coalesce(array_agg(ms ORDER BY ms), '{}'), coalesce(array_agg(n ORDER BY ms), '{}')
            FROM (
                SELECT ms, sum(n)::bigint AS n
                FROM unnest(d.durations || excluded.durations, d.counts || excluded.counts) AS listed (ms, n)
                GROUP BY ms HAVING sum(n) <> 0
            ) AS merged
        )"""
]


def count_earlier_days(apps, schema_editor):
    """A day at a time, each for itself: what was done stays done when this is cut short."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chatapi_usagerecord")  # or the index that was just made is not thought of
        cursor.execute(DAYS)
        for (day,) in cursor.fetchall():
            begin = datetime.combine(day, time(), UTC)
            values = {"day": day, "begin": begin, "end": begin + timedelta(days=1)}
            with transaction.atomic(using=connection.alias):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                for statement in ADD_WHAT_IS_LACKING:
                    cursor.execute(statement, values)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('chatapi', '0006_usage_by_time'),
    ]

    operations = [
        migrations.RunPython(count_earlier_days, migrations.RunPython.noop),
    ]
