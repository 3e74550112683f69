/** Credentials as headers, and what keeps them out of every text. */

/** An `Authorization: Basic` value. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export interface Secrets {
  /** Remembers what must not be shown; very short ones are left out, since they would blank half of any text. */
  add(secret: string): void
  /** The text with every secret in it replaced by `***`. */
  conceal(text: string): string
}

const minLength = 4

export function createSecrets(): Secrets {
  const secrets = new Set<string>()
  return {
    add: (secret) => void (secret.length >= minLength && secrets.add(secret)),
    conceal(text) {
      let concealed = text
      for (const secret of secrets) concealed = concealed.replaceAll(secret, '***')
      return concealed
    },
  }
}
