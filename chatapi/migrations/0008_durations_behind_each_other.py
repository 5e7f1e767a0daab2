from django.db import migrations

# `chatapi.daily_usage.counting.BODY`: durations are put behind those that are there, and merged now and then.
COUNT = """
CREATE OR REPLACE FUNCTION chatapi_count_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chatapi_modelday AS d (tenant_id, day, core_id, model, purpose, requests, errors, prompt_tokens, completion_tokens, last_at, durations, counts)
    SELECT tenant_id, day, core_id, model, purpose, sum(n)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens,
           max(last_at) AS last_at, array_agg(ms ORDER BY ms) AS durations, array_agg(n ORDER BY ms) AS counts
    FROM (
        SELECT tenant_id, (at AT TIME ZONE 'UTC')::date AS day, core_id, model, purpose, round(duration_ms, 2 - length(duration_ms::text))::integer AS ms,
               count(*) AS n, count(*) FILTER (WHERE outcome IN ('failed', 'timed_out')) AS errors,
               sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens, max(at) AS last_at
        FROM inserted GROUP BY tenant_id, day, core_id, model, purpose, ms
    ) AS by_duration
    GROUP BY tenant_id, day, core_id, model, purpose
    ORDER BY tenant_id, day, core_id, model, purpose
    ON CONFLICT (tenant_id, day, core_id, model, purpose) DO UPDATE SET
        requests = d.requests + excluded.requests, errors = d.errors + excluded.errors, prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens, last_at = greatest(d.last_at, excluded.last_at),
        (durations, counts) = (
            SELECT d.durations || excluded.durations, d.counts || excluded.counts
            WHERE cardinality(d.counts) / 64 = (cardinality(d.counts) + cardinality(excluded.counts)) / 64
                AND 0 < ALL (excluded.counts)
            UNION ALL
            SELECT * FROM (SELECT coalesce(array_agg(ms ORDER BY ms), '{}'), coalesce(array_agg(n ORDER BY ms), '{}')
            FROM (
                SELECT ms, sum(n)::bigint AS n FROM unnest(d.durations || excluded.durations, d.counts || excluded.counts) AS listed (ms, n)
                GROUP BY ms HAVING sum(n) <> 0
            ) AS by_duration) AS merged
            WHERE NOT (cardinality(d.counts) / 64 = (cardinality(d.counts) + cardinality(excluded.counts)) / 64
                AND 0 < ALL (excluded.counts))
        );
    INSERT INTO chatapi_callerday AS d (tenant_id, day, user_id, key_id, core_id, model, purpose, requests, errors, prompt_tokens, completion_tokens, last_at, durations, counts)
    SELECT tenant_id, day, user_id, key_id, core_id, model, purpose, sum(n)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens,
           max(last_at) AS last_at, array_agg(ms ORDER BY ms) AS durations, array_agg(n ORDER BY ms) AS counts
    FROM (
        SELECT tenant_id, (at AT TIME ZONE 'UTC')::date AS day, user_id, key_id, core_id, model, purpose, round(duration_ms, 2 - length(duration_ms::text))::integer AS ms,
               count(*) AS n, count(*) FILTER (WHERE outcome IN ('failed', 'timed_out')) AS errors,
               sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens, max(at) AS last_at
        FROM inserted GROUP BY tenant_id, day, user_id, key_id, core_id, model, purpose, ms
    ) AS by_duration
    GROUP BY tenant_id, day, user_id, key_id, core_id, model, purpose
    ORDER BY tenant_id, day, user_id, key_id, core_id, model, purpose
    ON CONFLICT (tenant_id, day, user_id, key_id, core_id, model, purpose) DO UPDATE SET
        requests = d.requests + excluded.requests, errors = d.errors + excluded.errors, prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens, last_at = greatest(d.last_at, excluded.last_at),
        (durations, counts) = (
            SELECT d.durations || excluded.durations, d.counts || excluded.counts
            WHERE cardinality(d.counts) / 64 = (cardinality(d.counts) + cardinality(excluded.counts)) / 64
                AND 0 < ALL (excluded.counts)
            UNION ALL
            SELECT * FROM (SELECT coalesce(array_agg(ms ORDER BY ms), '{}'), coalesce(array_agg(n ORDER BY ms), '{}')
            FROM (
                SELECT ms, sum(n)::bigint AS n FROM unnest(d.durations || excluded.durations, d.counts || excluded.counts) AS listed (ms, n)
                GROUP BY ms HAVING sum(n) <> 0
            ) AS by_duration) AS merged
            WHERE NOT (cardinality(d.counts) / 64 = (cardinality(d.counts) + cardinality(excluded.counts)) / 64
                AND 0 < ALL (excluded.counts))
        );
    RETURN NULL;
END
$$;
"""
# A row of a busy model has some three kilobytes of durations. To press them together with each write costs more.
WHOLE = """
ALTER TABLE chatapi_modelday SET (toast_tuple_target = 8160);
ALTER TABLE chatapi_callerday SET (toast_tuple_target = 8160);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chatapi', '0007_usage_of_earlier_days'),
    ]

    operations = [
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.RunSQL(WHOLE, migrations.RunSQL.noop),
    ]
