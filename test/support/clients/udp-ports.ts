import { readFileSync } from 'node:fs';

/** Whether somebody in the network of process `pid` has this UDP port open (proc(5), /proc/net/udp). */
export function isUdpPortOpen(pid: number, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync(`/proc/${pid}/net/udp`, 'utf8').split('\n').slice(1);
  return lines.some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix));
}
