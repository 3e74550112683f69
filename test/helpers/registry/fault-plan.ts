/** What goes wrong between a client and a registry, said ahead: the same plan and requests give the same faults. */

export type FaultAction =
  /** An answer that the registry never gave. The request's body is read first, unless `early`. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly body?: string | Uint8Array | undefined
      readonly early?: boolean | undefined
    }
  /** The connection is reset as soon as the request's headers are here. */
  | { readonly kind: 'reset' }
  /** Nothing more happens: `request`, its body is not read; `headers`, it is read and not answered; `body`, the answer stops after `afterBytes`. */
  | {
      readonly kind: 'stall'
      readonly at: 'request' | 'headers' | 'body'
      readonly afterBytes?: number | undefined
    }
  /** The registry gets that many bytes of the body, then both connections are reset. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** The registry does what it was asked; its answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** The client gets the answer's headers and that many bytes, then a reset. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** The answer says that it is shorter, and is. */
  | { readonly kind: 'truncate-answer'; readonly bytes: number }
  /** One byte is another one. `at`: its offset in the body. */
  | { readonly kind: 'alter-answer'; readonly at: number }
  | { readonly kind: 'alter-request'; readonly at: number }
  /** Headers of the registry's answer that are replaced; `undefined` drops one. */
  | { readonly kind: 'headers'; readonly set: Readonly<Record<string, string | undefined>> }
  /** The answer comes in pieces of so many bytes with a pause before each. */
  | { readonly kind: 'slow'; readonly bytes: number; readonly pauseMs: number }
  /** 307 to itself with a new query, for ever if it matches again. */
  | { readonly kind: 'redirect-to-itself' }
  /** 200 with a body that starts with `prefix` and never ends. */
  | { readonly kind: 'endless'; readonly contentType: string; readonly prefix: string }
  /** Something that is no HTTP. */
  | { readonly kind: 'garbage' }

export interface Fault {
  /** Default: every method. */
  readonly method?: string | undefined
  /** Of path and query. Default: all. */
  readonly path?: RegExp | undefined
  /** Matching requests that are let through first. Default 0. */
  readonly skip?: number | undefined
  /** Matching requests that are hit after those; `Infinity` for all. Default 1. */
  readonly times?: number | undefined
  readonly action: FaultAction
}

/** A status by itself, with the body of the error that registries send. */
export function statusFault(status: number, headers: Readonly<Record<string, string>> = {}): FaultAction {
  const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message: `planned ${status}` }] })
  return { kind: 'answer', status, headers: { 'Content-Type': 'application/json', ...headers }, body }
}

/** Chooses the fault of each request, in the plan's order; the first that matches and is not used up. */
export function followPlan(plan: readonly Fault[]): (method: string, target: string) => Fault | undefined {
  const seen = plan.map(() => 0)
  return (method, target) => {
    for (const [i, fault] of plan.entries()) {
      if (fault.method !== undefined && fault.method !== method) continue
      if (fault.path !== undefined && !fault.path.test(target)) continue
      const count = (seen[i] ?? 0) + 1
      seen[i] = count
      const skip = fault.skip ?? 0
      if (count > skip && count <= skip + (fault.times ?? 1)) return fault
    }
    return undefined
  }
}
