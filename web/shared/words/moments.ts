// Dates and times as people in China write them; always in China's time, whatever the phone's zone.
// Sums instead of Intl, whose formatting is slow in long lists.
const AHEAD = 8 * 3_600_000
const DAY = 86_400_000
const WEEKDAYS = '日一二三四五六'

/** Reads as China's time by its UTC fields. China has had no summer time since 1991. */
const inChina = (at: string | Date): Date => new Date(new Date(at).getTime() + AHEAD)

/** "11月30日(周一) 14:05"; of another year with the year in front. */
export function moment(at: string | Date, now = new Date()): string {
  return `${day(at, now)} ${timeOfDay(at)}`
}

/** "11月30日(周一)". */
export function day(at: string | Date, now = new Date()): string {
  const told = inChina(at)
  const year = told.getUTCFullYear() === inChina(now).getUTCFullYear() ? '' : `${told.getUTCFullYear()}年`
  return `${year}${told.getUTCMonth() + 1}月${told.getUTCDate()}日(周${WEEKDAYS[told.getUTCDay()]})`
}

/** "12月3日(周四)以前", where a limit ends with its day; else with the time. */
export function before(at: string | Date, now = new Date()): string {
  return `${timeOfDay(at) === '23:59' ? day(at, now) : moment(at, now)}以前`
}

export function timeOfDay(at: string | Date): string {
  return inChina(at).toISOString().slice(11, 16)
}

/** Whole days from one date in China to the other. */
export function daysBetween(from: Date, to: Date): number {
  const dayOf = (at: Date) => Math.floor((at.getTime() + AHEAD) / DAY)
  return dayOf(to) - dayOf(from)
}
