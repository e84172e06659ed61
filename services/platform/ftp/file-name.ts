const namePattern = /^[a-z0-9][a-z0-9._-]{0,127}$/;

/**
 * Whether `name` means the same on every FTP server: no directories, no quotes, spaces or leading hyphens (servers
 * read those as syntax), one case, no encoding.
 */
export function isFileName(name: string): boolean {
  return namePattern.test(name);
}
