import type { Migration } from '../../services/platform/postgres/migrate.ts';

/**
 * What a site's programs tell each other. A job is written by the api and worked off by the
 * synchronizer; `fence` grows with each attempt, and an attempt writes only while it still holds
 * the newest, so that a job started twice is done once.
 */
export const migration: Migration = {
  name: '0001-site',
  up: async (knex) => {
    await knex.raw(`
      create schema site;

      create table site.jobs (
        id               uuid primary key,
        kind             text not null check (kind in ('bootstrap', 'resync', 'pull', 'verify', 'backfill')),
        peer             text not null,
        log              text not null default 'configuration' check (log in ('configuration', 'registration')),
        scope            jsonb not null,
        state            text not null default 'queued'
                         check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
        phase            text,
        progress         jsonb not null default '{}',
        fence            integer not null default 0,
        attempts         integer not null default 0,
        cancel_requested boolean not null default false,
        requested_by     text not null,
        reason           text not null default '',
        result           jsonb,
        error            jsonb,
        created_at       timestamptz not null default now(),
        started_at       timestamptz,
        next_attempt_at  timestamptz not null default now(),
        ended_at         timestamptz
      );
      create index jobs_open on site.jobs (next_attempt_at) where state in ('queued', 'running');
      create index jobs_created on site.jobs (created_at desc);

      create function site.notify_job() returns trigger language plpgsql as $$
      begin
        perform pg_notify('dualhome_jobs', new.id::text);
        return null;
      end $$;
      create trigger notify_job after insert or update of state, cancel_requested on site.jobs
        for each row execute function site.notify_job();

      create table site.alarms (
        id         bigint generated always as identity primary key,
        code       text not null,
        subject    text not null,
        detail     text not null,
        facts      jsonb not null default '{}',
        raised_at  timestamptz not null default now(),
        cleared_at timestamptz,
        cleared_by text
      );
      create unique index alarms_open on site.alarms (code, subject) where cleared_at is null;

      create function site.notify_alarm() returns trigger language plpgsql as $$
      begin
        perform pg_notify('dualhome_alarms', new.code);
        return null;
      end $$;
      create trigger notify_alarm after insert or update on site.alarms
        for each row execute function site.notify_alarm();
    `);
  },
};
