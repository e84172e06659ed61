/**
 * The tables of one log in the schema the connection's search_path names, with the guards that keep
 * event and state together. SQLSTATEs: DH001 the head moved, DH002 change without event,
 * DH003 event beyond the head, DH004 the log is append-only.
 */
export const logTables = `
  create table log (
    seq  bigint primary key check (seq > 0),
    time timestamptz not null,
    body bytea not null,
    hash bytea not null check (octet_length(hash) = 32)
  );

  create table log_head (
    single      boolean primary key default true check (single),
    incarnation uuid not null,
    seq         bigint not null check (seq >= 0),
    hash        bytea not null check (octet_length(hash) = 32)
  ) with (fillfactor = 10);

  insert into log_head (incarnation, seq, hash)
  values ('00000000-0000-0000-0000-000000000000', 0, decode(repeat('00', 32), 'hex'));

  create table log_origin (
    single            boolean primary key default true check (single),
    system_identifier text not null,
    timeline          integer not null
  );

  create table incarnations (
    incarnation        text collate "C" primary key,
    first_seq          bigint not null,
    parent_incarnation text,
    parent_seq         bigint,
    parent_hash        text,
    begun              text not null,
    reason             text not null,
    seq                bigint not null
  );

  create function require_head(moved boolean, from_seq bigint) returns void language plpgsql as $$
  begin
    if not moved then
      raise exception 'the head of the log is no longer at %', from_seq using errcode = 'DH001';
    end if;
  end $$;

  -- These read by the key, whatever the planner knew of the log when it made the plan that it keeps: a short log is
  -- scanned. They see what the whole statement has done: events, rows and head are written by one.
  create function guard_change() returns trigger language plpgsql set enable_seqscan = off as $$
  begin
    perform from log_head as head
    where head.xmin = pg_current_xact_id()::xid and exists (select from log where seq = head.seq);
    if not found then
      raise exception 'table % is changed only together with an event', tg_table_name using errcode = 'DH002';
    end if;
    return null;
  end $$;

  create function guard_event() returns trigger language plpgsql set enable_seqscan = off as $$
  begin
    if exists (select from log where seq > (select seq from log_head)) then
      raise exception 'an event lies beyond the head of the log' using errcode = 'DH003';
    end if;
    return null;
  end $$;

  create function guard_append_only() returns trigger language plpgsql as $$
  begin
    raise exception 'table % is append-only', tg_table_name using errcode = 'DH004';
  end $$;

  create trigger guard_event after insert on log
    for each statement execute function guard_event();
  create trigger guard_append_only before update or truncate on log
    for each statement execute function guard_append_only();
`;

/** Only the beginning of a log is ever removed, and never its last event; SQLSTATE DH004 otherwise. */
export const pruningGuard = `
  create function guard_pruning() returns trigger language plpgsql as $$
  begin
    if exists (select from log where seq < (select max(seq) from gone))
       or (select max(seq) from gone) >= (select seq from log_head) then
      raise exception 'table % loses its oldest events only', tg_table_name using errcode = 'DH004';
    end if;
    return null;
  end $$;

  create trigger guard_pruning after delete on log
    referencing old table as gone for each statement execute function guard_pruning();
`;

/** The guard of one table that the log's events fold into. */
export const guardTable = (table: string): string => `
  create trigger guard_change after insert or update or delete on ${table}
    for each statement execute function guard_change();
  create trigger guard_append_only before truncate on ${table}
    for each statement execute function guard_append_only();
`;
