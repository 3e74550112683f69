/** What both sides call the thing. */
export const title = 'Monorepo'
