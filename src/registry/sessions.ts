/** The sessions of a context: stores of one context share connections and tokens. */

import { openSession, type HostSession } from './host-session.ts'
import type { RegistryContext } from './registry-context.ts'

const sessions = new WeakMap<RegistryContext, Map<string, HostSession>>()

/** The session with a host; opened when it is first asked for. */
export function sessionFor(context: RegistryContext, host: string): HostSession {
  const hosts = sessions.get(context) ?? new Map<string, HostSession>()
  sessions.set(context, hosts)
  const session = hosts.get(host) ?? openSession(context, host)
  hosts.set(host, session)
  return session
}

/** Drops all connections of a context. Idle ones keep no process alive, so this is for those who stay. */
export async function closeRegistries(context: RegistryContext): Promise<void> {
  const hosts = sessions.get(context)
  sessions.delete(context)
  await Promise.all(Array.from(hosts?.values() ?? [], (session) => session.close()))
}
