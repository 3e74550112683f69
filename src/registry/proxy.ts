/** Which proxy a URL goes through: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl and Go read them. */

import { BlockList, isIP } from 'node:net'
import { readUrl } from './redact-url.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The proxy of an http or https URL, or undefined for a direct connection. Lower-case variables win. localhost and
 * loopback addresses are always reached directly. NO_PROXY: `*`, hosts (with all their subdomains), `.domain`
 * (subdomains only), `host:port`, addresses and CIDR blocks, separated by commas or white space.
 */
export function proxyFor(url: URL, variables: Variables): URL | undefined {
  const read = (name: string): string | undefined => variables[name.toLowerCase()] || variables[name]
  const text = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY')
  if (text === undefined || text === '') return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || isLoopback(host)) return undefined
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const rules = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter((rule) => rule !== '')
  if (rules.some((rule) => bypasses(rule.toLowerCase(), host, port))) return undefined
  return readUrl(text.includes('://') ? text : `http://${text}`)
}

function bypasses(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true
  if (rule.includes('/')) return inBlock(rule, host)
  const bare = rule.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0) return sameAddress(bare, host)
  const [, name = '', rulePort] = /^(.*?)(?::(\d+))?$/.exec(rule) ?? []
  if (rulePort !== undefined && rulePort !== port) return false
  const address = name.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0) return sameAddress(address, host)
  const domain = name.replace(/^\*(?=\.)/, '')
  if (domain.startsWith('.')) return host.endsWith(domain)
  return host === domain || host.endsWith(`.${domain}`)
}

function inBlock(rule: string, host: string): boolean {
  const family = isIP(host)
  const [network = '', bits = ''] = rule.split('/')
  const prefix = Number(bits)
  if (family === 0 || isIP(network) !== family || !/^\d+$/.test(bits)) return false
  if (prefix > (family === 4 ? 32 : 128)) return false
  const block = new BlockList()
  block.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return block.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function sameAddress(address: string, host: string): boolean {
  return isIP(address) === 4 ? address === host : inBlock(`${address}/128`, host)
}

/** An address of this machine only. */
export function isLoopback(host: string): boolean {
  return inBlock('127.0.0.0/8', host) || inBlock('::1/128', host)
}
