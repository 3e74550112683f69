/** Servers that end with their test. */

import { onTestFinished } from 'vitest'

/** Gives the server back, and closes it when the running test is over. */
export async function forTest<Server extends { close(): Promise<void> }>(
  starting: Server | Promise<Server>,
): Promise<Server> {
  const server = await starting
  onTestFinished(() => server.close())
  return server
}
