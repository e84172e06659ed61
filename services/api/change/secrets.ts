import type { Kind } from '../../model/kind.ts';
import type { FieldValue } from '../../model/field.ts';
import type { Row } from '../../model/table.ts';
import type { Sealer } from '../../platform/crypto/sealing.ts';
import { Secret } from '../../platform/logging/secret.ts';
import { sealedMark } from '../../protocol/rest/config.ts';

const secretFields = new WeakMap<Kind, readonly string[]>();

/** Names of the fields of `kind` that are stored sealed. */
export function secretFieldsOf(kind: Kind): readonly string[] {
  let names = secretFields.get(kind);
  if (!names) {
    names = Object.keys(kind.fields).filter((name) => kind.fields[name]?.secret);
    secretFields.set(kind, names);
  }
  return names;
}

/** `fields` with its secrets sealed for the row `key`; processors open them with the same context. */
export function sealFields(sealer: Sealer, kind: Kind, key: string, fields: Row): Row {
  let sealed: Record<string, FieldValue> | undefined;
  for (const name of secretFieldsOf(kind)) {
    const value = fields[name];
    if (typeof value !== 'string') continue;
    sealed ??= { ...fields };
    sealed[name] = sealer.seal(new Secret(value), `${kind.name}/${key}/${name}`);
  }
  return sealed ?? fields;
}

/** The fields of `row` as they are shown: a mark in place of each secret. */
export function maskRow(kind: Kind, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, { secret }] of Object.entries(kind.fields)) {
    const value = row[name];
    if (value !== undefined) shown[name] = secret && value !== null ? sealedMark : value;
  }
  return shown;
}
