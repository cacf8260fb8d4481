// The plain form of each action, taken from the API's own description: a new action gets its form by itself.
import type { OpenAPI3 } from 'openapi-typescript'

export interface Field {
  name: string
  label: string
  /** What the description says beyond the label. */
  hint: string
  kind: 'text' | 'paragraphs' | 'number' | 'date' | 'flag' | 'choice' | 'unit' | 'other'
  required: boolean
  longest: number | null
  least: number | null
  most: number | null
  choices: { value: string; label: string }[]
}

export interface Form {
  /** The action as `actions` names it. */
  action: string
  label: string
  hint: string
  path: string
  fields: Field[]
}

interface Schema {
  $ref?: string
  type?: string
  format?: string
  anyOf?: Schema[]
  enum?: string[]
  const?: string
  maxLength?: number
  minimum?: number
  maximum?: number
  ge?: number
  le?: number
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
}

const PARAGRAPHS = 200
const SEPARATOR = /[，；。：]/

export function formsOf(document: OpenAPI3, prefix: string): Form[] {
  const forms: Form[] = []
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : ''
    const operation = item && 'post' in item ? item.post : undefined
    if (!name || name.includes('/') || !operation || '$ref' in operation) continue
    forms.push({
      action: name.replaceAll('-', '_'),
      label: operation.summary ?? name,
      hint: operation.description ?? '',
      path,
      fields: fieldsOf(document, bodyOf(operation as unknown as Record<string, unknown>)),
    })
  }
  return forms
}

function bodyOf(operation: Record<string, unknown>): Schema | undefined {
  const body = operation['requestBody'] as { content?: Record<string, { schema?: Schema }> } | undefined
  return body?.content?.['application/json']?.schema
}

function fieldsOf(document: OpenAPI3, body: Schema | undefined): Field[] {
  const schema = body && resolved(document, body)
  return Object.entries(schema?.properties ?? {}).map(([name, told]) => field(document, name, told, schema?.required ?? []))
}

function resolved(document: OpenAPI3, schema: Schema): Schema {
  if (schema.anyOf) {
    const one = schema.anyOf.find((each) => each.type !== 'null')
    if (one) return { ...resolved(document, one), ...(schema.description && { description: schema.description }) }
  }
  if (!schema.$ref) return schema
  const named = document.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] as Schema
  return { ...named, ...(schema.description && { description: schema.description }) }
}

function field(document: OpenAPI3, name: string, told: Schema, required: string[]): Field {
  const schema = resolved(document, told)
  const words = schema.description ?? name
  const choices = schema.enum ?? (schema.const ? [schema.const] : [])
  return {
    name,
    label: words.split(SEPARATOR, 1)[0] ?? words,
    hint: choices.length ? '' : words.split(SEPARATOR).slice(1).join('，'),
    kind: kindOf(name, schema, choices),
    required: required.includes(name),
    longest: schema.maxLength ?? null,
    least: schema.minimum ?? schema.ge ?? null,
    most: schema.maximum ?? schema.le ?? null,
    choices: choices.map((value) => ({ value, label: choiceLabel(words, value) })),
  }
}

function kindOf(name: string, schema: Schema, choices: string[]): Field['kind'] {
  if (choices.length) return 'choice'
  if (schema.type === 'boolean') return 'flag'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'string' && schema.format === 'date') return 'date'
  if (schema.type === 'string' && name.endsWith('_code')) return 'unit'
  if (schema.type === 'string') return (schema.maxLength ?? PARAGRAPHS) >= PARAGRAPHS ? 'paragraphs' : 'text'
  return 'other'
}

/** Descriptions name their values: "solved 已解决，explained 政策解释". */
function choiceLabel(words: string, value: string): string {
  return words.match(new RegExp(`${value}\\s*([^，。；、：\\s]+)`))?.[1] ?? value
}
