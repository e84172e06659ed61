import type { Kind } from '../../model/kind.ts';
import { keyOf } from '../../model/kind.ts';
import { kindNamed } from '../../model/kinds.ts';
import type { Sealer } from '../../platform/crypto/sealing.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { FieldError } from '../../protocol/errors/problem.ts';
import type { ChangeBody } from '../../protocol/rest/changes.ts';
import type { Intent } from './intent.ts';
import { isStorable, parsePartOfRow, parseWholeRow } from './parse-row.ts';
import { invalid } from './plan-change.ts';
import { sealFields } from './secrets.ts';

export type ParsedChange = { readonly kind: Kind; readonly intent: Intent };

/** A change as a caller gave it, checked and sealed. @throws CONFIG_KIND_UNKNOWN, CONFIG_INVALID with every fault */
export function parseChange(sealer: Sealer, change: ChangeBody, where = 'body'): ParsedChange {
  const kind = requireKind(change.kind);
  return { kind, intent: parseIntent(sealer, kind, change, where) };
}

/** @throws CONFIG_KIND_UNKNOWN */
export function requireKind(name: string): Kind {
  const kind = kindNamed(name);
  if (kind) return kind;
  throw new DualhomeError('CONFIG_KIND_UNKNOWN', { detail: name, facts: { kind: name } });
}

/** @throws CONFIG_INVALID with every fault */
export function parseIntent(
  sealer: Sealer,
  kind: Kind,
  { op, key: named, row = {}, if_seq: ifSeq }: Omit<ChangeBody, 'kind'>,
  where: string,
): Intent {
  const key = named ?? keyIn(kind, row);
  if (key === undefined || !isStorable(key)) throw invalid({ key: key ?? '' }, [missingKey(kind, where)]);
  if (op === 'delete') return { op, key, fields: {}, kept: [], ifSeq, where };
  const given = { [kind.key]: key, ...row };
  const parsed = op === 'put' ? parseWholeRow(kind, given, where) : parsePartOfRow(kind, given, where);
  if ('errors' in parsed) throw invalid({ key }, parsed.errors);
  const { fields, kept } = parsed;
  if (keyOf(kind, fields) !== key) {
    throw invalid({ key }, [{ where, path: `/${kind.key}`, message: `differs from the key ${key}` }]);
  }
  return { op, key, fields: sealFields(sealer, kind, key, fields), kept, ifSeq, where };
}

function keyIn(kind: Kind, row: Readonly<Record<string, unknown>>): string | undefined {
  const key = row[kind.key];
  return typeof key === 'string' ? key : undefined;
}

const missingKey = (kind: Kind, where: string): FieldError => ({
  where,
  path: `/${kind.key}`,
  message: 'the key is missing or not text',
});
