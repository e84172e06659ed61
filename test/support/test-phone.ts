import type { Response } from '../../services/sip/message/message.ts';
import { messageBytes } from './sip-messages.ts';
import type { StreamClient, UdpClient } from './sip-clients.ts';

export type RegisterOptions = {
  readonly contact?: string | undefined;
  readonly expires?: number | undefined;
  readonly credentials?: boolean | undefined;
  readonly callId?: string | undefined;
  readonly cseq?: number | undefined;
  readonly fields?: readonly string[] | undefined;
};

const retransmissionMs = 500;

let branches = 0;

/** A phone of a test: it sends requests over its client and waits for the answers. */
export class TestPhone {
  readonly aor: string;
  readonly #client: UdpClient | StreamClient;
  readonly #transport: 'UDP' | 'TCP';
  #cseq = 0;

  constructor(client: UdpClient | StreamClient, aor: string) {
    this.aor = aor;
    this.#client = client;
    this.#transport = 'port' in client ? 'UDP' : 'TCP';
  }

  get #port(): number {
    return 'port' in this.#client ? this.#client.port : (this.#client.socket.localPort ?? 0);
  }

  /** Where it says it is reached. */
  get contact(): string {
    return `<sip:phone@127.0.0.1:${this.#port}>`;
  }

  registerBytes(options: RegisterOptions = {}): Buffer {
    const {
      contact = this.contact,
      expires = 600,
      credentials = true,
      callId = `${this.aor} call`,
    } = options;
    this.#cseq = options.cseq ?? this.#cseq + 1;
    return messageBytes([
      `REGISTER sip:${this.aor.split('@')[1] ?? ''} SIP/2.0`,
      this.#via(),
      `From: <sip:${this.aor}>;tag=1`,
      `To: <sip:${this.aor}>`,
      `Call-ID: ${callId.replaceAll(' ', '-')}`,
      `CSeq: ${this.#cseq} REGISTER`,
      ...(contact === '' ? [] : [`Contact: ${contact}`]),
      `Expires: ${expires}`,
      ...(credentials ? [authorization] : []),
      ...(options.fields ?? []),
      'Content-Length: 0',
    ]);
  }

  async register(options: RegisterOptions = {}): Promise<Response> {
    return await this.#ask(this.registerBytes(options));
  }

  async options(): Promise<Response> {
    this.#cseq += 1;
    return await this.#ask(
      messageBytes([
        `OPTIONS sip:${this.aor.split('@')[1] ?? ''} SIP/2.0`,
        this.#via(),
        `From: <sip:${this.aor}>;tag=1`,
        `To: <sip:${this.aor}>`,
        `Call-ID: ${this.aor.replace('@', '-')}-options`,
        `CSeq: ${this.#cseq} OPTIONS`,
        'Content-Length: 0',
      ]),
    );
  }

  /** The final response to the newest request, which over UDP is sent again until it comes (RFC 3261, Timer E). */
  async #ask(bytes: Buffer): Promise<Response> {
    const sendAgain = (): void => this.#client.send(bytes);
    sendAgain();
    const timer = this.#transport === 'UDP' ? setInterval(sendAgain, retransmissionMs) : undefined;
    try {
      for (;;) {
        const response = await this.#client.response();
        if (response.status >= 200 && response.cseq?.number === this.#cseq) return response;
      }
    } finally {
      clearInterval(timer);
    }
  }

  #via(): string {
    branches += 1;
    return `Via: SIP/2.0/${this.#transport} 127.0.0.1:${this.#port};branch=z9hG4bKphone${branches};rport`;
  }
}

/** A scripted processor believes any. */
const authorization =
  'Authorization: Digest username="u", realm="r", nonce="n", uri="sip:c1.example", response="0123456789abcdef0123456789abcdef"';
