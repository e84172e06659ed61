/** Where a SIP program listens, over UDP. */
export type SipAddress = { readonly host: string; readonly port: number };

export const formatSipAddress = ({ host, port }: SipAddress): string => `${host}:${port}`;
