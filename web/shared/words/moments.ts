// Dates and times as people in China write them; always in China's time, whatever the phone's zone.
const ZONE = 'Asia/Shanghai'
const PARTS = new Intl.DateTimeFormat('zh-CN', {
  timeZone: ZONE, year: 'numeric', month: 'numeric', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
})

function parts(at: Date): Record<Intl.DateTimeFormatPartTypes, string> {
  return Object.fromEntries(PARTS.formatToParts(at).map((part) => [part.type, part.value])) as Record<Intl.DateTimeFormatPartTypes, string>
}

/** "11月30日(周一) 14:05"; of another year with the year in front. */
export function moment(at: string | Date, now = new Date()): string {
  const told = parts(new Date(at))
  return `${day(at, now)} ${told.hour}:${told.minute}`
}

/** "11月30日(周一)". */
export function day(at: string | Date, now = new Date()): string {
  const told = parts(new Date(at))
  const year = told.year === parts(now).year ? '' : `${told.year}年`
  return `${year}${told.month}月${told.day}日(${told.weekday})`
}

/** "12月3日(周四)以前", where a limit ends with its day; else with the time. */
export function before(at: string | Date, now = new Date()): string {
  return `${timeOfDay(at) === '23:59' ? day(at, now) : moment(at, now)}以前`
}

export function timeOfDay(at: string | Date): string {
  const told = parts(new Date(at))
  return `${told.hour}:${told.minute}`
}

/** Whole days from one date in China to the other. */
export function daysBetween(from: Date, to: Date): number {
  const midnight = (at: Date) => {
    const told = parts(at)
    return Date.UTC(Number(told.year), Number(told.month) - 1, Number(told.day))
  }
  return Math.round((midnight(to) - midnight(from)) / 86_400_000)
}
