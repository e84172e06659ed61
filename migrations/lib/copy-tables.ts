/** What proves a copy of a log: the snapshots it was filled from and the verifications it passed. Empty where the log is written. */
export const copyTables = `
  create table snapshots (
    transfer    uuid primary key,
    scope       text not null,
    incarnation uuid not null,
    seq         bigint not null,
    hash        bytea not null,
    rows        bigint not null,
    bytes       bigint not null,
    swapped_at  timestamptz not null default now()
  );

  create table proofs (
    id          bigint generated always as identity primary key,
    incarnation uuid not null,
    seq         bigint not null,
    hash        bytea not null,
    rows        bigint not null,
    equal       boolean not null,
    differences jsonb not null,
    proven_at   timestamptz not null default now()
  );
`;
