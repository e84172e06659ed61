import { host, hostPort } from './common.ts';
import { list, plainText, text } from './field.ts';
import { defineKind } from './kind.ts';

export const domain = defineKind({
  name: 'domain',
  table: 'domains',
  title: 'SIP domain',
  description: 'A domain this site serves, with the one realm that its credentials hold for at both sites.',
  fields: {
    name: text(host, 'The domain, as in user@domain'),
    realm: text(plainText(128), 'Digest realm (RFC 7616); the same at both sites, so that HA1 holds at both'),
    aliases: list(hostPort, 32, 'Site names and addresses that phones put in place of the domain'),
  },
});
