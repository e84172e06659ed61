/** The URI (RFC 8141 form) among the subject alternative names of a site's certificate that says whose it is. */
export const siteUri = (site: string): string => `urn:dualhome:site:${site}`;
