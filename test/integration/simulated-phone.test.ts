import { describe, expect, it } from 'vitest';
import { Phone } from '../../services/simulator/phone/phone.ts';
import { ScriptedRegistrar } from '../support/scripted-registrar.ts';

const account = (user: string) => ({ user, domain: 'c1.example', password: `secret-${user}` });

/** Two phones that call each other without anything between them. */
async function twoPhones() {
  const stack = new AsyncDisposableStack();
  const ada = stack.use(await Phone.open(account('ada')));
  const bo = stack.use(await Phone.open(account('bo')));
  return { ada, bo, site: bo.userAgent.endpoint, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a simulated phone', () => {
  it('registers with digest and says what was granted', async () => {
    await using registrar = await ScriptedRegistrar.start('c1.example');
    registrar.expiresSecondsMax = 60;
    await using phone = await Phone.open(account('ada'));
    const response = await phone.register(registrar.endpoint);
    expect(response?.status).toBe(200);
    expect(response && phone.grantedSeconds(response)).toBe(60);
    expect(registrar.registered.get('ada')).toBe(60);
    await phone.register(registrar.endpoint, 0);
    expect(registrar.registered.size).toBe(0);
  });

  it('calls, rings, is answered, changes the call and hangs up', async () => {
    await using phones = await twoPhones();
    const { ada, bo, site } = phones;
    const dialling = ada.dial('sip:bo@c1.example', { site });
    const incoming = await bo.nextCall();
    incoming.ring();
    expect((await dialling.ringing)?.status).toBe(180);
    const answered = incoming.accept();
    const { status, call } = await dialling.outcome;
    expect(status).toBe(200);
    expect(await answered.acknowledged).toBe(true);

    expect((await call?.request('INVITE'))?.status).toBe(200);
    expect((await answered.bye())?.status).toBe(200);
    expect(await call?.ended).toBe('there');
    expect(answered.received.map(({ method }) => method)).toEqual(['INVITE']);
  });

  it('gives up, and the other one stops ringing', async () => {
    await using phones = await twoPhones();
    const { ada, bo, site } = phones;
    const dialling = ada.dial('sip:bo@c1.example', { site });
    const incoming = await bo.nextCall();
    incoming.ring();
    await dialling.ringing;
    dialling.cancel();
    await incoming.whenCancelled;
    expect((await dialling.outcome).status).toBe(487);
  });

  it('says that it is busy, and takes what comes outside of calls', async () => {
    await using phones = await twoPhones();
    const { ada, bo, site } = phones;
    const dialling = ada.dial('sip:bo@c1.example', { site });
    (await bo.nextCall()).refuse(486);
    expect(await dialling.outcome).toMatchObject({ status: 486, call: undefined });
    expect((await ada.send('MESSAGE', 'sip:bo@c1.example', site))?.status).toBe(200);
    expect(bo.messages.map(({ method }) => method)).toEqual(['MESSAGE']);
  });
});
