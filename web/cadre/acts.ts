// The actions of the phones' API.
import forms from '@shared/api/forms/cadre.json'
import { actsOf } from '@shared/acts/acts.ts'
import type { Form } from '../build/forms.ts'

export const { formOf, labelOf, sorted, takesFiles } = actsOf(forms as Form[])
