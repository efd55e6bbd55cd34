"""A database of PostgreSQL that a test has used, as it was before: cheaper than making another one.

Rows go, numbers begin again, connections are cut. One whose tables, rights, functions or triggers a test has changed is not
given to anybody else.
"""

from typing import Final

import psycopg

_SHAPE: Final = """
SELECT (SELECT md5(string_agg(concat_ws(' ', oid, relname, relchecks, relhastriggers, relrowsecurity, relacl), ',' ORDER BY oid))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT md5(string_agg(concat_ws(' ', oid, conname, convalidated), ',' ORDER BY oid)) FROM pg_constraint),
       (SELECT md5(string_agg(concat_ws(' ', oid, tgenabled), ',' ORDER BY oid)) FROM pg_trigger),
       (SELECT concat_ws(' ', count(*), max(oid::bigint)) FROM pg_proc),
       (SELECT concat_ws(' ', count(*), max(oid::bigint)) FROM pg_attrdef),
       (SELECT concat_ws(' ', count(*), sum(attnotnull::int), sum(attisdropped::int)) FROM pg_attribute WHERE attnum > 0),
       (SELECT count(*) FROM pg_db_role_setting)
"""
_CUT_OFF: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY: Final = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT oid, oid::regclass AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
    CONTINUE WHEN pg_relation_size(one.oid) = 0;
    IF pg_relation_size(one.oid) > 262144 THEN
      EXECUTE format('TRUNCATE %s CASCADE', one.name);
    ELSE
      EXECUTE format('DELETE FROM %s', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT format('%I', sequencename)::regclass AS name, start_value FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    PERFORM setval(one.name, one.start_value, false);
  END LOOP;
END $$
"""
_TIDY: Final = "-c session_replication_role=replica -c lock_timeout=5s -c jit=off -c client_min_messages=warning"
"""No trigger keeps a row here: neither those of keys nor those that keep the diary."""
Shape = tuple[object, ...]


def shape(address: str) -> Shape:
    """What a test does not change that another one is to find as it was."""
    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(_SHAPE).fetchone() or ()


def emptied(address: str, before: Shape) -> bool:
    """Empties this database; whether it may be used again."""
    try:
        with psycopg.connect(address, autocommit=True, options=_TIDY) as connection:
            connection.execute(_CUT_OFF)
            if connection.execute(_SHAPE).fetchone() != before:
                return False
            connection.execute(_EMPTY)
    except psycopg.Error:
        return False
    return True
