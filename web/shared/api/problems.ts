// What can go wrong between a page and the server, in words for people.
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** Of a refused form: the fields, and what is wrong with each. */
  mistakes?: { where: string; what: string }[]
}

/** The server answered, and refused. */
export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(problem.detail)
  }

  is(type: string): boolean {
    return this.problem.type === `/problems/${type}`
  }
}

/** No network, or no answer in time: whether the server did it is not known. */
export class NoAnswer extends Error {
  constructor() {
    super('网络不通，请稍后再试。')
  }
}

const WORDS: Record<number, string> = {
  413: '内容太大，服务器没有接收。请减少照片后再试。',
  429: '操作太频繁，请稍后再试。',
  502: '服务器暂时没有答复，请稍后再试。',
  503: '服务器正忙，请稍后再试。',
  504: '服务器暂时没有答复，请稍后再试。',
}

/** A proxy in front may answer with a page of its own, which is no problem of ours. */
export function problemOf(body: unknown, response: Response): Problem {
  if (isProblem(body)) return body
  return {
    type: 'about:blank',
    title: '没有办成',
    status: response.status,
    detail: WORDS[response.status] ?? '服务器没有办成，请稍后再试。',
  }
}

function isProblem(body: unknown): body is Problem {
  const told = body as Partial<Problem> | null
  return typeof told === 'object' && told !== null && typeof told.detail === 'string' && typeof told.type === 'string'
}

/** What to show for anything that was thrown. */
export function inWords(failure: unknown): string {
  if (!(failure instanceof Refused)) return failure instanceof NoAnswer ? failure.message : '没有办成，请稍后再试。'
  const mistakes = failure.problem.mistakes?.map((one) => one.what).join('；')
  return mistakes ? `${failure.problem.detail}${mistakes}` : failure.problem.detail
}
