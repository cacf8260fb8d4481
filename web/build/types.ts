// Writes the types of the phones' and the desk's API, and the forms of their actions, from the OpenAPI documents.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { pinyin } from 'pinyin-pro'
import { formsOf } from './forms.ts'

const folder = new URL('../shared/api/', import.meta.url)

for (const api of ['phones', 'staff']) {
  const document = JSON.parse(readFileSync(new URL(`${api}.json`, folder), 'utf8')) as OpenAPI3
  const types = astToString(await openapiTS(document, { alphabetize: true }))
  writeFileSync(new URL(`${api}.d.ts`, folder), types)
}
mkdirSync(new URL('forms/', folder), { recursive: true })
const phones = JSON.parse(readFileSync(new URL('phones.json', folder), 'utf8')) as OpenAPI3
writeFileSync(new URL('forms/citizen.json', folder), JSON.stringify(formsOf(phones, '/reports/{ref}/')))
writeFileSync(new URL('forms/cadre.json', folder), JSON.stringify(formsOf(phones, '/cadre/cases/{ref}/')))
const staff = JSON.parse(readFileSync(new URL('staff.json', folder), 'utf8')) as OpenAPI3
const initialsOf = (words: string) => pinyin(words, { pattern: 'first', toneType: 'none', type: 'array' }).join('').toLowerCase()
writeFileSync(new URL('forms/desk.json', folder), JSON.stringify(formsOf(staff, '/cases/{ref}/').map((form) => ({ ...form, initials: initialsOf(form.label) }))))
