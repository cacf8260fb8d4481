import { expect, test } from 'vitest'
import { formsOf } from './forms.ts'

const document = {
  openapi: '3.1.0',
  info: { title: '', version: '' },
  paths: {
    '/reports/{ref}/press': {
      post: {
        summary: '催办', description: '24 小时内一次。', responses: {},
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Press' } } } },
      },
    },
    '/reports/{ref}': { get: { responses: {} } },
    '/reports/{ref}/papers/{id}': { post: { responses: {} } },
  },
  components: {
    schemas: {
      Press: {
        required: ['outcome'],
        properties: {
          outcome: { enum: ['solved', 'explained'], description: 'solved 已解决，explained 政策解释' },
          note: { anyOf: [{ type: 'string', maxLength: 1000 }, { type: 'null' }], description: '催办的话，可不填' },
          days: { type: 'integer', minimum: 1, maximum: 30, description: '几个工作日' },
        },
      },
    },
  },
}

test('an action gets its form from its description', () => {
  const [form, ...others] = formsOf(document as never, '/reports/{ref}/')
  expect(others).toEqual([])
  expect(form).toMatchObject({ action: 'press', label: '催办', path: '/reports/{ref}/press' })
  expect(form?.fields).toMatchObject([
    { name: 'outcome', kind: 'choice', required: true, choices: [{ value: 'solved', label: '已解决' }, { value: 'explained', label: '政策解释' }] },
    { name: 'note', label: '催办的话', hint: '可不填', kind: 'paragraphs', required: false, longest: 1000 },
    { name: 'days', kind: 'number', least: 1, most: 30 },
  ])
})
