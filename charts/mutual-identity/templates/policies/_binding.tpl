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
{{- end }}
