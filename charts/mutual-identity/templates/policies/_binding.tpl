{{/* The binding of a policy, everywhere, with refusal. root; name. */}}
{{- define "mutual-identity.policyBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "mutual-identity.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}

{{/* Policies on what the operator itself writes apply to its account alone. */}}
{{- define "mutual-identity.ownAccountOnly" -}}
- name: own-account
  expression: request.userInfo.username == {{ include "mutual-identity.username" . | squote }}
{{- end }}

{{/* CEL: what an object that is there already shows of being ours: our label, or, where somebody took that away, our annotations or our owner. */}}
{{- define "mutual-identity.markVariables" -}}
- name: where
  expression: request.namespace + '/' + request.name
- name: labels
  expression: "object != null && has(object.metadata.labels) ? object.metadata.labels : {}"
- name: oldLabels
  expression: "oldObject != null && has(oldObject.metadata.labels) ? oldObject.metadata.labels : {}"
- name: oldAnnotations
  expression: "oldObject != null && has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}"
- name: marked
  expression: >-
    'app.kubernetes.io/managed-by' in variables.labels && variables.labels['app.kubernetes.io/managed-by'] == 'mutual-identity'
- name: role
  expression: "'mutualidentity.io/role' in variables.labels ? variables.labels['mutualidentity.io/role'] : ''"
- name: wasMarked
  expression: >-
    ('app.kubernetes.io/managed-by' in variables.oldLabels && variables.oldLabels['app.kubernetes.io/managed-by'] == 'mutual-identity') ||
    'mutualidentity.io/generation' in variables.oldAnnotations || 'mutualidentity.io/bundle-fingerprint' in variables.oldAnnotations
- name: annotations
  expression: "object != null && has(object.metadata.annotations) ? object.metadata.annotations : {}"
{{- end }}

{{/* CEL: who else is told to hold or to collect an object, which the operator leaves to others. */}}
{{- define "mutual-identity.holdVariables" -}}
- name: finalizers
  expression: "object != null && has(object.metadata.finalizers) ? object.metadata.finalizers : []"
- name: oldFinalizers
  expression: "oldObject != null && has(oldObject.metadata.finalizers) ? oldObject.metadata.finalizers : []"
- name: owners
  expression: "object != null && has(object.metadata.ownerReferences) ? object.metadata.ownerReferences : []"
- name: oldOwners
  expression: "oldObject != null && has(oldObject.metadata.ownerReferences) ? oldObject.metadata.ownerReferences : []"
{{- end }}

{{/* What others gave an object may stay or go; nothing of the kind is added. kind; owners: CEL of an owner that may be added. */}}
{{- define "mutual-identity.holdValidations" -}}
- expression: >-
    variables.finalizers.all(finalizer, finalizer in variables.oldFinalizers) &&
    variables.owners.all(owner, variables.oldOwners.exists(old, old == owner){{ with .owners }} || ({{ . }}){{ end }})
  reason: Forbidden
  messageExpression: >-
    '{{ .kind }} ' + variables.where + ' would get a finalizer or an owner that the operator never gives: this is not a write of the operator'
  message: the operator gives no finalizers, and no owners but a MutualIdentity to its leaf Secret
{{- end }}

{{/* CEL: nothing but keys of ours is added or changed: other programs act on labels and annotations of their own (copy, publish, sync). */}}
{{- define "mutual-identity.onlyOwnKeys" -}}
variables.labels.all(key, key == 'app.kubernetes.io/managed-by' || key.startsWith('mutualidentity.io/') ||
(key in variables.oldLabels && variables.oldLabels[key] == variables.labels[key])) &&
variables.annotations.all(key, key.startsWith('mutualidentity.io/') ||
(key in variables.oldAnnotations && variables.oldAnnotations[key] == variables.annotations[key]))
{{- end }}
