/** The post that the page shows: a login that was switched to another one meanwhile refuses (other-post). */
export const ACTING_POST = 'Acting-Post'
