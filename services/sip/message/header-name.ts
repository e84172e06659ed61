/** Header field names this core looks at or other parts ask for, in their usual spelling. */
const spellings = [
  ['Accept'],
  ['Accept-Contact', 'a'],
  ['Alert-Info'],
  ['Allow'],
  ['Allow-Events', 'u'],
  ['Authorization'],
  ['Call-ID', 'i'],
  ['Contact', 'm'],
  ['Content-Encoding', 'e'],
  ['Content-Length', 'l'],
  ['Content-Type', 'c'],
  ['CSeq'],
  ['Date'],
  ['Diversion'],
  ['Event', 'o'],
  ['Expires'],
  ['From', 'f'],
  ['History-Info'],
  ['Identity', 'y'],
  ['In-Reply-To'],
  ['Max-Forwards'],
  ['Min-Expires'],
  ['Min-SE'],
  ['Organization'],
  ['P-Asserted-Identity'],
  ['P-Preferred-Identity'],
  ['Path'],
  ['Privacy'],
  ['Proxy-Authenticate'],
  ['Proxy-Authorization'],
  ['Proxy-Require'],
  ['RAck'],
  ['Reason'],
  ['Record-Route'],
  ['Refer-To', 'r'],
  ['Referred-By', 'b'],
  ['Reject-Contact', 'j'],
  ['Replaces'],
  ['Request-Disposition', 'd'],
  ['Require'],
  ['Retry-After'],
  ['Route'],
  ['RSeq'],
  ['Server'],
  ['Service-Route'],
  ['Session-Expires', 'x'],
  ['Subject', 's'],
  ['Subscription-State'],
  ['Supported', 'k'],
  ['Timestamp'],
  ['To', 't'],
  ['Unsupported'],
  ['User-Agent'],
  ['Via', 'v'],
  ['Warning'],
  ['WWW-Authenticate'],
] as const;

/** Lower-case names by length and first letter; a name of one letter is a compact form (section 7.3.3). */
const buckets: string[][] = [];
const compactForms: string[] = [];
const spellingOf = new Map<string, string>();

for (const [spelling, compact] of spellings) {
  const name = spelling.toLowerCase();
  spellingOf.set(name, spelling);
  (buckets[bucketOf(name.length, name.charCodeAt(0))] ??= []).push(name);
  if (compact) compactForms[compact.charCodeAt(0)] = name;
}

function bucketOf(length: number, firstCode: number): number {
  return length * 32 + (firstCode & 31);
}

/**
 * The canonical name (long form, lower case) of the header field name in `text[start..end)`. Canonical names
 * are what header fields are asked for by; a known one costs no new string.
 */
export function canonicalName(text: string, start = 0, end = text.length): string {
  if (end - start === 1) {
    const compact = compactForms[text.charCodeAt(start) | 0x20];
    if (compact) return compact;
  }
  const candidates = buckets[bucketOf(end - start, text.charCodeAt(start))];
  if (candidates) {
    for (const candidate of candidates) if (equalsIgnoringCase(text, start, candidate)) return candidate;
  }
  return text.slice(start, end).toLowerCase();
}

/** How a canonical name is usually written. */
export function usualSpelling(name: string): string {
  return spellingOf.get(name) ?? name;
}

function equalsIgnoringCase(text: string, start: number, lowerCase: string): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    if ((text.charCodeAt(start + i) | 0x20) !== lowerCase.charCodeAt(i)) return false;
  }
  return true;
}
