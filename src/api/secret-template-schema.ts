// The schema of delivery.secretTemplate: labels and annotations of people on our Secrets, but for the keys that are ours or the cluster's.
// Used by the schema of MutualIdentity.

import { isLabelKey, LABEL_KEY_MUST, labelValue } from './label-selector-schema.ts'
import { labels } from './names.ts'
import { map, object, type Rule, text } from './schema.ts'

/** Keys that decide what is ours, or that Kubernetes itself reads. */
const isReserved = (key: string): string =>
  [
    `${key} == '${labels.managedBy}'`,
    `${key}.matches('^([^/]*[.])?mutualidentity[.]io/')`,
    `(${key}.matches('^([^/]*[.])?(kubernetes|k8s)[.]io/') && !${key}.startsWith('app.kubernetes.io/'))`,
  ].join(' || ')

const notReserved: Rule = {
  rule: `self.all(key, !(${isReserved('key')}))`,
  messageExpression: `"key '" + self.filter(key, ${isReserved('key')})[0] + "' is reserved: keys of mutualidentity.io, kubernetes.io and k8s.io, and ${labels.managedBy}, are not for templates"`,
  message: 'keys of mutualidentity.io, kubernetes.io and k8s.io are reserved',
}

const keysAreKeys: Rule = {
  rule: `self.all(key, ${isLabelKey('key')})`,
  messageExpression: `"key '" + self.filter(key, !(${isLabelKey('key')}))[0] + "' ${LABEL_KEY_MUST}"`,
  message: `each key ${LABEL_KEY_MUST}`,
}

export const secretTemplate = object('Labels and annotations for the Secret, besides our own.', {
  labels: map('Labels.', labelValue('The value of the label.'), { maxProperties: 32, rules: [keysAreKeys, notReserved] }),
  annotations: map('Annotations.', text('The value of the annotation.', { maxLength: 1024 }), {
    maxProperties: 32,
    rules: [keysAreKeys, notReserved],
  }),
})
